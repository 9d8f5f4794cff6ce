//! What a running agent announces: changes of the history, and of the link.

use crate::history;
use crate::status::LinkState;

/// Changes kept for a reader that lags; one that falls further behind reads the history again.
pub(crate) const CHANGE_BUFFER: usize = 4096;

/// Something is not what it was. A hint to read again, never the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Something in the history.
    History(history::HistoryChange),
    /// The link changed its state.
    Link(LinkState),
}
