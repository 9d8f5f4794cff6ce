//! What Podio has told of the events in sight.

use std::collections::HashMap;

use podtap_agent::history::EventRow;
use podtap_agent::{AgentHandle, EventId, Remembered};

use crate::error_text::error_text;

/// A question about the rows of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NamesEffect {
    /// Read what is remembered of Podio's answers about these rows, and ask Podio ahead for others.
    Remember {
        /// The rows in sight of which nothing is known yet.
        rows: Vec<EventRow>,
    },
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum NamesAnswer {
    /// To [`NamesEffect::Remember`].
    Remembered {
        /// What is known of those of which anything is.
        result: Result<HashMap<EventId, Remembered>, String>,
    },
}

/// Asks the agent, which asks Podio where that costs no more than it may spend.
pub(crate) async fn run(effect: NamesEffect, agent: &AgentHandle) -> NamesAnswer {
    let NamesEffect::Remember { rows } = effect;
    let result = agent.recall_rows(&rows).await.map_err(error_text);
    if result.is_ok() {
        agent.ask_ahead(rows.iter().map(|row| row.id));
    }
    NamesAnswer::Remembered { result }
}
