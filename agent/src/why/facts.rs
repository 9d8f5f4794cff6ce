//! The known facts about a subject: plain data from Podio, the history and the agent.

use jiff::Timestamp;
use podtap_podio::EventType;
use podtap_podio::client::HookStatus;

use super::Subject;
use crate::history::{EventRow, Loss, Verification};
use crate::hooks::UrlVerdict;
use crate::place::Place;
use crate::status::Status;

/// Everything that a judgement needs.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) subject: Subject,
    pub(crate) now: Timestamp,
    pub(crate) change: PodioChange,
    pub(crate) hooks: KnownHooks,
    /// The newest event of the subject.
    pub(crate) newest: Option<EventRow>,
    /// The oldest waiting event of the same object before the newest one.
    pub(crate) before: Option<EventRow>,
    /// How to fix the loop that contains the object.
    pub(crate) loop_cure: Option<String>,
    /// Webhooks that the relay refused or removed, newest first.
    pub(crate) losses: Vec<Loss>,
    /// Time of the newest event that any of the hooks sent.
    pub(crate) last_fired: Option<Timestamp>,
    /// Whether it is known which URLs belong to this tunnel.
    pub(crate) knows_tunnel: bool,
    /// The app of an item.
    pub(crate) app: Option<u64>,
    /// The status of the agent, which may run in another process.
    pub(crate) status: Status,
}

/// What Podio returned about the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PodioChange {
    /// There is no single change, or Podio cannot be asked about it.
    Unasked(String),
    /// Podio does not return the object.
    Gone(String),
    /// The object exists; Podio keeps no revisions of its kind.
    There,
    /// The newest revision of an item.
    Revision(NewestRevision),
}

/// The newest revision of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewestRevision {
    pub(crate) number: u64,
    pub(crate) event: EventType,
    pub(crate) at: Option<Timestamp>,
    /// Who made it, through which API client.
    pub(crate) by: String,
    /// Whether it was made in Podio itself, where `hook=false` cannot be set.
    pub(crate) by_hand: bool,
    /// Revisions before it that have not arrived, after the first one that has.
    pub(crate) missing: Vec<u64>,
}

/// The hooks that can report the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KnownHooks {
    /// The hooks cannot be listed.
    Unknown(String),
    /// The hooks as Podio lists them.
    Listed {
        /// The hooks that can report the subject.
        able: Vec<HookFact>,
        /// What was searched, in words.
        looked: String,
        /// Places whose hooks could not be listed, with the reason.
        failed: Vec<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HookFact {
    pub(crate) hook_id: u64,
    pub(crate) event: String,
    pub(crate) place: Place,
    pub(crate) status: HookStatus,
    pub(crate) verdict: UrlVerdict,
    pub(crate) created: Option<Timestamp>,
    /// The outcome of its last `hook.verify` here.
    pub(crate) verification: Option<Verification>,
}
