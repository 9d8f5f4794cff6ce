//! Short notices that come and go by themselves.

use jiff::{SignedDuration, Timestamp};

use crate::theme::Role;

/// How long a notice stays: long enough to read a line twice.
const STAY: SignedDuration = SignedDuration::from_secs(5);

/// Notices kept at once; the newest are the ones to read.
const MOST: usize = 3;

/// The notices on the screen, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Toasts(Vec<Toast>);

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Toast {
    /// What it says about: how it looks.
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

    /// Takes away what has been there long enough; says whether anything was.
    pub(crate) fn tick(&mut self, now: Timestamp) -> bool {
        let before = self.0.len();
        self.0.retain(|toast| toast.until > now);
        self.0.len() != before
    }

    /// The notices, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Toast> {
        self.0.iter()
    }
}
