//! The only door to a running agent: commands in, status and changes out.

use podtap_wire::{EventId, Seq};
use tokio::sync::{broadcast, watch};

use crate::history::{Attempt, History, Position};
use crate::replay::{Replay, ReplayError, Replayer};
use crate::status::{LinkState, Status};

/// Changes kept for a reader that lags; one that falls further behind reads the history again.
pub const CHANGE_BUFFER: usize = 4096;

/// A handle on an agent. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AgentHandle {
    pub(crate) history: History,
    pub(crate) status: watch::Receiver<Status>,
    pub(crate) changes: broadcast::Sender<Change>,
    pub(crate) replayer: Replayer,
}

impl AgentHandle {
    /// The history, for reading.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The status, now and as it changes.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Changes from now on. A change is a hint to read the history again, never the data: a
    /// lagged reader loses nothing.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Sends an event to a local service once more, at once, beside the lanes; returns when the
    /// attempt has ended and is in the history. Works with and without a link.
    pub async fn replay(&self, replay: Replay) -> Result<Attempt, ReplayError> {
        self.replayer.replay(replay).await
    }
}

/// Something in the history, or about the link, is not what it was.
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
    /// The link changed its state.
    Link(LinkState),
    /// The relay removed events before any agent took them.
    Gap {
        /// The first one gone.
        from: Seq,
        /// The last one gone, inclusive.
        to: Seq,
        /// Which limit, in words.
        reason: String,
    },
    /// Another process wrote to the history.
    Elsewhere,
}
