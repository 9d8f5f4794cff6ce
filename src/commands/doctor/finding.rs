//! What was found at a link of the way.

use super::part::Part;
use crate::failure::Failure;

/// How a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkMark {
    Good,
    /// It works, and something should be known.
    Doubtful,
    Broken,
    /// It was not looked at.
    Skipped,
}

/// How a link is, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinkFinding {
    pub(crate) mark: LinkMark,
    /// May hold words from outside: escape it before it is shown.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) fix: Option<String>,
    /// The link that has to be mended first.
    pub(crate) needs: Option<Part>,
}

impl LinkFinding {
    pub(crate) fn good(detail: impl Into<String>) -> Self {
        Self::new(LinkMark::Good, detail)
    }

    pub(crate) fn doubtful(detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(LinkMark::Doubtful, detail).fix(fix)
    }

    pub(crate) fn broken(detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(LinkMark::Broken, detail).fix(fix)
    }

    /// There is nothing to look at.
    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        Self::new(LinkMark::Skipped, why)
    }

    /// Another link has to be mended first.
    pub(crate) fn needs(part: Part) -> Self {
        Self {
            needs: Some(part),
            ..Self::new(LinkMark::Skipped, format!("needs {}", part.with_article()))
        }
    }

    /// A setting of it is wrong, which the link of the settings says.
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
