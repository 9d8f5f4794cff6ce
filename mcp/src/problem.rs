//! Why a tool has no answer, for who called it: what is wrong, and what to do.

use std::error::Error;

use podtap_agent::history::HistoryError;
use podtap_agent::reason::chain;
use serde_json::{Value, json};

/// A call that came to nothing.
#[derive(Debug)]
pub struct ToolProblem {
    /// What is wrong, lower-case and without a full stop; words of ours.
    pub(crate) what: String,
    /// What to do.
    pub(crate) cure: Option<String>,
    /// What others said or sent, which is fenced like everything from outside.
    pub(crate) captured: Vec<Value>,
}

impl ToolProblem {
    /// With these words.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            cure: None,
            captured: Vec::new(),
        }
    }

    /// With what to do.
    #[must_use]
    pub fn hint(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// Because of an error, in which Podio's words may be.
    pub(crate) fn because(what: &str, error: &(dyn Error + 'static)) -> Self {
        Self::new(what).with(vec![json!({ "error": chain(error) })])
    }

    /// With what came instead.
    pub(crate) fn with(mut self, captured: Vec<Value>) -> Self {
        self.captured = captured;
        self
    }
}

impl From<HistoryError> for ToolProblem {
    fn from(error: HistoryError) -> Self {
        Self::because("the history cannot be used", &error)
            .hint("call again; if it lasts, run `podtap doctor`")
    }
}
