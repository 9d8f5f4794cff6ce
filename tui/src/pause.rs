//! Pauses the screen. Changes that come meanwhile are collected and counted.

use podtap_agent::history::Position;

use crate::changes::Changes;

/// Whether the screen is paused, and the changes since then.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pause {
    held: Option<HeldScreen>,
}

#[derive(Debug, Clone)]
struct HeldScreen {
    /// The changes since the screen was paused.
    changes: Changes,
    /// The newest event at that time.
    newest: Option<Position>,
}

impl Pause {
    /// Returns whether the screen is paused.
    pub(crate) fn is_on(&self) -> bool {
        self.held.is_some()
    }

    /// Pauses the screen, or continues and returns the changes since it was paused.
    pub(crate) fn toggle(&mut self, newest: Option<Position>) -> Option<Changes> {
        if let Some(held) = self.held.take() {
            return Some(held.changes);
        }
        self.held = Some(HeldScreen {
            changes: Changes::default(),
            newest,
        });
        None
    }

    /// Collects these changes if the screen is paused. Returns whether it is.
    pub(crate) fn keep(&mut self, changes: &Changes) -> bool {
        let held = self.held.as_mut();
        held.map(|held| held.changes.join(changes)).is_some()
    }

    /// Returns the number of events that arrived since the screen was
    /// paused; `None` if it is not paused.
    pub(crate) fn held_back(&self) -> Option<u64> {
        let held = self.held.as_ref()?;
        let Some(newest) = held.newest else {
            return Some(0);
        };
        let through = held.changes.appended.unwrap_or(newest);
        Some(u64::try_from(through.0.saturating_sub(newest.0)).unwrap_or(0))
    }
}
