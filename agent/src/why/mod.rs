//! Explains why something arrived or did not: the path of one change from Podio to the local
//! service, link by link. `gather` collects what Podio, the history and the agent know; `judge`
//! decides and is pure.

mod facts;
mod gather;
mod judge;
mod object;
mod page;
mod subject;

use podtap_wire::EventId;

pub use crate::figures::Holds;
pub(crate) use gather::Gatherer;
pub use object::WhyObject;
pub use page::{FindItemError, ITEM_NOT_FOUND, ItemPage};
pub use subject::{NoSubject, Subject, WhyQuestion};

/// The outcome, and how it is known. Texts contain names
/// and Podio's words: escape them before showing them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The subject of the question.
    pub subject: Subject,
    /// The event that reports the subject, once it is in the history.
    pub event: Option<EventId>,
    /// The answer, from a fixed set.
    pub cause: Cause,
    /// The answer in one sentence.
    pub conclusion: String,
    /// What to do; `None` if nothing needs to be done.
    pub cure: Option<String>,
    /// The links of the path, in order.
    pub links: Vec<WhyLink>,
}

/// One link of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyLink {
    pub step: WhyStep,
    /// Whether the link holds.
    pub holds: Holds,
    /// How this is known, or why it is not.
    pub reason: String,
}

/// A link of the path, from the change in Podio to the local service's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WhyStep {
    /// Podio knows the change.
    Change,
    /// A hook for the event exists.
    Hook,
    /// The hook is active.
    Active,
    /// The hook leads to this tunnel.
    LeadsHere,
    /// Podio called the hook.
    Fired,
    /// The relay accepted the webhook.
    Relay,
    /// The agent has stored the event.
    Agent,
    /// The event was offered to the local service.
    Delivery,
    /// The local service answered with success.
    Answer,
}

impl WhyStep {
    /// Returns its name for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Hook => "hook",
            Self::Active => "active",
            Self::LeadsHere => "leads-here",
            Self::Fired => "fired",
            Self::Relay => "relay",
            Self::Agent => "agent",
            Self::Delivery => "delivery",
            Self::Answer => "answer",
        }
    }

    /// Returns its label for a screen.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Change => "changed in Podio",
            Self::Hook => "a hook exists",
            Self::Active => "the hook is active",
            Self::LeadsHere => "the hook leads here",
            Self::Fired => "Podio called it",
            Self::Relay => "the relay accepted it",
            Self::Agent => "the agent received it",
            Self::Delivery => "delivered",
            Self::Answer => "answered",
        }
    }
}

/// The cause that the answer names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The event arrived, and the local service answered with success.
    Answered,
    /// Podio does not return such an object.
    NoChange,
    /// No hook reports it.
    NoHook,
    /// The hook is not active.
    HookInactive,
    /// The hook leads to another target, or to one that Podio cannot call.
    HookElsewhere,
    /// The hook was created after the change.
    HookYounger,
    /// The change was probably written with `hook=false`.
    HookFalse,
    /// The relay refused webhooks at that time.
    Refused,
    /// A limit of the relay removed the event before an agent received it.
    Removed,
    /// No agent is running.
    NoAgent,
    /// The agent is not connected to the relay.
    LinkDown,
    /// Events wait on the relay.
    OnRelay,
    /// The event was not to be delivered: there was no local service.
    Held,
    /// Its object is in a loop, and the events of the object are held.
    HeldLoop,
    /// The local service cannot be reached.
    ServiceDown,
    /// The event waits for an earlier event of its object, or for its turn.
    Waiting,
    /// The local service did not answer.
    NoAnswer,
    /// The local service answered with an error.
    ErrorAnswer,
    /// A `hook.verify` that was not validated.
    NotVerified,
    /// Podio may still call.
    NotYet,
    /// No known fact explains it.
    Unknown,
}

impl Cause {
    /// Returns its name for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::NoChange => "no-change",
            Self::NoHook => "no-hook",
            Self::HookInactive => "hook-inactive",
            Self::HookElsewhere => "hook-elsewhere",
            Self::HookYounger => "hook-younger",
            Self::HookFalse => "hook-false",
            Self::Refused => "refused",
            Self::Removed => "removed",
            Self::NoAgent => "no-agent",
            Self::LinkDown => "link-down",
            Self::OnRelay => "on-relay",
            Self::Held => "held",
            Self::HeldLoop => "held-loop",
            Self::ServiceDown => "service-down",
            Self::Waiting => "waiting",
            Self::NoAnswer => "no-answer",
            Self::ErrorAnswer => "error-answer",
            Self::NotVerified => "not-verified",
            Self::NotYet => "not-yet",
            Self::Unknown => "unknown",
        }
    }
}
