//! What the agent found out about an event, beside what the event says itself.

use super::position::Position;
use crate::place::Place;

/// Everything that was found out about one event. The default: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Insight {
    /// What came of the validation of a `hook.verify`; `None` before it has ended.
    pub verification: Option<Verification>,
    /// The earlier event that said the same.
    pub duplicate: Option<Duplicate>,
    /// So many revisions of the item just before this one never arrived. They were lost, or
    /// written with `hook=false`: nothing tells which.
    pub missing: u64,
    /// The newest revision of the item that had arrived before this older one: it came out of order.
    pub late: Option<u64>,
    /// It never came: it was rebuilt from what Podio tells of its item.
    pub repaired: bool,
    /// What the hook is on, where that is known.
    pub place: Option<Place>,
    /// Why the event is [held]; `None` of a held one means that there was no local service.
    ///
    /// [held]: super::DeliveryState::Held
    pub hold: Option<HoldReason>,
}

/// What came of the validation of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// Podio took the code.
    Validated,
    /// Podio refused the code, but the hook is active: somebody else, such as the local service,
    /// was first with the same code.
    ActiveAnyway,
    /// The hook is not known to be active.
    Failed {
        /// Why, in words; Podio's own among them.
        reason: String,
    },
}

impl Verification {
    /// Whether the hook is active.
    pub const fn is_ok(&self) -> bool {
        !matches!(self, Self::Failed { .. })
    }
}

/// An event that said the same before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duplicate {
    /// The first that said it.
    pub of: Position,
    /// Whether the same hook sent both; otherwise another hook, perhaps a forgotten one, is there
    /// for the same events.
    pub same_hook: bool,
}

/// Why an event is kept without being delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldReason {
    /// Its object is in a loop, and loops shall be broken.
    Loop,
    /// It is a `hook.verify`, which is not for the local service.
    Verify,
    /// There are routes, and none of them takes it.
    NoRoute,
}
