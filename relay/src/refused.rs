//! Counts the refused webhooks of a tunnel until its agent is informed.
//!
//! The counts are in memory while no agent is connected, and are then passed to its
//! session. If the agent is connected to another relay, they get there through the store.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use podtap_wire::Notice;
use podtap_wire::manage::RefusedWebhooks;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::queue::{QueueError, TunnelId};
use crate::refusal::Refusal;

/// Passes refusals to the relay that has the agent.
pub(crate) trait RefusedElsewhere: fmt::Debug + Send + Sync {
    /// Stores these refusals for the relays to which the agents of these tunnels are connected.
    fn pass_on(
        &self,
        tallies: Vec<(TunnelId, RefusalTally)>,
    ) -> BoxFuture<'_, Result<(), QueueError>>;

    /// Returns and removes what other relays have stored for agents of this relay. Called
    /// periodically.
    fn collect(&self) -> BoxFuture<'_, Result<Vec<(TunnelId, RefusalTally)>, QueueError>>;

    /// Stores the totals of what this relay has refused of these tunnels, for owners who ask
    /// any relay.
    fn keep(&self, totals: Vec<(TunnelId, RefusalTally)>) -> BoxFuture<'_, Result<(), QueueError>>;
}

/// Refusals of one tunnel.
#[derive(Debug, Default)]
pub(crate) struct TunnelRefusals {
    /// One tally for each kind of refusal, of which there are few.
    tallies: Mutex<Tallies>,
    noted: Notify,
}

#[derive(Debug, Default)]
struct Tallies {
    /// Refusals that the agent does not know yet.
    untold: Vec<RefusalTally>,
    /// Everything that this relay has refused since its start, for an owner who asks.
    all: Vec<RefusalTally>,
    /// If relays share the store, whether `all` contains more than the store has.
    is_ahead: bool,
}

/// Number of webhooks that were refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusalTally {
    pub(crate) kind: Cow<'static, str>,
    pub(crate) reason: String,
    pub(crate) count: u64,
    pub(crate) last_at: Timestamp,
}

impl From<RefusalTally> for Notice {
    fn from(tally: RefusalTally) -> Self {
        Self::Refused {
            count: tally.count,
            reason: tally.reason,
            last_at: tally.last_at,
        }
    }
}

impl From<RefusalTally> for RefusedWebhooks {
    fn from(tally: RefusalTally) -> Self {
        Self {
            count: tally.count,
            reason: tally.reason,
            last_at: tally.last_at,
        }
    }
}

impl TunnelRefusals {
    /// Counts one refusal.
    pub(crate) fn note(&self, refusal: Refusal, at: Timestamp) {
        let tally = RefusalTally {
            kind: Cow::Borrowed(refusal.name()),
            reason: refusal.reason(),
            count: 1,
            last_at: at,
        };
        let mut tallies = self.lock();
        count(&mut tallies.all, &tally);
        tallies.is_ahead = true;
        drop(tallies);
        self.tell(&tally);
    }

    /// Adds refusals for the agent: those of another relay, or those that could not be sent before.
    pub(crate) fn tell(&self, tally: &RefusalTally) {
        count(&mut self.lock().untold, tally);
        self.noted.notify_one();
    }

    /// Returns whether there are refusals that the agent does not know yet.
    pub(crate) fn is_untold(&self) -> bool {
        !self.lock().untold.is_empty()
    }

    /// Returns the refusals that the agent does not know yet, and forgets them.
    pub(crate) fn take(&self) -> Vec<RefusalTally> {
        std::mem::take(&mut self.lock().untold)
    }

    /// Returns everything that this relay has refused since its start.
    pub(crate) fn all(&self) -> Vec<RefusalTally> {
        self.lock().all.clone()
    }

    /// Returns whether that is more than the store has.
    pub(crate) fn is_ahead(&self) -> bool {
        self.lock().is_ahead
    }

    /// Returns the same as [`Self::all`] and notes that it is being stored.
    pub(crate) fn all_to_keep(&self) -> Vec<RefusalTally> {
        let mut tallies = self.lock();
        tallies.is_ahead = false;
        tallies.all.clone()
    }

    /// Notes that it could not be stored.
    pub(crate) fn not_kept(&self) {
        self.lock().is_ahead = true;
    }

    /// Waits until there are refusals that the agent does not know yet, at least until `earliest`.
    ///
    /// # Cancel safety
    /// Safe: nothing is taken.
    pub(crate) async fn pending(&self, earliest: Instant) {
        loop {
            // The waiter is created before the tallies are read, so that none in between is missed.
            let noted = self.noted.notified();
            if self.is_untold() {
                break;
            }
            noted.await;
        }
        sleep_until(earliest).await;
    }

    fn lock(&self) -> MutexGuard<'_, Tallies> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(tallies: &mut Vec<RefusalTally>, more: &RefusalTally) {
    match tallies.iter_mut().find(|tally| tally.kind == more.kind) {
        Some(tally) => {
            tally.count = tally.count.saturating_add(more.count);
            tally.last_at = tally.last_at.max(more.last_at);
        }
        None => tallies.push(more.clone()),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn refusals_are_counted_by_reason_until_they_are_told() {
        let refused = TunnelRefusals::default();
        let now = Instant::now();
        assert!(refused.pending(now).now_or_never().is_none());
        let at = |second| Timestamp::from_second(second).unwrap();
        refused.note(Refusal::TooLarge { max_body_bytes: 9 }, at(1));
        refused.note(Refusal::QueueFull, at(2));
        refused.note(Refusal::TooLarge { max_body_bytes: 9 }, at(3));

        refused.pending(now).await;
        let told = refused.take();

        assert_eq!(told.len(), 2);
        assert_eq!((told[0].count, told[0].last_at), (2, at(3)));
        assert_eq!(told[0].reason, "body over 9 bytes");
        assert!(refused.take().is_empty());
        assert_eq!(refused.all(), told, "an owner who asks is told again");
        assert_eq!(refused.all_to_keep(), told);
        assert!(!refused.is_ahead());
        refused.not_kept();
        assert!(refused.is_ahead());
        refused.tell(&told[0]);
        assert_eq!(refused.all(), told, "another relay's are not this one's");
        refused.take();
        assert!(refused.pending(now).now_or_never().is_none());
    }
}
