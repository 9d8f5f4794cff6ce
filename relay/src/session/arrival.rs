//! Runs the session of an agent with a valid token: from the upgrade, over hello and
//! welcome, to the end.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::StreamExt as _;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use podtap_wire::limits::{MAX_CONTROL_BYTES, MAX_HOST_CHARS, MAX_WINDOW};
use podtap_wire::{Hello, RelayFrame, Respond};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_util::sync::CancellationToken;

use super::account::OwnerAccount;
use super::answers::AwaitedAnswers;
use super::end::End;
use super::handshake;
use super::meter::{Meter, MeteredStream};
use super::presence::{self, Presence, PresenceClaim, TunnelHold};
use super::pulse::Pulse;
use super::pump::{Pump, PumpProgress};
use super::socket::{self, SessionSocket};
use super::terms::SessionTerms;
use super::window::SendWindow;
use crate::held::HeldRequests;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::roster::TunnelClaim;
use crate::tunnel::AgentConnection;
use crate::tunnel::directory::{Directory, Owner, ServedTunnel};

/// Maximum number of agents that an arriving agent may find to hold the tunnel, one after
/// the other.
const MAX_RIVALS: usize = 3;

/// An agent with a valid token that has no tunnel yet.
#[derive(Debug)]
pub(super) struct ArrivingAgent {
    pub(super) directory: Arc<Directory>,
    pub(super) presence: Arc<Presence>,
    pub(super) queue: Arc<dyn Queue>,
    pub(super) held: Arc<HeldRequests>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) terms: Arc<SessionTerms>,
    pub(super) account: Arc<OwnerAccount>,
    pub(super) owner: Owner,
    pub(super) peer: IpAddr,
    pub(super) draining: CancellationToken,
}

impl ArrivingAgent {
    /// Runs the session of an agent, from the upgrade to its end.
    pub(super) async fn session(self, upgraded: OnUpgrade) {
        let terms = &self.terms;
        let Ok(Ok(upgraded)) = timeout(terms.hello_timeout, upgraded).await else {
            return;
        };
        let meter = Meter::new(MAX_CONTROL_BYTES);
        let io = TokioIo::new(upgraded);
        let io = MeteredStream::new(io, Arc::clone(&meter), self.account.receiving.clone());
        let config = socket::config(terms.max_answer_bytes);
        let socket = Box::pin(SessionSocket::from_raw_socket(
            io,
            Role::Server,
            Some(config),
        ));
        let mut socket = Box::new(socket.await);
        // The future is boxed so that the many states of a starting session do not take memory in
        // a running one.
        let (mut hold, pump) = match Box::pin(self.begin(&mut socket, meter)).await {
            Ok(begun) => begun,
            Err(end) => return Box::pin(self.turn_away(*socket, end)).await,
        };
        let (mut sink, mut stream) = (*socket).split();
        self.metrics.sessions.inc();
        let ended = async {
            tokio::select! {
                end = hold.wait_for_end() => end,
                () = self.draining.cancelled() => End::Draining,
            }
        };
        let end = pump.run(&mut sink, &mut stream, ended).await;
        self.metrics.sessions.dec();
        tracing::info!(owner = self.owner.name, ?end, "a session ended");
    }

    async fn turn_away(&self, mut socket: SessionSocket, end: End) {
        tracing::debug!(owner = self.owner.name, ?end, "a session did not begin");
        let goodbye = async {
            if let Some(notice) = end.notice() {
                socket::say(&mut socket, &RelayFrame::Notice(notice)).await?;
            }
            socket.close(end.close()).await.map_err(|_| End::Gone)
        };
        let _ = timeout(self.terms.hello_timeout, goodbye).await;
    }

    /// Runs the session from the hello to the welcome.
    async fn begin(
        &self,
        socket: &mut SessionSocket,
        meter: Arc<Meter>,
    ) -> Result<(TunnelHold, Pump), End> {
        let Self {
            directory,
            queue,
            terms,
            owner,
            ..
        } = self;
        let hello = handshake::hello(socket, terms.hello_timeout).await;
        let hello = hello.map_err(|end| meter.exceeding_size().map_or(end, End::too_large))?;
        meter.message_ended();
        if hello.respond == Respond::Local {
            meter.allow(terms.max_answer_bytes);
        }
        let served = directory
            .tunnel(&owner.name, hello.tunnel.clone(), hello.epoch)
            .await?;
        let pulse = Arc::<Pulse>::default();
        let hold = self.take(&served, &hello, &pulse).await?;
        let ServedTunnel { tunnel, epoch } = served;
        // A token or key that was revoked before a poll could find this session is detected here.
        if !directory.is_current(owner, &tunnel).await? {
            return Err(End::Revoked);
        }
        let depth = queue.depth(tunnel.id).await?;
        let window = hello.window.clamp(1, MAX_WINDOW);
        let welcome = terms.welcome(&tunnel, window, depth.events(), epoch);
        socket::say(socket, &RelayFrame::Welcome(welcome)).await?;
        tracing::info!(
            owner = owner.name,
            tunnel = %tunnel.name,
            epoch,
            client = ?hello.client,
            respond = ?hello.respond,
            "an agent connected"
        );
        let window = window as usize;
        let passes = hello.respond == Respond::Local && hello.pass_through;
        let door = if passes {
            self.held.open(tunnel.id, window)
        } else {
            None
        };
        let max_bytes = terms.max_unacknowledged_bytes;
        let window = SendWindow::new(window, max_bytes, depth.removed);
        let pump = Pump {
            queue: Arc::clone(queue),
            answers: AwaitedAnswers::new(Arc::clone(&self.held), door),
            metrics: Arc::clone(&self.metrics),
            account: Arc::clone(&self.account),
            meter,
            pulse,
            tunnel,
            session: hold.session(),
            respond: hello.respond,
            clock: self.presence.clock(),
            first_ping: terms.first_ping(),
            progress: PumpProgress::new(window),
        };
        Ok((hold, pump))
    }

    /// Takes the tunnel for this agent. A dead agent loses it at once; a live one may keep it
    /// (`presence`).
    async fn take(
        &self,
        served: &ServedTunnel,
        hello: &Hello,
        pulse: &Arc<Pulse>,
    ) -> Result<TunnelHold, End> {
        let claim = TunnelClaim {
            respond: hello.respond,
            epoch: served.epoch,
            comes_back: hello.epoch == Some(served.epoch),
            take_over: hello.take_over,
            connected: AgentConnection {
                since: presence::now(),
                host: hello.host.as_deref().map(printable_host),
                peer: self.peer.to_string(),
            },
        };
        let mut dead = None;
        for _ in 0..MAX_RIVALS {
            let claimed = self.presence.take(
                &served.tunnel,
                &self.owner,
                claim.clone(),
                Arc::clone(pulse),
                dead,
            );
            match claimed.await? {
                PresenceClaim::Taken { hold, from_another } => {
                    if from_another {
                        self.metrics.take_overs.inc();
                    }
                    return Ok(hold);
                }
                PresenceClaim::Contested(rival) if self.presence.is_alive(&rival).await? => {
                    return Err(End::TakenOver(rival.holder));
                }
                PresenceClaim::Contested(rival) => dead = Some(rival.session),
            }
        }
        Err(End::Unavailable)
    }
}

/// Returns the agent's name of its machine in a form that may be shown to another agent:
/// printable and short.
fn printable_host(host: &str) -> String {
    let printable = host.chars().filter(char::is_ascii_graphic);
    printable.take(MAX_HOST_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size<A, B, F: Future>(_: impl FnOnce(A, B) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_session_has_room_for_little_but_what_an_idle_one_needs() {
        let bytes = size(ArrivingAgent::session);
        assert!(bytes <= 3 * 1024, "{bytes} bytes");
    }
}
