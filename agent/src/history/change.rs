//! What the history announces: that something changed, never what it is now.

use podtap_podio::ObjectRef;
use podtap_wire::EventId;

use super::finding::LoopFinding;
use super::hook_news::HookNews;
use super::incident::Incident;
use super::insight::Verification;
use super::position::Position;

/// Something in the history is not what it was: announced after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryChange {
    /// New events, up to and including this position.
    Appended { through: Position },
    /// An attempt of this event ended, or the event changed in another way.
    Touched { position: Position, event: EventId },
    /// Events never came, or a clock was set.
    Incident(Incident),
    /// The validation of a `hook.verify` has ended.
    Verified {
        /// Where the event is.
        position: Position,
        event: EventId,
        /// The hook, where the event names one.
        hook_id: Option<u64>,
        /// What came of it.
        verification: Verification,
    },
    /// A loop was found.
    Loop(Box<LoopFinding>),
    /// A hook is not as it was.
    Hook(Box<HookNews>),
    /// This object's events are held from now on.
    Held(ObjectRef),
    /// This object's events are delivered again from now on.
    Released(ObjectRef),
    /// More is known of what events are about, or of what hooks are on: every row may look different.
    Named,
    /// Another process wrote to the history, or many events changed at once.
    Elsewhere,
}
