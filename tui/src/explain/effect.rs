//! Asks Podio about an event, and opens the page of the event's object.

use podtap_agent::{AgentHandle, EventId, Explanation};

use super::browser;
use crate::error_text::error_text;

/// A request to Podio or to the person's browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExplainEffect {
    /// Asks Podio what an event was about.
    Explain { id: EventId },
    /// Finds the URL of the page of an event's object.
    FindLink { id: EventId },
    /// Opens this page in the person's browser.
    Browse(String),
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub(crate) enum ExplainAnswer {
    /// The answer to [`ExplainEffect::Explain`].
    Explained {
        id: EventId,
        /// Podio's explanation.
        result: Result<Box<Explanation>, String>,
    },
    /// The answer to [`ExplainEffect::FindLink`].
    Link { result: Result<String, String> },
    /// The answer to [`ExplainEffect::Browse`].
    Browsed {
        /// An error if the page could not be opened.
        result: Result<(), String>,
    },
}

/// Carries out a request. The browser does not get the variables in `secrets`.
pub(crate) async fn run(
    effect: ExplainEffect,
    agent: &AgentHandle,
    secrets: &[String],
) -> ExplainAnswer {
    match effect {
        ExplainEffect::Explain { id } => {
            let result = agent.explain(id).await.map(Box::new).map_err(error_text);
            ExplainAnswer::Explained { id, result }
        }
        ExplainEffect::FindLink { id } => {
            let explanation = agent.explain(id).await.map_err(error_text);
            let result = explanation.and_then(|explanation| {
                let link = explanation.link;
                link.ok_or_else(|| "Podio has no link for this event".to_owned())
            });
            ExplainAnswer::Link { result }
        }
        ExplainEffect::Browse(link) => {
            let result = browser::open_page(link, secrets).await;
            ExplainAnswer::Browsed { result }
        }
    }
}
