//! What was refused of a tunnel's webhooks since its agent was last told: kept in memory while no
//! agent is there, and handed to its session. Where the agent received its session with another relay, it
//! goes there by way of the store.

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

/// Refusals on their way to the relay that has the agent.
pub(crate) trait RefusedElsewhere: fmt::Debug + Send + Sync {
    /// Leaves these to the relays that have the agents of these tunnels.
    fn pass_on(
        &self,
        tallies: Vec<(TunnelId, RefusalTally)>,
    ) -> BoxFuture<'_, Result<(), QueueError>>;

    /// Takes what others have left for the agents of this relay. Called by the clock.
    fn collect(&self) -> BoxFuture<'_, Result<Vec<(TunnelId, RefusalTally)>, QueueError>>;

    /// Keeps all that this relay has refused of these tunnels, for owners who ask any relay.
    fn keep(&self, totals: Vec<(TunnelId, RefusalTally)>) -> BoxFuture<'_, Result<(), QueueError>>;
}

/// The refusals of one tunnel.
#[derive(Debug, Default)]
pub(crate) struct TunnelRefusals {
    /// One for each kind of refusal, of which there are a few.
    tallies: Mutex<Tallies>,
    noted: Notify,
}

#[derive(Debug, Default)]
struct Tallies {
    /// What the agent has still to be told.
    untold: Vec<RefusalTally>,
    /// Everything that this relay refused since its start, for an owner who asks.
    all: Vec<RefusalTally>,
    /// Whether there is more of it than the store has, where relays share that.
    is_ahead: bool,
}

/// Webhooks that were refused for one reason.
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
    /// Counts one.
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

    /// Has the agent told of more: of what another relay refused, or what could not be told before.
    pub(crate) fn tell(&self, tally: &RefusalTally) {
        count(&mut self.lock().untold, tally);
        self.noted.notify_one();
    }

    /// Whether there is something to tell.
    pub(crate) fn is_untold(&self) -> bool {
        !self.lock().untold.is_empty()
    }

    /// Takes all there is to tell.
    pub(crate) fn take(&self) -> Vec<RefusalTally> {
        std::mem::take(&mut self.lock().untold)
    }

    /// Everything that this relay refused since its start.
    pub(crate) fn all(&self) -> Vec<RefusalTally> {
        self.lock().all.clone()
    }

    /// Whether that is more than the store has.
    pub(crate) fn is_ahead(&self) -> bool {
        self.lock().is_ahead
    }

    /// The same on its way to the store.
    pub(crate) fn all_to_keep(&self) -> Vec<RefusalTally> {
        let mut tallies = self.lock();
        tallies.is_ahead = false;
        tallies.all.clone()
    }

    /// It did not get there.
    pub(crate) fn not_kept(&self) {
        self.lock().is_ahead = true;
    }

    /// Resolves when there is something to tell, and not before `earliest`.
    ///
    /// # Cancel safety
    /// Safe: nothing is taken.
    pub(crate) async fn pending(&self, earliest: Instant) {
        loop {
            // Made before the tallies are read: one noted in between is not missed.
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
