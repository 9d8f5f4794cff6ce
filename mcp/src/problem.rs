//! Why a tool has no answer, for the caller: what is wrong, and what to do.

use std::error::Error;

use podtap_agent::history::HistoryError;
use podtap_agent::reason::chain;
use serde_json::{Value, json};

/// What to do if there are no Podio credentials.
pub(crate) const ASK_FOR_CREDENTIALS: &str =
    "ask the user to set Podio credentials for the server, or to run `podtap login`";

/// The problem that ended a call.
#[derive(Debug)]
pub struct ToolProblem {
    /// What is wrong, in lower case and without a full stop. It never contains captured data.
    pub(crate) what: String,
    /// What to do about the problem.
    pub(crate) cure: Option<String>,
    /// Data from outside that belongs to the problem. It is put between the
    /// marks like all captured data.
    pub(crate) captured: Vec<Value>,
}

impl ToolProblem {
    /// Creates a problem with these words.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            cure: None,
            captured: Vec::new(),
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// Creates a problem because of an error, whose text may come from
    /// Podio and so counts as captured.
    pub(crate) fn because(what: &str, error: &(dyn Error + 'static)) -> Self {
        Self::new(what).with(vec![json!({ "error": chain(error) })])
    }

    /// Adds captured data.
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
