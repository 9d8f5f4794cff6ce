//! Short notices that disappear after a few seconds.

use jiff::{SignedDuration, Timestamp};

use crate::theme::Role;

/// How long a notice stays: long enough to read a line twice.
const STAY: SignedDuration = SignedDuration::from_secs(5);

/// Maximum number of notices. Above that, the oldest is removed.
const MOST: usize = 3;

/// The notices on the screen, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Toasts(Vec<Toast>);

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toast {
    /// The meaning of the notice, which decides its appearance.
    pub(crate) role: Role,
    pub(crate) text: String,
    until: Timestamp,
}

impl Toasts {
    /// Shows a notice from `now` on.
    pub(crate) fn show(&mut self, role: Role, text: impl Into<String>, now: Timestamp) {
        let until = now.saturating_add(STAY).unwrap_or(Timestamp::MAX);
        self.0.push(Toast {
            role,
            text: text.into(),
            until,
        });
        let excess = self.0.len().saturating_sub(MOST);
        self.0.drain(..excess);
    }

    /// Removes the notices that were shown long enough. Returns whether it removed any.
    pub(crate) fn tick(&mut self, now: Timestamp) -> bool {
        let before = self.0.len();
        self.0.retain(|toast| toast.until > now);
        self.0.len() != before
    }

    /// Returns the notices, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Toast> {
        self.0.iter()
    }
}
