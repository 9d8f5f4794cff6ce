//! What the relay does by the clock: notice changes of other processes, tell them who is connected,
//! remove what is too old.

use std::sync::Arc;
use std::time::Duration;

use podtap_disk::age::{Jump, Now};
use podtap_disk::clock_watch::ClockWatch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::messenger::Messenger;
use crate::queue::Queue;
use crate::session::presence::Presence;
use crate::store::Store;
use crate::tunnel::directory::Directory;

/// How soon a token revoked by another process has lost its effect, and how often what agents have
/// is deleted.
const POLL_PERIOD: Duration = Duration::from_millis(200);

/// How often old events are looked for, and a queue that is broken and idle is repaired.
const EXPIRY_PERIOD: Duration = Duration::from_secs(2);

/// How often other processes are told who is connected, where that has changed.
const TELL_PERIOD: Duration = Duration::from_secs(1);

/// The relay's clockwork.
#[derive(Debug)]
pub(crate) struct Upkeep {
    queue: Arc<dyn Queue>,
    directory: Arc<Directory>,
    presence: Arc<Presence>,
    /// Where relays share the store.
    messenger: Option<Messenger>,
    /// The age at which an event that no agent took is removed.
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
        });
        Self {
            queue: Arc::clone(&store.queue),
            directory,
            presence,
            messenger,
            max_age,
        }
    }

    /// Runs until told to end.
    pub(crate) async fn run(self, token: CancellationToken) {
        let mut polls = interval(POLL_PERIOD);
        let mut expiries = interval(EXPIRY_PERIOD);
        let mut news = interval(TELL_PERIOD);
        let mut clock = ClockWatch::new(Now::read());
        news.set_missed_tick_behavior(MissedTickBehavior::Delay);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        expiries.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Ticks are cancel-safe; the work is done outside the select.
            tokio::select! {
                () = token.cancelled() => return,
                _ = polls.tick() => {
                    self.poll().await;
                    self.settle().await;
                }
                _ = news.tick() => self.tell().await,
                _ = expiries.tick() => self.expire(&mut clock).await,
            }
        }
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

    async fn tell(&self) {
        let Some(sessions) = self.presence.news() else {
            return;
        };
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
