//! A relay on loopback for the agent's link.

use std::net::SocketAddr;

use podtap_agent::LinkConfig;
use podtap_relay::tunnel::TokenStore;
use podtap_relay::{Relay, RelayConfig};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use podtap_testing::own_port;

/// A relay that can be stopped and started again at the same address.
pub(crate) struct TestRelay {
    folder: TempDir,
    pub(crate) address: SocketAddr,
    token: CancellationToken,
    running: JoinSet<()>,
}

impl TestRelay {
    pub(crate) async fn start() -> Self {
        let mut relay = Self {
            folder: TempDir::new().unwrap(),
            address: ([127, 0, 0, 1], own_port()).into(),
            token: CancellationToken::new(),
            running: JoinSet::new(),
        };
        relay.resume().await;
        relay
    }

    pub(crate) async fn resume(&mut self) {
        let mut config = RelayConfig::new(self.folder.path());
        config.listen = self.address;
        (config.limits.max_rate, config.limits.max_rate_per_peer) = (None, None);
        let bound = Relay::bind(config).await.unwrap();
        self.token = CancellationToken::new();
        let token = self.token.clone();
        self.running
            .spawn(async move { bound.run(token).await.unwrap() });
    }

    pub(crate) async fn stop(&mut self) {
        self.token.cancel();
        self.running.join_next().await.unwrap().unwrap();
    }

    pub(crate) fn tokens(&self) -> TokenStore {
        TokenStore::open(self.folder.path()).unwrap()
    }

    /// Creates a new token of this owner.
    pub(crate) async fn token(&self, owner: &str) -> String {
        self.tokens()
            .create(owner)
            .await
            .unwrap()
            .reveal()
            .to_owned()
    }

    /// Returns a link of a new owner's tunnel `crm`.
    pub(crate) async fn link(&self) -> LinkConfig {
        let token = self.token("somebody").await;
        let relay = format!("http://{}", self.address).parse().unwrap();
        LinkConfig::new(relay, token.into(), "crm".parse().unwrap())
    }
}
