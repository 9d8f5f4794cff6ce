//! What the agent found out about an event, in addition to the event's own content.

use super::position::Position;
use crate::place::Place;

/// Everything that was found out about one event. The default is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Insight {
    /// The outcome of the validation of a `hook.verify`; `None` before the validation has ended.
    pub verification: Option<Verification>,
    /// The earlier event that this event repeats.
    pub duplicate: Option<Duplicate>,
    /// Number of revisions of the item just before this one that did not arrive. They were lost or
    /// written with `hook=false`; nothing shows which.
    pub missing: u64,
    /// The newest revision of the item that arrived before this older one, out of order.
    pub late: Option<u64>,
    /// Whether the webhook never arrived and the event
    /// was rebuilt from Podio's data about its item.
    pub repaired: bool,
    /// The place of the hook, if known.
    pub place: Option<Place>,
    /// Why the event is [held]; `None` for a held event means that there was no local service.
    ///
    /// [held]: super::DeliveryState::Held
    pub hold: Option<HoldReason>,
}

/// The outcome of the validation of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// Podio accepted the code.
    Validated,
    /// Podio refused the code, but the hook is active: another receiver, such as the local service,
    /// sent the same code first.
    ActiveAnyway,
    /// The hook is not known to be active.
    Failed {
        /// The reason, in words, including Podio's own.
        reason: String,
    },
}

impl Verification {
    /// Returns whether the hook is active.
    pub const fn is_ok(&self) -> bool {
        !matches!(self, Self::Failed { .. })
    }
}

/// A reference to the earlier event that an event repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duplicate {
    /// The first event with the same content.
    pub of: Position,
    /// Whether the same hook sent both. Otherwise another
    /// hook, perhaps a forgotten one, sends the same events.
    pub same_hook: bool,
}

/// Why an event is stored without being delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldReason {
    /// Its object is in a loop, and loops are to be broken.
    Loop,
    /// It is a `hook.verify`, which is not for the local service.
    Verify,
    /// There are routes, and the event matches none of them.
    NoRoute,
}
