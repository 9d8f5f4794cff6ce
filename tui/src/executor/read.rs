//! What the panes want to know, read from the history and made ready to be shown.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use podtap_agent::history::{
    Anchor, Attempt, Event, EventRow, Filter, FoldedQuery, History, HistoryError, MAX_PAGE,
    Outcome, Page, PageQuery, Position,
};
use podtap_agent::{AgentHandle, EventId, Remembered, Target};

use super::words;
use crate::detail::{Look, Opened, Story};
use crate::editor;
use crate::effect::Folding;
use crate::line::Line;
use crate::safe_text::SafeText;
use crate::search::Seen;
use crate::theme::Role;

/// A page of the list, with bursts folded where that is wanted.
pub(super) async fn page(
    history: &History,
    query: PageQuery,
    folding: Option<Folding>,
) -> Result<Page, HistoryError> {
    let Some(Folding { opened, kept }) = folding else {
        return history.look(query).await;
    };
    let PageQuery { anchor, limit, .. } = query;
    history
        .folded_page(FoldedQuery {
            anchor,
            limit,
            opened,
            kept,
        })
        .await
        .map(Page::from)
}

/// The places of the newest `most` events that the filter wants, a page after the other.
pub(super) async fn find_all(
    history: &History,
    filter: Filter,
    most: usize,
) -> Result<Vec<(Position, EventId)>, HistoryError> {
    let (mut found, mut anchor) = (Vec::new(), Anchor::Newest);
    while found.len() < most {
        let limit = MAX_PAGE.min(most - found.len());
        let query = PageQuery {
            filter: filter.clone(),
            anchor,
            limit,
        };
        let page = history.look(query).await?;
        found.extend(page.rows.iter().map(|row| (row.position, row.id)));
        anchor = match (page.older, page.rows.last()) {
            (Some(Position(older)), _) => Anchor::Before(Position(older.saturating_add(1))),
            (None, Some(last)) if page.rows.len() == limit => Anchor::Before(last.position),
            (None, _) => break,
        };
    }
    Ok(found)
}

/// One event, whole.
pub(super) async fn event(history: &History, id: EventId) -> Result<Box<Event>, String> {
    let event = history.event(id).await.map_err(words)?;
    event
        .map(Box::new)
        .ok_or_else(|| "the event is no longer in the history".to_owned())
}

/// The values that a filter may name; none where they cannot be read, which costs only an offer.
pub(super) async fn values(history: &History) -> Seen {
    let values = history.values().await.unwrap_or_default();
    Seen {
        types: values.types,
        hooks: values.hooks,
    }
}

/// What is known of these rows. Those of which nothing is are asked about, where that costs no more
/// than the agent may spend.
pub(super) async fn remembered(
    agent: &AgentHandle,
    rows: Vec<EventRow>,
) -> Result<HashMap<EventId, Remembered>, String> {
    let found = agent.remembered(&rows).await.map_err(words)?;
    agent.ask_ahead(rows.iter().map(|row| row.id));
    Ok(found)
}

/// The lines in which the requests of two events differ, below what the two are called.
pub(super) async fn compare(
    history: &History,
    one: (EventId, String),
    other: (EventId, String),
) -> Result<Vec<Line>, String> {
    let names = [one.1, other.1];
    let (one, other) = tokio::join!(history.event(one.0), history.event(other.0));
    let (Some(one), Some(other)) = (one.map_err(words)?, other.map_err(words)?) else {
        return Err("one of the two events is no longer in the history".to_owned());
    };
    let texts = [one, other].map(|event| editor::text(&event.request));
    compared(names, texts, "The two requests are the same.").await
}

/// The lines in which the answer to an attempt differs from the one before it.
pub(super) async fn compare_answers(
    history: &History,
    id: EventId,
    number: u32,
) -> Result<Vec<Line>, String> {
    let attempts = history.attempts(id).await.map_err(words)?;
    let at = attempts.iter().position(|attempt| attempt.number == number);
    let before = at.and_then(|at| attempts.get(at.checked_sub(1)?));
    let (Some(before), Some(after)) = (before, at.and_then(|at| attempts.get(at))) else {
        return Err("there is no attempt before this one to compare with".to_owned());
    };
    let names = [before, after].map(|attempt| format!("the answer to attempt {}", attempt.number));
    let texts = [before, after].map(answer_text);
    compared(names, texts, "The two answers are the same.").await
}

/// Two texts compared on a thread that may block, below what they are called.
async fn compared(
    names: [String; 2],
    texts: [String; 2],
    same: &'static str,
) -> Result<Vec<Line>, String> {
    let compare = move || {
        let [before, after] = &texts;
        let [one, other] = names;
        let heading = |sign, role, name| Line::of(role, sign).put(role, name);
        let mut lines = vec![
            heading("- ", Role::Failed, one),
            heading("+ ", Role::Ok, other),
            Line::new(),
        ];
        let differs = editor::difference(before, after);
        if differs.is_empty() {
            lines.push(Line::of(Role::Quiet, same));
        }
        lines.extend(differs);
        lines
    };
    tokio::task::spawn_blocking(compare).await.map_err(words)
}

/// An answer as text: its status, its headers, its body.
fn answer_text(attempt: &Attempt) -> String {
    match &attempt.outcome {
        Outcome::Failed { error } => format!("no answer: {error}\n"),
        Outcome::Answered {
            status,
            headers,
            body,
            ..
        } => {
            let mut text = format!("{status}\n");
            for (name, value) in headers.iter() {
                text.push_str(&format!(
                    "{name}: {}\n",
                    SafeText::from_bytes(value).as_str()
                ));
            }
            text.push('\n');
            text.push_str(&readable(body));
            text
        }
    }
}

/// A body line by line: JSON indented, so that what differs is told by its own line.
fn readable(body: &[u8]) -> String {
    let json = serde_json::from_slice::<serde_json::Value>(body).ok();
    let indented = json.and_then(|json| serde_json::to_string_pretty(&json).ok());
    let lines = || {
        let lines = body.split(|byte| *byte == b'\n');
        let lines = lines.map(|line| SafeText::from_bytes(line).as_str().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    };
    indented.unwrap_or_else(lines)
}

/// Where an event went first: what a replay means where no local service is configured.
pub(super) async fn earlier_target(agent: &AgentHandle, id: EventId) -> Option<Target> {
    if agent.status().borrow().target.is_some() {
        return None;
    }
    let event = agent.history().event(id).await.ok()??;
    let attempts = agent.history().attempts(id).await.ok()?;
    Target::of_attempt(&attempts.first()?.url, &event.request.path)
}

/// Reads all that is known of an event and lays it out, the latter on a thread that may block.
pub(super) async fn open(
    agent: &AgentHandle,
    id: EventId,
    look: Look,
    zone: TimeZone,
) -> Result<Option<Box<Opened>>, String> {
    let history = agent.history();
    let Some(event) = history.event(id).await.map_err(words)? else {
        return Ok(None);
    };
    let story = Story {
        attempts: history.attempts(id).await.map_err(words)?,
        explanation: agent.explained(&event).await.map_err(words)?,
        event,
    };
    let lay_out = move || Box::new(Opened::new(story, look, &zone));
    tokio::task::spawn_blocking(lay_out)
        .await
        .map(Some)
        .map_err(words)
}
