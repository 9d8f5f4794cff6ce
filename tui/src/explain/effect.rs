//! What Podio knows of an event, and the page of its object.

use podtap_agent::{AgentHandle, EventId, Explanation};

use super::browser;
use crate::error_text::error_text;

/// A question to Podio, or to the person's browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExplainEffect {
    /// Ask Podio what an event was about.
    Explain { id: EventId },
    /// Find out where an event's object has its page.
    FindLink { id: EventId },
    /// Open this page in the person's browser.
    Browse(String),
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum ExplainAnswer {
    /// To [`ExplainEffect::Explain`].
    Explained {
        id: EventId,
        /// What Podio knows.
        result: Result<Box<Explanation>, String>,
    },
    /// To [`ExplainEffect::FindLink`].
    Link { result: Result<String, String> },
    /// To [`ExplainEffect::Browse`].
    Browsed {
        /// Whether it could be opened.
        result: Result<(), String>,
    },
}

/// Asks the agent. The browser does not get the variables called `secrets`.
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
