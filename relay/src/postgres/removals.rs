//! Describes removals, and collects acknowledgements whose events are still in the database.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use podtap_wire::Seq;
use tokio::sync::oneshot;

use crate::queue::{QueueError, SessionId, TunnelId};

/// Number of acknowledged events from which they are removed at once instead of periodically.
const MANY: u64 = 1024;

/// How far a removal goes, and why.
#[derive(Debug, Clone, Copy)]
pub(super) enum SessionRemovalBound {
    /// The agent of session `by` has acknowledged all events up to `through`.
    Acknowledged { by: SessionId, through: Seq },
    /// A limit removes all events up to this one.
    Expired(Seq),
}

/// Removal from one queue.
#[derive(Debug)]
pub(super) struct QueueRemoval {
    pub(super) tunnel: TunnelId,
    pub(super) until: SessionRemovalBound,
    pub(super) reply: Option<oneshot::Sender<Result<(), QueueError>>>,
}

impl QueueRemoval {
    pub(super) fn answer(self, answer: Result<(), QueueError>) {
        if let Some(reply) = self.reply {
            // The receiver may be gone if the caller was cancelled.
            let _ = reply.send(answer);
        }
    }
}

/// Acknowledgements for which no caller waits. After a crash they are lost and the events
/// are sent again; the agent's history recognizes them.
#[derive(Debug, Default)]
pub(super) struct PendingAcknowledgements(Mutex<RemovalsState>);

#[derive(Debug, Default)]
struct RemovalsState {
    through: HashMap<TunnelId, (SessionId, Seq)>,
    events: u64,
}

impl PendingAcknowledgements {
    /// Records that an agent has everything up to `through`. Returns whether the number of events
    /// to remove has just reached [`MANY`].
    pub(super) fn note(&self, tunnel: TunnelId, by: SessionId, through: Seq) -> bool {
        let mut state = self.lock();
        let known = state.through.get(&tunnel).copied().unwrap_or_default();
        if (by, through) <= known {
            return false;
        }
        let events = through.0.saturating_sub(known.1.0);
        state.through.insert(tunnel, (by, through));
        let before = state.events;
        state.events = before.saturating_add(events);
        before < MANY && state.events >= MANY
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().through.is_empty()
    }

    /// Returns all acknowledgements as removals, and forgets them.
    pub(super) fn take(&self) -> Vec<QueueRemoval> {
        let taken = std::mem::take(&mut *self.lock());
        let removal = |(tunnel, (by, through))| QueueRemoval {
            tunnel,
            until: SessionRemovalBound::Acknowledged { by, through },
            reply: None,
        };
        taken.through.into_iter().map(removal).collect()
    }

    fn lock(&self) -> MutexGuard<'_, RemovalsState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
