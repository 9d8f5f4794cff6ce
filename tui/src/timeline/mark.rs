//! One cell for each entry: whose change it was. Shapes differ, so that a loop is seen without
//! colour.

use podtap_agent::figures::TimelineEntry;

use crate::theme::Role;

/// Whose change it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeMark {
    /// Made with the credentials that are used here.
    Own,
    /// Made by others.
    Other,
    /// Made by somebody, of whom it is not known whether these are the credentials used here.
    Someone,
    /// Podio was not asked.
    Unknown,
    /// It never came.
    Missing,
}

impl ChangeMark {
    /// Every mark, in the order of the legend.
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

    /// Colour and cell.
    pub(super) const fn cell(self) -> (Role, &'static str) {
        match self {
            Self::Own => (Role::Warning, "◆"),
            Self::Other => (Role::Ok, "○"),
            Self::Someone => (Role::Plain, "•"),
            Self::Unknown => (Role::Quiet, "?"),
            Self::Missing => (Role::Failed, "┄"),
        }
    }

    /// What it stands for.
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
