//! Simulates Podio locally: its API on a socket, and real webhooks over HTTP.
//!
//! It is used by tests, by `podtap sandbox`, and by `podtap demo`, where [`life`] makes changes.
//! State is in memory and starts as [`Seed`] describes. There are layers: `world` contains the
//! objects and their changes, `api` converts requests to answers; both have no I/O. `server` and
//! `fire` are the sockets. `guard` keeps pages of other sites out, and `control` serves commands
//! beside Podio's API. Operations that Podio has and the sandbox lacks answer 501 with their name.
//!
//! # Where it guesses
//!
//! It follows podio.md, which covers much but not everything. The following is guessed, and must
//! not be relied on:
//!
//! - That and when webhooks are sent again ([`WebhookSending::retry_gaps`] is invented), and that
//!   each failed attempt of a re-sent event counts.
//! - That a code stays valid after newer ones, that validating twice does no harm, that failed
//!   verifications do not count, and that validating needs no token.
//! - The error for the eleventh hook of a type and for a forbidden port; that redirects are
//!   failures.
//! - The parameters of `tag.*`, `member.*`, `contact.*`, `status.*` and `task.delete`.
//! - That events of a suspended hook are dropped, and that it is still listed as active.
//! - That an update without a difference creates a revision, that deleting an item fires only
//!   `item.delete`, and that comments on tasks fire nothing.
//! - That changing and deleting a field, and switching an app or a form on and off, fire
//!   `app.update` and `form.update`; that changed comments fire nothing.
//! - How relative times in filters round, how views and filters are combined, and what `PUT
//!   /app/{id}` and a task for several people answer (podio.md 5.4).
//! - That labels of tasks are identified by their text, that one organization has all spaces, and
//!   that everyone uses UTC.
//! - Headers of webhooks, and that each webhook has its own connection.
//!
//! # Examples
//!
//! ```
//! use podtap_sandbox::{Sandbox, SandboxConfig};
//! use tokio_util::sync::CancellationToken;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::bind(SandboxConfig::default()).await?;
//! let base_url = sandbox.base_url();
//! let token = CancellationToken::new();
//! let running = sandbox.run(token.clone());
//! # token.cancel();
//! # running.await;
//! # assert!(base_url.starts_with("http://127.0.0.1:"));
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

mod answer;
mod api;
mod config;
mod control;
mod fault;
mod fire;
mod guard;
pub mod life;
mod observe;
mod rate;
mod seed;
mod server;
mod shared;
mod world;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

pub use config::{Disorder, HookTypes, SandboxConfig, WebhookSending};
pub use control::{CommandResult, SandboxCommand};
pub use fault::{Fault, UnknownFault};
pub use observe::{Observation, SendOutcome, SentWebhook};
pub use rate::CallRates;
pub use seed::{InvalidSeed, Seed, SeedApp, SeedClient, SeedField, SeedSpace, SeedUser};
pub use world::InvalidState;

use shared::SharedSandbox;
use world::{SandboxWebhook, World};

/// Maximum number of webhooks on their way to the senders. If it is reached, changes wait.
const MAX_WEBHOOKS: usize = 10_000;

/// Opens sandboxes, see [`Sandbox::bind`].
#[derive(Debug)]
pub struct Sandbox;

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox cannot listen on {address}")]
pub struct BindError {
    address: SocketAddr,
    source: std::io::Error,
}

impl Sandbox {
    /// Starts to listen. Requests are answered once [`BoundSandbox::run`] runs.
    ///
    /// # Errors
    /// If the address cannot be listened on.
    pub async fn bind(config: SandboxConfig) -> Result<BoundSandbox, BindError> {
        let address = config.listen;
        let failed = |source| BindError { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        let config = Arc::new(config);
        let (webhooks, waiting) = mpsc::channel(MAX_WEBHOOKS);
        let base_url = base_url(local_addr);
        let world = World::new(Arc::clone(&config), base_url, Timestamp::now());
        Ok(BoundSandbox {
            shared: Arc::new(SharedSandbox::new(world, webhooks)),
            config,
            listener,
            local_addr,
            waiting,
        })
    }
}

/// Returns the URL at which clients on this machine reach a listening address.
fn base_url(listening: SocketAddr) -> String {
    let mut address = listening;
    match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
}

/// A sandbox that is listening.
pub struct BoundSandbox {
    shared: Arc<SharedSandbox>,
    config: Arc<SandboxConfig>,
    listener: TcpListener,
    local_addr: SocketAddr,
    waiting: mpsc::Receiver<SandboxWebhook>,
}

impl BoundSandbox {
    /// Returns the address that it listens on.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Returns the base URL for clients of the API.
    pub fn base_url(&self) -> String {
        base_url(self.local_addr)
    }

    /// Returns a handle for watching and disturbing it.
    pub fn handle(&self) -> Handle {
        Handle {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Answers requests and sends webhooks until `token` is cancelled.
    pub async fn run(self, token: CancellationToken) {
        let webhook = fire::run(
            Arc::clone(&self.shared),
            self.waiting,
            self.config.delivery.clone(),
            self.config.random_seed,
            token.clone(),
        );
        tokio::join!(server::serve(self.listener, self.shared, token), webhook);
    }
}

impl fmt::Debug for BoundSandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound")
            .field("local_addr", &self.local_addr)
            .finish_non_exhaustive()
    }
}

/// Watches and disturbs a running sandbox. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<SharedSandbox>,
}

impl Handle {
    /// Returns a receiver of everything that the sandbox does from now on. A receiver that
    /// falls thousands of observations behind misses some.
    pub fn subscribe(&self) -> broadcast::Receiver<Observation> {
        self.shared.observations()
    }

    /// Makes the API misbehave, or behave again.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.shared.set_fault(fault);
    }

    /// Causes an event.
    ///
    /// # Errors
    /// If it is impossible, with the text of Podio's answer.
    pub async fn perform(&self, command: &SandboxCommand) -> Result<u64, String> {
        let done = self
            .shared
            .change(|world| control::act(world, command))
            .await;
        done.map_err(|refused| refused.description)
    }

    /// Starts or ends the loss of all webhooks. A lost webhook is still observed, as
    /// [`SendOutcome::Swallowed`].
    pub fn set_outage(&self, outage: bool) {
        self.shared.with_world(|world| world.outage = outage);
    }

    /// Returns the world as a file for [`Handle::restore`] if something may have changed since
    /// `known`, which is updated. The file does not contain the bytes of files.
    ///
    /// # Errors
    /// If the world cannot be written as JSON.
    pub fn save_if_changed(&self, known: &mut u64) -> Result<Option<Vec<u8>>, serde_json::Error> {
        self.shared.with_world(|world| {
            let changes = world.changes();
            if std::mem::replace(known, changes) == changes {
                return Ok(None);
            }
            world.save().map(Some)
        })
    }

    /// Replaces the world with the one in a file.
    ///
    /// # Errors
    /// If the file is not one that [`Handle::save_if_changed`] returned.
    pub fn restore(&self, file: &[u8]) -> Result<(), InvalidState> {
        self.shared.with_world(|world| world.restore(file))
    }

    /// Revokes every access and refresh token.
    pub fn revoke_tokens(&self) {
        self.shared.with_world(|world| world.people.revoke_all());
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}
