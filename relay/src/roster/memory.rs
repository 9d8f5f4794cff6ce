//! Keeps the roster of a relay that does not share its tunnels, in memory only.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::time::Instant;

use super::{
    ClaimOutcome, ClaimVerdict, Everyone, HoldingAgent, Roster, TakeOver, TunnelClaim, decide,
};
use crate::queue::{QueueError, SessionId, TunnelId};

/// Agents of this process's tunnels.
#[derive(Debug, Default)]
pub(crate) struct MemoryRoster(Mutex<RosterState>);

#[derive(Debug, Default)]
struct RosterState {
    holders: HashMap<TunnelId, HoldingAgent>,
    take_overs: HashMap<TunnelId, PastTakeOver>,
    /// Number of sessions so far.
    sessions: i64,
}

/// A take-over and its time.
#[derive(Debug, Clone, Copy)]
struct PastTakeOver {
    epoch: u64,
    at: Instant,
    patience: Duration,
}

impl MemoryRoster {
    fn lock(&self) -> MutexGuard<'_, RosterState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RosterState {
    fn take(
        &mut self,
        tunnel: TunnelId,
        claim: TunnelClaim,
        dead: Option<SessionId>,
    ) -> ClaimOutcome {
        let now = Instant::now();
        let holder = self.holders.get(&tunnel);
        let last = self.take_overs.get(&tunnel).map(|last| TakeOver {
            epoch: last.epoch,
            age: now - last.at,
            patience: last.patience,
        });
        match (decide(&claim, holder, dead, last), holder) {
            (ClaimVerdict::Contest, Some(holder)) => {
                return ClaimOutcome::Contested(holder.clone());
            }
            (
                ClaimVerdict::Take {
                    patience: Some(patience),
                },
                _,
            ) => {
                self.take_overs
                    .retain(|_, last| now < last.at + 2 * last.patience);
                let since = PastTakeOver {
                    epoch: claim.epoch,
                    at: now,
                    patience,
                };
                self.take_overs.insert(tunnel, since);
            }
            _ => {}
        }
        self.sessions += 1;
        let session = SessionId(self.sessions);
        let holder = HoldingAgent {
            session,
            is_here: true,
            epoch: claim.epoch,
            respond: claim.respond,
            connected: claim.connected,
        };
        let from = self.holders.insert(tunnel, holder);
        ClaimOutcome::Taken { session, from }
    }

    fn leave(&mut self, tunnel: TunnelId, session: SessionId) {
        let holder = self.holders.get(&tunnel);
        if holder.is_some_and(|holder| holder.session == session) {
            self.holders.remove(&tunnel);
        }
    }
}

impl Roster for MemoryRoster {
    fn take(
        &self,
        tunnel: TunnelId,
        claim: TunnelClaim,
        dead: Option<SessionId>,
    ) -> BoxFuture<'_, Result<ClaimOutcome, QueueError>> {
        ready(Ok(self.lock().take(tunnel, claim, dead))).boxed()
    }

    fn leave(&self, tunnel: TunnelId, session: SessionId) {
        self.lock().leave(tunnel, session);
    }

    fn everyone(&self) -> BoxFuture<'_, Result<Option<Everyone>, QueueError>> {
        ready(Ok(None)).boxed()
    }

    fn ask(&self, _: SessionId, _: Duration) -> BoxFuture<'_, Result<bool, QueueError>> {
        // All sessions belong to this relay, which asks the agent itself.
        ready(Ok(false)).boxed()
    }

    fn answer(&self, _: SessionId) -> BoxFuture<'_, Result<(), QueueError>> {
        ready(Ok(())).boxed()
    }
}
