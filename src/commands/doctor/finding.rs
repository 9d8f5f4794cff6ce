//! The result of checking a link.

use super::part::Part;
use crate::failure::Failure;

/// The state of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkMark {
    Good,
    /// The link works, but the person should know something.
    Doubtful,
    Broken,
    /// The link was not checked.
    Skipped,
}

/// The state of a link, described for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinkFinding {
    pub(crate) mark: LinkMark,
    /// May contain text from outside: escape it before it is shown.
    pub(crate) detail: String,
    /// How to fix the link.
    pub(crate) fix: Option<String>,
    /// The link that must be fixed first.
    pub(crate) needs: Option<Part>,
}

impl LinkFinding {
    pub(crate) fn good(detail: impl Into<String>) -> Self {
        Self::new(LinkMark::Good, detail)
    }

    pub(crate) fn doubtful(detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(LinkMark::Doubtful, detail).fix(fix)
    }

    pub(crate) fn new_broken(detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(LinkMark::Broken, detail).fix(fix)
    }

    /// Returns the finding for a link with nothing to check.
    pub(crate) fn new_skipped(why: impl Into<String>) -> Self {
        Self::new(LinkMark::Skipped, why)
    }

    /// Returns the finding for a link that needs another link to be fixed first.
    pub(crate) fn needs(part: Part) -> Self {
        Self {
            needs: Some(part),
            ..Self::new(LinkMark::Skipped, format!("needs {}", part.with_article()))
        }
    }

    /// Returns the finding for a link with a wrong setting.
    /// The check of the settings reports the failure.
    pub(crate) fn of_setting(_: Failure) -> Self {
        Self::needs(Part::Settings)
    }

    fn new(mark: LinkMark, detail: impl Into<String>) -> Self {
        Self {
            mark,
            detail: detail.into(),
            fix: None,
            needs: None,
        }
    }

    fn fix(self, fix: impl Into<String>) -> Self {
        Self {
            fix: Some(fix.into()),
            ..self
        }
    }
}

/// A link with what was found there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinkCheck {
    pub(crate) part: Part,
    pub(crate) finding: LinkFinding,
}
