//! Reads the open event with its attempts, and lays it out.

use jiff::tz::TimeZone;
use podtap_agent::history::{Event, History, HistoryError};
use podtap_agent::{AgentHandle, EventId};

use super::render_options::RenderOptions;
use super::sheet::{FullEvent, OpenEvent};
use crate::error_text::error_text;
use crate::generation::Generation;

/// A request from the detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DetailEffect {
    /// Reads an event with its attempts and lays it out.
    LoadEvent {
        /// The number of the request.
        generation: Generation,
        id: EventId,
        /// How to lay the event out.
        options: RenderOptions,
    },
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum DetailAnswer {
    /// The answer to [`DetailEffect::LoadEvent`].
    Event {
        generation: Generation,
        /// The laid-out event; `None` if retention has removed it.
        result: Result<Option<Box<OpenEvent>>, String>,
    },
}

pub(crate) async fn run(effect: DetailEffect, agent: &AgentHandle, zone: TimeZone) -> DetailAnswer {
    let DetailEffect::LoadEvent {
        generation,
        id,
        options,
    } = effect;
    let result = open(agent, id, options, zone).await;
    DetailAnswer::Event { generation, result }
}

/// Reads everything that is known of an event, and lays it out on a blocking thread.
async fn open(
    agent: &AgentHandle,
    id: EventId,
    options: RenderOptions,
    zone: TimeZone,
) -> Result<Option<Box<OpenEvent>>, String> {
    let history = agent.history();
    let Some(event) = history.event(id).await.map_err(error_text)? else {
        return Ok(None);
    };
    let full = FullEvent {
        attempts: history.attempts(id).await.map_err(error_text)?,
        explanation: agent.recall_explanation(&event).await.map_err(error_text)?,
        event,
    };
    let lay_out = move || Box::new(OpenEvent::new(full, options, &zone));
    tokio::task::spawn_blocking(lay_out)
        .await
        .map(Some)
        .map_err(error_text)
}

/// Reads one complete event.
pub(crate) async fn read_event(history: &History, id: EventId) -> Result<Box<Event>, String> {
    let event = history.event(id).await.map_err(error_text)?;
    event
        .map(Box::new)
        .ok_or_else(|| HistoryError::Gone.to_string())
}
