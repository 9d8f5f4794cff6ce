//! What looks like a loop, until Podio has said who makes the changes. Pure.

use jiff::{SignedDuration, Timestamp};
use podtap_podio::ObjectRef;

use crate::history::{LoopFinding, Maker};

/// How long nobody is asked again about what others, or nobody known, did.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// Something that looks like a loop by its times.
#[derive(Debug, Clone)]
pub(super) struct Suspicion {
    /// What would be told; its maker is to be asked for.
    pub(super) finding: LoopFinding,
    /// Whether only Podio's word that it is our own client makes it an alarm.
    pub(super) needs_proof: bool,
    pub(super) subject: Suspect,
}

/// Who is under suspicion.
#[derive(Debug, Clone)]
pub(super) enum Suspect {
    /// These objects, each with its hook.
    Objects(Vec<(u64, ObjectRef)>),
    /// Whatever this hook tells of as new.
    Additions(u64),
}

/// How far the question is, of one suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuestionState {
    Never,
    UnderWay,
    /// It is a loop, and everybody was told.
    Told,
    /// It is others' doing, as long as that may be believed.
    Others(Timestamp),
    /// Nobody could say; until then only what is clear by itself counts.
    NoAnswer(Timestamp),
}

impl QuestionState {
    pub(super) fn others(now: Timestamp) -> Self {
        Self::Others(later(now))
    }

    pub(super) fn no_answer(now: Timestamp) -> Self {
        Self::NoAnswer(later(now))
    }

    /// Whether there is something to be asked, or told, now.
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
    /// What is to be done, now that it is known, or known to be unknown, who makes the changes.
    pub(super) fn judge(&self, maker: &Maker, by_hand: bool, now: Timestamp) -> QuestionState {
        match maker {
            Maker::Unknown { .. } if self.needs_proof => QuestionState::no_answer(now),
            // What a person does in Podio is no business of any program.
            Maker::Other { .. } if by_hand || self.needs_proof => QuestionState::others(now),
            Maker::Own { .. } | Maker::Unknown { .. } | Maker::Other { .. } => QuestionState::Told,
        }
    }
}

fn later(now: Timestamp) -> Timestamp {
    now.saturating_add(ASK_AGAIN).unwrap_or(Timestamp::MAX)
}
