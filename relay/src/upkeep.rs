//! Runs the relay's background work: it notices changes of other processes, stores which
//! agents are connected, deletes acknowledged events, and removes events that are too old.
//! Each task waits until there is something to do, so an idle relay sleeps.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use podtap_disk::age::{Jump, Now};
use podtap_disk::bell::Bell;
use podtap_disk::clock_watch::ClockWatch;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::messenger::Messenger;
use crate::queue::{Queue, TunnelId};
use crate::session::presence::Presence;
use crate::store::Store;
use crate::tunnel::AgentConnection;
use crate::tunnel::directory::Directory;

/// Time after which a token that another process revoked stops working if no bell rings,
/// and the time between two deletions of acknowledged events.
pub(crate) const POLL_PERIOD: Duration = Duration::from_millis(200);

/// Time between two checks for old events, which also repair a broken queue that is idle.
const EXPIRY_PERIOD: Duration = Duration::from_secs(2);

/// Minimum time between two updates of the connected agents for other processes.
const TELL_PERIOD: Duration = Duration::from_secs(1);

/// The relay's background work.
#[derive(Debug)]
pub(crate) struct Upkeep {
    queue: Arc<dyn Queue>,
    directory: Arc<Directory>,
    presence: Arc<Presence>,
    /// Set if relays share the store.
    messenger: Option<Messenger>,
    /// Age at which an event is removed that no agent has received.
    max_age: Duration,
}

impl Upkeep {
    pub(crate) fn new(
        store: &Store,
        directory: Arc<Directory>,
        presence: Arc<Presence>,
        max_age: Duration,
    ) -> Self {
        let messenger = store.refused.as_ref().map(|elsewhere| Messenger {
            directory: Arc::clone(&directory),
            presence: Arc::clone(&presence),
            elsewhere: Arc::clone(elsewhere),
            kept_at: Mutex::default(),
        });
        Self {
            queue: Arc::clone(&store.queue),
            directory,
            presence,
            messenger,
            max_age,
        }
    }

    /// Runs until `token` is cancelled. The bell rings when another process may have changed
    /// something. Only waiting is cancelled: work in progress is finished.
    pub(crate) async fn run(self, mut bell: Bell, token: CancellationToken) {
        let following = async {
            while token.run_until_cancelled(bell.wait()).await.is_some() {
                self.poll().await;
            }
        };
        let settling = async {
            let due = || async {
                self.queue.wait_for_acknowledged().await;
                sleep(POLL_PERIOD).await;
            };
            while token.run_until_cancelled(due()).await.is_some() {
                self.settle().await;
            }
        };
        let telling = async {
            while let Some(sessions) = token.run_until_cancelled(self.presence.news()).await {
                self.tell(sessions).await;
                token.run_until_cancelled(sleep(TELL_PERIOD)).await;
            }
            // The last sessions have ended by now, which is stored too.
            if let Some(sessions) = self.presence.news().now_or_never() {
                self.tell(sessions).await;
            }
        };
        let expiring = async {
            let mut clock = ClockWatch::new(Now::read());
            let mut looks = interval(EXPIRY_PERIOD);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while token.run_until_cancelled(looks.tick()).await.is_some() {
                self.expire(&mut clock).await;
            }
        };
        tokio::join!(following, settling, telling, expiring);
    }

    async fn poll(&self) {
        match self.directory.poll().await {
            Ok(Some(standing)) => self.presence.enforce(&standing),
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "changes cannot be looked for"),
        }
        if let Err(error) = self.presence.exchange().await {
            tracing::debug!(%error, "who is connected elsewhere cannot be looked for");
        }
        if let Some(messenger) = &self.messenger
            && let Err(error) = messenger.run().await
        {
            tracing::debug!(%error, "refusals cannot be exchanged with other relays");
        }
    }

    async fn settle(&self) {
        if let Err(error) = self.queue.settle().await {
            tracing::debug!(%error, "what was acknowledged cannot be deleted yet");
        }
    }

    async fn tell(&self, sessions: Vec<(TunnelId, AgentConnection)>) {
        if let Err(error) = self.directory.tell_sessions(sessions).await {
            tracing::debug!(%error, "who is connected cannot be told");
            self.presence.tell_again();
        }
    }

    async fn expire(&self, clock: &mut ClockWatch) {
        let now = Now::read();
        if let Some(Jump(by_ms)) = clock.observe(now) {
            self.presence.clock_set(by_ms);
        }
        let max_age = self.max_age;
        if let Err(error) = self.queue.expire(max_age, now).await {
            tracing::debug!(%error, "old events cannot be removed");
        }
    }
}
