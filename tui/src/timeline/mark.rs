//! The mark of each entry: one cell that shows who made the change. The shapes differ, so that
//! a loop is visible without colour.

use podtap_agent::figures::TimelineEntry;

use crate::theme::Role;

/// Who made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeMark {
    /// Made with the credentials that this agent uses.
    Own,
    /// Made with other credentials.
    Other,
    /// Made with credentials of which it is not known whether this agent uses them.
    Someone,
    /// Podio was not asked.
    Unknown,
    /// The event never arrived.
    Missing,
}

impl ChangeMark {
    /// All marks, in the order of the legend.
    pub(super) const ALL: [Self; 5] = [
        Self::Own,
        Self::Other,
        Self::Someone,
        Self::Unknown,
        Self::Missing,
    ];

    pub(super) fn of(entry: &TimelineEntry) -> Self {
        let TimelineEntry::Event(event) = entry else {
            return Self::Missing;
        };
        match event.author.as_ref().map(|author| author.own) {
            Some(Some(true)) => Self::Own,
            Some(Some(false)) => Self::Other,
            Some(None) => Self::Someone,
            None => Self::Unknown,
        }
    }

    /// Returns the colour and the character.
    pub(super) const fn cell(self) -> (Role, &'static str) {
        match self {
            Self::Own => (Role::Warning, "◆"),
            Self::Other => (Role::Ok, "○"),
            Self::Someone => (Role::Plain, "•"),
            Self::Unknown => (Role::Quiet, "?"),
            Self::Missing => (Role::Failed, "┄"),
        }
    }

    /// Returns the meaning of the mark, for the legend.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Own => "your client",
            Self::Other => "others",
            Self::Someone => "someone",
            Self::Unknown => "not asked",
            Self::Missing => "never came",
        }
    }
}
