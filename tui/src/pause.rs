//! The screen held still: what changes meanwhile is kept, and counted.

use podtap_agent::history::Position;

use crate::changes::Changes;

/// Whether the screen is held still, and since when.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pause {
    held: Option<Held>,
}

#[derive(Debug, Clone)]
struct Held {
    /// What changed since.
    changes: Changes,
    /// The newest event then.
    newest: Option<Position>,
}

impl Pause {
    /// Whether the screen is held still.
    pub(crate) fn is_on(&self) -> bool {
        self.held.is_some()
    }

    /// Holds the screen still, or lets it go on with what has changed since.
    pub(crate) fn toggle(&mut self, newest: Option<Position>) -> Option<Changes> {
        if let Some(held) = self.held.take() {
            return Some(held.changes);
        }
        self.held = Some(Held {
            changes: Changes::default(),
            newest,
        });
        None
    }

    /// Keeps these for later; says whether it does.
    pub(crate) fn keep(&mut self, changes: &Changes) -> bool {
        let held = self.held.as_mut();
        held.map(|held| held.changes.join(changes)).is_some()
    }

    /// Events that came since the screen is held still; `None` while it is not.
    pub(crate) fn held_back(&self) -> Option<u64> {
        let held = self.held.as_ref()?;
        let Some(newest) = held.newest else {
            return Some(0);
        };
        let through = held.changes.appended.unwrap_or(newest);
        Some(u64::try_from(through.0.saturating_sub(newest.0)).unwrap_or(0))
    }
}
