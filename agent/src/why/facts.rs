//! What is known about a subject: plain data, from Podio, the history and the agent.

use jiff::Timestamp;
use podtap_podio::EventType;
use podtap_podio::client::HookStatus;

use super::Subject;
use crate::history::{EventRow, Loss, Verification};
use crate::hooks::UrlVerdict;
use crate::place::Place;
use crate::status::Status;

/// All that a judgment needs.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) subject: Subject,
    pub(crate) now: Timestamp,
    pub(crate) change: PodioChange,
    pub(crate) hooks: KnownHooks,
    /// The newest event of the subject.
    pub(crate) newest: Option<EventRow>,
    /// The oldest event of the same object that waits, before the newest.
    pub(crate) before: Option<EventRow>,
    /// How to fix the loop that the object is in.
    pub(crate) loop_cure: Option<String>,
    /// Webhooks that the relay refused or removed, the newest first.
    pub(crate) losses: Vec<Loss>,
    /// The newest event that any of the hooks sent.
    pub(crate) last_fired: Option<Timestamp>,
    /// Whether it is known which URLs are this tunnel's.
    pub(crate) knows_tunnel: bool,
    /// The app that an item is in.
    pub(crate) app: Option<u64>,
    /// The agent; of another process where one runs.
    pub(crate) status: Status,
}

/// What Podio says of the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PodioChange {
    /// There is no single change to ask about, or it cannot be asked about.
    Unasked(String),
    /// Podio does not show the object.
    Gone(String),
    /// The object is there; of its kind Podio keeps no revisions.
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
    /// Who, through which API client.
    pub(crate) by: String,
    /// Whether it was made in Podio itself, where `hook=false` cannot be set.
    pub(crate) by_hand: bool,
    /// Revisions before it that have not arrived, of those after the first that has.
    pub(crate) missing: Vec<u64>,
}

/// The hooks that can tell about the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KnownHooks {
    /// They cannot be had.
    Unknown(String),
    /// As Podio has them.
    Listed {
        /// Those that can tell.
        able: Vec<HookFact>,
        /// What was looked through, in words.
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
    /// What came of its last `hook.verify` here.
    pub(crate) verification: Option<Verification>,
}
