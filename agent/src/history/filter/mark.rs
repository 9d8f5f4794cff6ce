//! What was found out about an event, as a filter asks for it: `missing:yes`, `verified:no`.

/// Something that was found out, with the word of the filter for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// `missing`: revisions of the item just before it have not arrived.
    Missing,
    /// `duplicate`: an earlier event said the same.
    Duplicate,
    /// `late`: it came after a newer revision of its item.
    Late,
    /// `repaired`: it never came, and was rebuilt from Podio's revisions.
    Repaired,
    /// `verified`: it is a `hook.verify` whose hook is active. Its opposite is one whose hook is not,
    /// as far as is known; an event of another type is neither.
    Verified,
}

impl Mark {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Missing,
        Self::Duplicate,
        Self::Late,
        Self::Repaired,
        Self::Verified,
    ];

    /// The word in front of the colon.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::Repaired => "repaired",
            Self::Verified => "verified",
        }
    }

    /// The mark with this word.
    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mark| mark.word() == word)
    }
}
