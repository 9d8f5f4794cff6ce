//! What is to be removed, and acknowledgements whose events are still in the database.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use podtap_wire::Seq;
use tokio::sync::oneshot;

use crate::queue::{QueueError, SessionId, TunnelId};

/// Acknowledged events from which on their removal waits for no clock.
const MANY: u64 = 1024;

/// How far a removal goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum SessionRemovalBound {
    /// An agent has everything up to here, as this session says.
    Acknowledged { by: SessionId, through: Seq },
    /// A limit took everything up to here.
    Expired(Seq),
}

/// What is to be removed.
#[derive(Debug)]
pub(super) struct QueueRemoval {
    pub(super) tunnel: TunnelId,
    pub(super) until: SessionRemovalBound,
    pub(super) reply: Option<oneshot::Sender<Result<(), QueueError>>>,
}

impl QueueRemoval {
    pub(super) fn answer(self, answer: Result<(), QueueError>) {
        if let Some(reply) = self.reply {
            // Whoever asked may have gone away.
            let _ = reply.send(answer);
        }
    }
}

/// Acknowledgements that nobody waits for. A crash forgets them, and the events are sent again; the
/// agent's history knows them.
#[derive(Debug, Default)]
pub(super) struct PendingAcknowledgements(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    through: HashMap<TunnelId, (SessionId, Seq)>,
    events: u64,
}

impl PendingAcknowledgements {
    /// Notes that an agent has everything up to `through`. Whether that makes many.
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

    /// Takes all of them, to be removed.
    pub(super) fn take(&self) -> Vec<QueueRemoval> {
        let taken = std::mem::take(&mut *self.lock());
        let removal = |(tunnel, (by, through))| QueueRemoval {
            tunnel,
            until: SessionRemovalBound::Acknowledged { by, through },
            reply: None,
        };
        taken.through.into_iter().map(removal).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
