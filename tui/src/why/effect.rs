//! Asks the agent why something arrived or did not.

use podtap_agent::AgentHandle;
use podtap_agent::why::{Why, WhyQuestion};

use crate::error_text::error_text;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WhyEffect {
    /// Asks about the text that a person typed.
    Ask(String),
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum WhyAnswer {
    /// The answer to [`WhyEffect::Ask`].
    Answered {
        /// The explanation, or why there is none.
        result: Result<Box<Why>, String>,
    },
}

/// Asks the agent, which asks Podio.
pub(crate) async fn run(effect: WhyEffect, agent: &AgentHandle) -> WhyAnswer {
    let WhyEffect::Ask(text) = effect;
    let result = answer(&text, agent).await.map(Box::new);
    WhyAnswer::Answered { result }
}

async fn answer(text: &str, agent: &AgentHandle) -> Result<Why, String> {
    let subject = match WhyQuestion::parse(text).map_err(error_text)? {
        WhyQuestion::Subject(subject) => subject,
        WhyQuestion::Page(page) => agent.find_item(&page).await.map_err(error_text)?,
    };
    agent.why(subject).await.map_err(error_text)
}
