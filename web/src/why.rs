//! Explains why something arrived or did not. This costs calls of Podio's API, so the request is a
//! POST, which only the page itself can send.

use http::StatusCode;
use podtap_agent::AgentHandle;
use podtap_agent::why::{Why, WhyLink, WhyObject, WhyQuestion};
use serde::Serialize;

use crate::answer::{PageAnswer, error, json};

/// Maximum number of characters in a question.
const MAX_QUESTION: usize = 1_000;

#[derive(Debug, Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    why: WhyObject<'a>,
    /// The name of each link, for the screen.
    labels: Vec<&'static str>,
}

/// Answers a question such as `item:4711`, `hook:5`, `item.update` or an item's URL in Podio.
pub(crate) async fn answer(handle: &AgentHandle, question: &str) -> PageAnswer {
    if question.chars().count() > MAX_QUESTION {
        return error(StatusCode::BAD_REQUEST, "the question is too long");
    }
    match ask(handle, question).await {
        Ok(why) => json(&Answer {
            why: WhyObject::from(&why),
            labels: why.links.iter().map(label).collect(),
        }),
        Err(answer) => answer,
    }
}

async fn ask(handle: &AgentHandle, question: &str) -> Result<Why, PageAnswer> {
    let question = WhyQuestion::parse(question);
    let question = question.map_err(|wrong| error(StatusCode::BAD_REQUEST, &wrong.to_string()))?;
    let subject = match question {
        WhyQuestion::Subject(subject) => subject,
        WhyQuestion::Page(page) => {
            let found = handle.find_item(&page).await;
            found.map_err(|failed| error(StatusCode::CONFLICT, &failed.to_string()))?
        }
    };
    let why = handle.why(subject).await;
    why.map_err(|failed| error(StatusCode::SERVICE_UNAVAILABLE, &failed.to_string()))
}

fn label(link: &WhyLink) -> &'static str {
    link.step.label()
}
