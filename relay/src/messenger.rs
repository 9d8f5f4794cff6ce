//! Passes refusals between relays, so that each agent learns what other relays refused, and
//! stores their totals for owners who ask any relay.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::queue::QueueError;
use crate::refused::RefusedElsewhere;
use crate::session::presence::Presence;
use crate::tunnel::directory::Directory;

/// Minimum time between two writes of the totals.
const KEEP_PERIOD: Duration = Duration::from_secs(1);

/// Carries refusals between relays that share a store.
#[derive(Debug)]
pub(crate) struct Messenger {
    pub(crate) directory: Arc<Directory>,
    pub(crate) presence: Arc<Presence>,
    pub(crate) elsewhere: Arc<dyn RefusedElsewhere>,
    pub(crate) kept_at: Mutex<Option<Instant>>,
}

impl Messenger {
    /// Passes on this relay's refusals and collects those of other relays. Called periodically.
    pub(crate) async fn run(&self) -> Result<(), QueueError> {
        self.pass_on().await?;
        self.keep().await?;
        let mut astray = Vec::new();
        for (tunnel, tally) in self.elsewhere.collect().await? {
            let key = self.presence.key_here(tunnel);
            match key.and_then(|key| self.directory.lookup(&key)) {
                Some(tunnel) => tunnel.refused.tell(&tally),
                None => astray.push((tunnel, tally)),
            }
        }
        // An agent that has disconnected meanwhile may be connected to another relay now.
        if !astray.is_empty() {
            self.elsewhere.pass_on(astray).await?;
        }
        Ok(())
    }

    async fn keep(&self) -> Result<(), QueueError> {
        if !self.is_time() {
            return Ok(());
        }
        let tunnels = self.directory.refused_and_not_kept();
        let mut totals = Vec::new();
        for tunnel in &tunnels {
            let all = tunnel.refused.all_to_keep();
            totals.extend(all.into_iter().map(|tally| (tunnel.id, tally)));
        }
        if totals.is_empty() {
            return Ok(());
        }
        let kept = self.elsewhere.keep(totals).await;
        if kept.is_err() {
            for tunnel in tunnels {
                tunnel.refused.not_kept();
            }
        }
        kept
    }

    fn is_time(&self) -> bool {
        let mut kept_at = self.kept_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = kept_at.is_none_or(|at| at.elapsed() >= KEEP_PERIOD);
        if is_time {
            *kept_at = Some(Instant::now());
        }
        is_time
    }

    async fn pass_on(&self) -> Result<(), QueueError> {
        let presence = &self.presence;
        let tunnels = self
            .directory
            .refused_elsewhere(|it| presence.is_elsewhere(it));
        let mut tallies = Vec::new();
        for tunnel in &tunnels {
            tallies.extend(tunnel.refused.take().into_iter().map(|it| (tunnel.id, it)));
        }
        if tallies.is_empty() {
            return Ok(());
        }
        let passed_on = self.elsewhere.pass_on(tallies.clone()).await;
        if passed_on.is_err() {
            for (id, tally) in &tallies {
                if let Some(tunnel) = tunnels.iter().find(|tunnel| tunnel.id == *id) {
                    tunnel.refused.tell(tally);
                }
            }
        }
        passed_on
    }
}
