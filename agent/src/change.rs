//! Changes that a running agent announces: of the history, and of the link.

use crate::history;
use crate::status::LinkState;

/// Number of changes buffered for a reader that lags;
/// a reader further behind reads the history again.
pub(crate) const CHANGE_BUFFER: usize = 4096;

/// A change: a hint to read again, without data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The history changed.
    History(history::HistoryChange),
    /// The link changed its state.
    Link(LinkState),
}
