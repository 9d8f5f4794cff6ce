//! One connected agent: refused or let in, welcomed, pumped, sent away.
//!
//! Called by `server` for `/-/connect`. A session is a task of its own from the upgrade on, so
//! that nothing of the HTTP connection stays in memory.

mod handshake;
pub(crate) mod presence;
mod pump;
mod window;

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::SinkExt as _;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use podtap_wire::limits::{MAX_HEADER_BYTES, MAX_WINDOW};
use podtap_wire::{Notice, RelayFrame, RelayLimits, Welcome};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::Core;
use crate::queue::QueueError;
use crate::server::Answer;
use crate::tunnel::directory::{Owner, Tunnel};
use handshake::Upgrade;
use presence::Hold;
use pump::Pump;
use window::Window;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Buffers of a websocket, in bytes: small, for most agents are idle most of the time, and what
/// they say most is an acknowledgement of 30 bytes. The writing one is only made when needed.
const READ_BUFFER: usize = 2 * 1024;
const WRITE_BUFFER: usize = 16 * 1024;

/// When an agent shall come back to a relay that goes away: about a restart's time.
const COME_BACK_AFTER_MS: u64 = 1000;

/// What the relay calls itself.
const SERVER: &str = concat!("podtap/", env!("CARGO_PKG_VERSION"));

/// The sessions of a relay.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    core: Arc<Core>,
    tasks: TaskTracker,
    /// A permit a session: senders' connections have places of their own.
    places: Arc<Semaphore>,
    draining: CancellationToken,
}

/// An agent whose token is good, on its way to a tunnel.
#[derive(Debug)]
struct Arrival {
    core: Arc<Core>,
    owner: Owner,
    draining: CancellationToken,
}

/// Every way in which a session ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// A newer session has the tunnel.
    TakenOver,
    /// The token is void.
    Revoked,
    /// The tunnel has another key, or is deleted; by coming back the agent learns its new URL.
    KeyGone,
    /// The relay shuts down.
    Draining,
    /// The storage does not work.
    Unavailable,
    /// The agent does not keep to the protocol.
    Protocol(String),
    /// Nothing was heard for too long, or nothing taken.
    Silent,
    /// The agent has gone.
    Gone,
}

impl Sessions {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(core.limits.max_sessions)),
            core,
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
        }
    }

    /// Lets an agent in, or says why not.
    pub(crate) async fn connect(
        &self,
        mut request: Request<Incoming>,
        peer: IpAddr,
    ) -> Response<Answer> {
        if self.draining.is_cancelled() {
            return handshake::refuse(&handshake::unavailable("the relay shuts down"));
        }
        let upgrade = match Upgrade::parse(&request) {
            Ok(upgrade) => upgrade,
            Err(refusal) => return handshake::refuse(&refusal),
        };
        let owner = match self.core.directory.authenticate(&upgrade.token).await {
            Ok(Some(owner)) => owner,
            Ok(None) => {
                tracing::info!(%peer, "an agent's token was refused");
                let refusal = handshake::refused_token("this token is unknown or revoked");
                return handshake::refuse(&refusal);
            }
            Err(_) => {
                let refusal = handshake::unavailable("tokens cannot be checked at present");
                return handshake::refuse(&refusal);
            }
        };
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return handshake::refuse(&handshake::unavailable("the relay has too many agents"));
        };
        let upgraded = hyper::upgrade::on(&mut request);
        let arrival = Arrival {
            core: Arc::clone(&self.core),
            owner,
            draining: self.draining.clone(),
        };
        self.tasks.spawn(async move {
            let _place = place;
            arrival.session(upgraded).await;
        });
        upgrade.accept()
    }

    /// Sends every agent away and waits until they have gone, until the deadline at most.
    pub(crate) async fn drain(&self, deadline: Instant) {
        self.draining.cancel();
        self.tasks.close();
        if timeout_at(deadline, self.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "sessions did not end in time");
        }
    }
}

impl Arrival {
    async fn session(self, upgraded: OnUpgrade) {
        let limits = &self.core.limits;
        let Ok(Ok(upgraded)) = timeout(limits.hello_timeout, upgraded).await else {
            return;
        };
        let max_bytes = Some(4 + MAX_HEADER_BYTES + limits.max_response_bytes);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(max_bytes)
            .max_frame_size(max_bytes);
        let io = TokioIo::new(upgraded);
        let mut socket = Socket::from_raw_socket(io, Role::Server, Some(config)).await;
        // Boxed: the many states of a beginning session are not kept by a running one.
        match Box::pin(self.begin(&mut socket)).await {
            Ok((hold, pump)) => self.run(socket, hold, pump).await,
            Err(end) => {
                tracing::debug!(owner = self.owner.name, ?end, "a session did not begin");
                let _ = timeout(limits.hello_timeout, socket.close(end.close())).await;
            }
        }
    }

    /// From the hello to the welcome.
    async fn begin(&self, socket: &mut Socket) -> Result<(Hold, Pump), End> {
        let Self { core, owner, .. } = self;
        let hello = handshake::hello(socket, core.limits.hello_timeout).await?;
        let tunnel = core.directory.tunnel(&owner.name, hello.tunnel).await?;
        let (hold, taken_over) = core.presence.take(&tunnel, owner, hello.respond);
        if taken_over {
            core.metrics.take_overs.inc();
        }
        // What became void before this session could be found by a poll is found here.
        if !core.directory.is_current(owner, &tunnel).await? {
            return Err(End::Revoked);
        }
        let depth = core.queue.depth(tunnel.id).await?;
        let window = hello.window.clamp(1, MAX_WINDOW);
        let welcome = RelayFrame::Welcome(self.welcome(&tunnel, window, depth.events()));
        socket
            .send(pump::message(&welcome)?)
            .await
            .map_err(|_| End::Gone)?;
        tracing::info!(
            owner = owner.name,
            tunnel = %tunnel.name,
            client = ?hello.client,
            respond = ?hello.respond,
            "an agent connected"
        );
        let max_bytes = core.limits.max_unacknowledged_bytes;
        let window = Window::new(window as usize, max_bytes, depth.removed);
        Ok((hold, Pump::new(Arc::clone(core), tunnel, window)))
    }

    async fn run(&self, socket: Socket, mut hold: Hold, pump: Pump) {
        self.core.metrics.sessions.inc();
        let ended = async {
            tokio::select! {
                end = hold.ended() => end,
                () = self.draining.cancelled() => End::Draining,
            }
        };
        let end = pump.run(socket, ended).await;
        self.core.metrics.sessions.dec();
        tracing::info!(owner = self.owner.name, ?end, "a session ended");
    }

    fn welcome(&self, tunnel: &Tunnel, window: u32, backlog: u64) -> Welcome {
        let Core {
            limits, public_url, ..
        } = &*self.core;
        Welcome {
            url: format!(
                "{}/{}/",
                public_url.as_str().trim_end_matches('/'),
                tunnel.key
            ),
            tunnel: tunnel.name.clone(),
            backlog,
            limits: RelayLimits {
                window,
                max_body_bytes: limits.max_body_bytes as u64,
                max_queue_events: limits.max_queue_events,
                max_queue_bytes: limits.max_queue_bytes,
                max_age_s: limits.max_age.as_secs(),
            },
            server: SERVER.to_owned(),
        }
    }
}

impl End {
    /// What the agent's user should know.
    fn notice(&self) -> Option<Notice> {
        match self {
            Self::TakenOver => Some(Notice::TakenOver),
            Self::Revoked => Some(Notice::Revoked),
            Self::KeyGone => Some(Notice::Draining {
                come_back_after_ms: 0,
            }),
            Self::Draining | Self::Unavailable => Some(Notice::Draining {
                come_back_after_ms: COME_BACK_AFTER_MS,
            }),
            Self::Protocol(_) | Self::Silent | Self::Gone => None,
        }
    }

    /// How the websocket is closed; `None` where nobody is there to close it with.
    fn close(&self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::TakenOver => (CloseCode::Policy, "taken over by a newer connection"),
            Self::Revoked => (CloseCode::Policy, "the token is revoked"),
            Self::KeyGone => (CloseCode::Restart, "the tunnel has changed"),
            Self::Draining => (CloseCode::Restart, "the relay shuts down"),
            Self::Unavailable => (CloseCode::Again, "the relay's storage does not work"),
            Self::Protocol(reason) => {
                // A close frame has room for 123 bytes (RFC 6455 §5.5).
                let reason = reason.get(..123).unwrap_or(reason);
                let reason = if reason.len() > 123 {
                    "protocol error"
                } else {
                    reason
                };
                return Some(CloseFrame {
                    code: CloseCode::Protocol,
                    reason: reason.to_owned().into(),
                });
            }
            Self::Silent | Self::Gone => return None,
        };
        Some(CloseFrame {
            code,
            reason: reason.into(),
        })
    }
}

impl From<QueueError> for End {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::UnknownTunnel => Self::KeyGone,
            QueueError::Unavailable => Self::Unavailable,
        }
    }
}
