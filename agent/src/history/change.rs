//! Changes that the history announces. An announcement
//! says that something changed, not its new value.

use podtap_podio::ObjectRef;
use podtap_wire::EventId;

use super::finding::LoopFinding;
use super::hook_news::HookNews;
use super::incident::Incident;
use super::insight::Verification;
use super::position::Position;

/// A change of the history, announced after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryChange {
    /// New events, up to and including this position.
    Appended { through: Position },
    /// An attempt of this event ended, or the event changed in another way.
    Touched { position: Position, event: EventId },
    /// Events were lost, or a clock was set.
    Incident(Incident),
    /// The validation of a `hook.verify` has ended.
    Verified {
        /// The event's position.
        position: Position,
        event: EventId,
        /// The hook, if the event names one.
        hook_id: Option<u64>,
        /// The outcome.
        verification: Verification,
    },
    /// A loop was found.
    Loop(Box<LoopFinding>),
    /// The condition of a hook changed.
    Hook(Box<HookNews>),
    /// From now on, events of this object are held.
    Held(ObjectRef),
    /// From now on, events of this object are delivered again.
    Released(ObjectRef),
    /// The name of an object or the place of a hook became known: every row may look different.
    Named,
    /// Another process wrote to the history, or many events changed at once.
    Elsewhere,
}
