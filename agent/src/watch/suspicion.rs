//! A suspected loop, until Podio has named the maker of the changes. Pure.

use jiff::{SignedDuration, Timestamp};
use podtap_podio::ObjectRef;

use crate::history::{LoopFinding, Maker};

/// Time for which Podio is not asked again, if others or an unknown maker made the changes.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// Events that look like a loop by their times.
#[derive(Debug, Clone)]
pub(super) struct Suspicion {
    /// The finding to report; its maker is still unknown.
    pub(super) finding: LoopFinding,
    /// Whether it is reported only if Podio confirms that our own client makes the changes.
    pub(super) needs_proof: bool,
    pub(super) subject: Suspect,
}

/// The suspected objects or hook.
#[derive(Debug, Clone)]
pub(super) enum Suspect {
    /// These objects, each with its hook.
    Objects(Vec<(u64, ObjectRef)>),
    /// The new objects that this hook reports.
    Additions(u64),
}

/// The state of the question about a suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuestionState {
    Never,
    UnderWay,
    /// It is a loop, and was reported.
    Told,
    /// Others make the changes; valid until this time.
    Others(Timestamp),
    /// The maker is unknown; until this time only evidence that needs no proof counts.
    NoAnswer(Timestamp),
}

impl QuestionState {
    pub(super) fn others(now: Timestamp) -> Self {
        Self::Others(later(now))
    }

    pub(super) fn no_answer(now: Timestamp) -> Self {
        Self::NoAnswer(later(now))
    }

    /// Returns whether Podio may be asked, or a loop reported, now.
    pub(super) fn allows(self, needs_proof: bool, now: Timestamp) -> bool {
        match self {
            Self::Never => true,
            Self::UnderWay | Self::Told => false,
            Self::Others(until) => now >= until,
            Self::NoAnswer(until) => !needs_proof || now >= until,
        }
    }
}

impl Suspicion {
    /// Decides what to do, once the maker of the changes is known or cannot be found.
    pub(super) fn judge(&self, maker: &Maker, by_hand: bool, now: Timestamp) -> QuestionState {
        match maker {
            Maker::Unknown { .. } if self.needs_proof => QuestionState::no_answer(now),
            // Changes that a person makes in Podio do not come from a program.
            Maker::Other { .. } if by_hand || self.needs_proof => QuestionState::others(now),
            Maker::Own { .. } | Maker::Unknown { .. } | Maker::Other { .. } => QuestionState::Told,
        }
    }
}

fn later(now: Timestamp) -> Timestamp {
    now.saturating_add(ASK_AGAIN).unwrap_or(Timestamp::MAX)
}
