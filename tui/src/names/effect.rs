//! Reads what the agent knows from Podio about the events on the screen.

use std::collections::HashMap;

use podtap_agent::history::EventRow;
use podtap_agent::{AgentHandle, EventId, RememberedEvent};

use crate::error_text::error_text;

/// A request for the rows of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NamesEffect {
    /// Reads the stored answers of Podio about these rows, and lets the
    /// agent ask Podio about others.
    Remember {
        /// The rows on the screen of which nothing is known yet.
        rows: Vec<EventRow>,
    },
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum NamesAnswer {
    /// The answer to [`NamesEffect::Remember`].
    Remembered {
        /// What is known about the events; an event of which nothing is known is missing.
        result: Result<HashMap<EventId, RememberedEvent>, String>,
    },
}

/// Asks the agent. The agent asks Podio only if its budget of calls allows that.
pub(crate) async fn run(effect: NamesEffect, agent: &AgentHandle) -> NamesAnswer {
    let NamesEffect::Remember { rows } = effect;
    let result = agent.recall_rows(&rows).await.map_err(error_text);
    if result.is_ok() {
        agent.ask_ahead(rows.iter().map(|row| row.id));
    }
    NamesAnswer::Remembered { result }
}
