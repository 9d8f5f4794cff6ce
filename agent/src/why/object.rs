//! Serializes the answer of `why` according to the schema.

use podtap_wire::EventId;
use serde::Serialize;

use super::{Holds, Why};
use crate::export::json::line;

/// Why something arrived or did not.
#[derive(Debug, Serialize)]
pub struct WhyObject<'a> {
    subject: String,
    cause: &'static str,
    conclusion: &'a str,
    cure: Option<&'a str>,
    id: Option<EventId>,
    links: Vec<WhyStepObject<'a>>,
}

/// One link of the path.
#[derive(Debug, Serialize)]
struct WhyStepObject<'a> {
    step: &'static str,
    holds: Option<bool>,
    reason: &'a str,
}

impl WhyObject<'_> {
    /// Returns the object as one line, without the line's end.
    pub fn to_line(&self) -> String {
        line("why", self)
    }
}

impl<'a> From<&'a Why> for WhyObject<'a> {
    fn from(answer: &'a Why) -> Self {
        let links = answer.links.iter().map(|link| WhyStepObject {
            step: link.step.word(),
            holds: match link.holds {
                Holds::Yes => Some(true),
                Holds::No => Some(false),
                Holds::Unknown => None,
            },
            reason: &link.reason,
        });
        Self {
            subject: answer.subject.to_string(),
            cause: answer.cause.word(),
            conclusion: &answer.conclusion,
            cure: answer.cure.as_deref(),
            id: answer.event,
            links: links.collect(),
        }
    }
}
