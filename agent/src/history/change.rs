//! What the history announces: that something changed, never what it is now.

use jiff::Timestamp;
use podtap_podio::ObjectRef;
use podtap_wire::{EventId, Seq};

use super::clock_set::ClockSet;
use super::finding::LoopFinding;
use super::hook_news::HookNews;
use super::insight::Verification;
use super::position::Position;

/// Something in the history is not what it was: announced after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// New events, up to and including this position.
    Appended {
        /// The newest one.
        through: Position,
    },
    /// An attempt of this event ended, or the event changed in another way.
    Touched {
        /// Where it is.
        position: Position,
        /// Which one.
        event: EventId,
    },
    /// The relay removed events before any agent took them.
    Gap {
        /// The first one gone.
        from: Seq,
        /// The last one gone, inclusive.
        to: Seq,
        /// Which limit, in words.
        reason: String,
    },
    /// The relay turned webhooks away: no event was made of them.
    Refused {
        /// How many, since it was told last.
        count: u64,
        /// Why, in the relay's words.
        reason: String,
        /// When the last one was.
        last_at: Timestamp,
    },
    /// A clock was set.
    ClockSet(ClockSet),
    /// The validation of a `hook.verify` has ended.
    Verified {
        /// Where the event is.
        position: Position,
        /// Which one.
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
    /// Another process wrote to the history.
    Elsewhere,
}
