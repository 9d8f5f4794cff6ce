//! Provides a relay on a free port, an HTTP sender of raw bytes, and an agent that sends
//! single frames.

pub(crate) mod agent;
pub(crate) mod http;
pub(crate) mod tls;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use podtap_relay::tunnel::TokenStore;
use podtap_relay::{BoundRelay, Limits, Relay, RelayConfig, StartError};
use tempfile::{TempDir, tempdir};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) use agent::Agent;

/// Maximum time for anything in a test.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A running relay. A test ends it with [`TestRelay::stop`], or drops it without a shutdown.
pub(crate) struct TestRelay {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    /// Address for webhooks without TLS, and the signal to read the certificate again.
    pub(crate) plain: Option<SocketAddr>,
    pub(crate) reload: Option<Arc<Notify>>,
    pub(crate) store: TokenStore,
    pub(crate) token: String,
    running: JoinHandle<Result<(), StartError>>,
    shutdown: CancellationToken,
    /// Its data folder, unless another relay uses it as well.
    _folder: Option<TempDir>,
}

impl TestRelay {
    /// Starts a relay with its own data folder.
    pub(crate) async fn new() -> Self {
        Self::start_configured(|_| {}).await
    }

    /// Starts a relay with its own data folder and other limits.
    pub(crate) async fn with(change: impl FnOnce(&mut Limits)) -> Self {
        Self::start_configured(|config| change(&mut config.limits)).await
    }

    /// Starts a relay with its own data folder and another configuration.
    pub(crate) async fn start_configured(change: impl FnOnce(&mut RelayConfig)) -> Self {
        let folder = tempdir().unwrap();
        let relay = Self::start_as(folder.path(), change).await;
        Self {
            _folder: Some(folder),
            ..relay
        }
    }

    /// Returns how many webhooks the relay refused for this reason.
    pub(crate) async fn refusal_count(&self, reason: &str) -> u64 {
        let metrics = http::get(self.admin, "/metrics").await.text();
        let name = format!("podtap_events_refused_total{{reason=\"{reason}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap().parse().unwrap()
    }

    /// Starts a relay on a folder of the test.
    pub(crate) async fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, |_| {}).await
    }

    pub(crate) async fn start_with(data_dir: &Path, change: impl FnOnce(&mut Limits)) -> Self {
        Self::start_as(data_dir, |config| change(&mut config.limits)).await
    }

    pub(crate) async fn start_as(data_dir: &Path, change: impl FnOnce(&mut RelayConfig)) -> Self {
        let bound = bind_as(data_dir, change).await.unwrap();
        let (address, admin) = (bound.local_addr(), bound.admin_addr().unwrap());
        let (plain, reload) = (bound.http_addr(), bound.reload());
        let store = bound.tokens().unwrap();
        let token = store.create("ada").await.unwrap().reveal().to_owned();
        let shutdown = CancellationToken::new();
        #[expect(
            clippy::disallowed_methods,
            reason = "a test owns its relay by the join handle"
        )]
        let running = tokio::spawn(bound.run(shutdown.clone()));
        Self {
            address,
            admin,
            plain,
            reload,
            store,
            token,
            running,
            shutdown,
            _folder: None,
        }
    }

    /// Connects an agent to a tunnel.
    pub(crate) async fn agent(&self, tunnel: &str) -> Agent {
        Agent::connect(self.address, &self.token, tunnel).await
    }

    /// Returns the path prefix of a tunnel, which an agent creates that disconnects again.
    pub(crate) async fn tunnel(&self, tunnel: &str) -> String {
        let agent = self.agent(tunnel).await;
        let path = agent.path();
        agent.leave().await;
        path
    }

    pub(crate) fn begin_shutdown(&self) {
        self.shutdown.cancel();
    }

    /// Ends all tasks without a shutdown, as close to a crash as a process can simulate in itself.
    pub(crate) async fn abort(self) {
        self.running.abort();
        within("the relay's end", self.running).await.unwrap_err();
    }

    /// Drains the relay and waits until it has ended.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        within("the relay's end", self.running)
            .await
            .unwrap()
            .unwrap();
    }

    /// Returns the value of one metric without labels.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let metrics = http::get(self.admin, "/metrics").await.text();
        let mut lines = metrics.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let value = value.unwrap_or_else(|| panic!("{name}: {metrics}"));
        value.parse().unwrap()
    }
}

pub(crate) async fn bind(
    data_dir: &Path,
    change: impl FnOnce(&mut Limits),
) -> Result<BoundRelay, StartError> {
    bind_as(data_dir, |config| change(&mut config.limits)).await
}

async fn bind_as(
    data_dir: &Path,
    change: impl FnOnce(&mut RelayConfig),
) -> Result<BoundRelay, StartError> {
    let mut config = RelayConfig::new(data_dir);
    config.admin_listen = Some(([127, 0, 0, 1], 0).into());
    config.limits.reserve_bytes = 4096;
    change(&mut config);
    Relay::bind(config).await
}

/// Waits for a future for at most [`PATIENCE`].
pub(crate) async fn within<F: Future>(what: &str, future: F) -> F::Output {
    let output = tokio::time::timeout(PATIENCE, future).await;
    output.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// Waits until a condition holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(
    what: &str,
    mut condition: impl FnMut() -> F,
) {
    within(what, async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
