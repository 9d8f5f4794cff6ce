//! Runs the background tasks of a relay: it reads the depths of queues again and deletes
//! rows that are not needed any more.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::RelayId;
use super::answers::Forgotten;
use super::departures::Departures;
use super::depths::Depths;
use super::read;
use super::signals::Notifications;
use crate::database::postgres::{Postgres, PostgresError};
use crate::queue::TunnelId;

/// Maximum time between two checks for changes whose notification was lost.
const LOOK_PERIOD: Duration = Duration::from_millis(200);

/// Parts of the store on which the background tasks work.
pub(super) struct Chores {
    pub(super) database: Postgres,
    pub(super) relay: RelayId,
    pub(super) depths: Arc<Depths>,
    pub(super) signals: Arc<Notifications>,
    pub(super) left: Arc<Departures>,
    pub(super) forgotten: Arc<Forgotten>,
}

impl Chores {
    /// Runs until `token` is cancelled, then removes this relay from the list of relays.
    pub(super) async fn run(self, token: CancellationToken) {
        let look = token.run_until_cancelled(self.follow_depths());
        let give_back = token.run_until_cancelled(self.give_back());
        let signals = self.signals.run(&self.database, &token);
        tokio::join!(look, give_back, signals);
        if let Err(error) = self.leave().await {
            tracing::debug!(%error, "this relay cannot be taken off the list; others find out");
        }
    }

    async fn follow_depths(&self) {
        let mut ticks = interval(LOOK_PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let tunnels = tokio::select! {
                touched = self.depths.take_touched() => touched,
                _ = ticks.tick() => self.depths.followed_tunnels(),
            };
            if !tunnels.is_empty()
                && let Err(error) = self.read_depths(&tunnels).await
            {
                tracing::debug!(%error, "how queues stand cannot be read");
            }
        }
    }

    async fn read_depths(&self, tunnels: &[TunnelId]) -> Result<(), PostgresError> {
        let depths = read::depths(&self.database, tunnels).await?;
        for tunnel in tunnels {
            if !depths.iter().any(|(known, _)| known == tunnel) {
                self.depths.forget(*tunnel);
            }
        }
        self.depths.update(depths);
        Ok(())
    }

    async fn give_back(&self) {
        loop {
            tokio::select! {
                () = self.left.waiting() => {}
                () = self.forgotten.waiting() => {}
            }
            if let Err(error) = self.delete().await {
                tracing::debug!(%error, "what was given back cannot be deleted yet");
                tokio::time::sleep(LOOK_PERIOD).await;
            }
        }
    }

    async fn delete(&self) -> Result<(), PostgresError> {
        if self.left.delete(&self.database).await? {
            self.signals.tell_roster_changed();
        }
        self.forgotten.delete(&self.database).await
    }

    async fn leave(&self) -> Result<(), PostgresError> {
        self.delete().await?;
        let client = self.database.client().await?;
        let left = client
            .execute("DELETE FROM podtap_relays WHERE id = $1", &[&self.relay.0])
            .await;
        left.map_err(self.database.on_error("leave"))?;
        Ok(())
    }
}
