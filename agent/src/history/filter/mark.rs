//! What the agent found out about an event, as a filter asks for it: `missing:yes`, `verified:no`.

/// A mark of an event, with its word in the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// `missing`: revisions of the item just before it have not arrived.
    Missing,
    /// `duplicate`: an earlier event has the same content.
    Duplicate,
    /// `late`: it came after a newer revision of its item.
    Late,
    /// `repaired`: its webhook never arrived, and it was rebuilt from Podio's revisions.
    Repaired,
    /// `verified`: it is a `hook.verify` whose hook is active. The opposite is a `hook.verify`
    /// whose hook is not known to be active; an event of another type is neither.
    Verified,
}

impl Mark {
    /// Every mark.
    pub const ALL: &[Self] = &[
        Self::Missing,
        Self::Duplicate,
        Self::Late,
        Self::Repaired,
        Self::Verified,
    ];

    /// Returns the word before the colon.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::Repaired => "repaired",
            Self::Verified => "verified",
        }
    }

    /// Returns the mark with this word.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mark| mark.word() == word)
    }
}
