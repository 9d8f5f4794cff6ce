//! Tells agents of other relays what this relay refused, and its own agents what others did.

use std::sync::Arc;

use crate::queue::QueueError;
use crate::refused::RefusedElsewhere;
use crate::session::presence::Presence;
use crate::tunnel::directory::Directory;

/// Carries refusals between relays that share a store.
#[derive(Debug)]
pub(crate) struct Messenger {
    pub(crate) directory: Arc<Directory>,
    pub(crate) presence: Arc<Presence>,
    pub(crate) elsewhere: Arc<dyn RefusedElsewhere>,
}

impl Messenger {
    /// Passes on what there is, and takes in what others left. Called by the clock.
    pub(crate) async fn run(&self) -> Result<(), QueueError> {
        self.pass_on().await?;
        let mut astray = Vec::new();
        for (tunnel, tally) in self.elsewhere.collect().await? {
            let key = self.presence.key_here(tunnel);
            match key.and_then(|key| self.directory.lookup(&key)) {
                Some(tunnel) => tunnel.refused.add(&tally),
                None => astray.push((tunnel, tally)),
            }
        }
        // An agent that has gone meanwhile may be with another relay by now.
        if !astray.is_empty() {
            self.elsewhere.pass_on(astray).await?;
        }
        Ok(())
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
                    tunnel.refused.put_back(tally);
                }
            }
        }
        passed_on
    }
}
