//! Decides which agent has a tunnel: one agent at a time (invariant 6), whichever relay it
//! is connected to.
//!
//! An agent that a person starts takes the tunnel over from the agent that has it. An agent
//! that reconnects by itself does not take the tunnel from a live agent that was started
//! later: it sends the epoch that it had, and each epoch is assigned once, to the newest
//! agent. An agent that a supervisor restarts again and again does not take the tunnel back
//! within the patience after a take-over, so that two such agents do not fight forever.
//!
//! `rule` makes the decision and an engine stores it. `memory` is the engine of a relay
//! that does not share its tunnels.

pub(crate) mod memory;
mod rule;

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use podtap_wire::Respond;

use crate::queue::{QueueError, SessionId, TunnelId};
use crate::tunnel::AgentConnection;
pub(crate) use rule::{ClaimVerdict, TakeOver, decide};

/// Claim of an agent to a tunnel.
#[derive(Debug, Clone)]
pub(crate) struct TunnelClaim {
    pub(crate) respond: Respond,
    pub(crate) epoch: u64,
    /// Whether the agent was connected before and reconnects by itself.
    pub(crate) comes_back: bool,
    /// Whether a person demands the tunnel for this agent, even if another agent has it.
    pub(crate) take_over: bool,
    pub(crate) connected: AgentConnection,
}

/// The agent that has a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HoldingAgent {
    pub(crate) session: SessionId,
    /// Whether the agent is connected to the relay that asks.
    pub(crate) is_here: bool,
    pub(crate) epoch: u64,
    pub(crate) respond: Respond,
    pub(crate) connected: AgentConnection,
}

/// Outcome of a claim.
#[derive(Debug)]
pub(crate) enum ClaimOutcome {
    /// The claimant has the tunnel now.
    Taken {
        session: SessionId,
        /// Agent that had the tunnel before.
        from: Option<HoldingAgent>,
    },
    /// This agent has the tunnel, and keeps it if it is alive.
    Contested(HoldingAgent),
}

/// The agents that have the tunnels of a store. The relay that asks knows its own sessions;
/// the roster also contains those of other relays.
pub(crate) trait Roster: fmt::Debug + Send + Sync {
    /// Gives the tunnel to the claimant, unless another agent has it and may keep it. `dead` is
    /// a session that turned out to be dead, so its tunnel may always be taken.
    fn take(
        &self,
        tunnel: TunnelId,
        claim: TunnelClaim,
        dead: Option<SessionId>,
    ) -> BoxFuture<'_, Result<ClaimOutcome, QueueError>>;

    /// Gives a tunnel up a little later, unless another session has it by then.
    fn leave(&self, tunnel: TunnelId, session: SessionId);

    /// Returns the agents of all tunnels and relays, or `None` if nothing has changed at other
    /// relays.
    fn everyone(&self) -> BoxFuture<'_, Result<Option<Everyone>, QueueError>>;

    /// Asks the relay of a session whether its agent is alive. Returns the answer, which must
    /// arrive within `patience`.
    fn ask(
        &self,
        session: SessionId,
        patience: Duration,
    ) -> BoxFuture<'_, Result<bool, QueueError>>;

    /// Answers the question of another relay: the agent of this relay's session is alive.
    fn answer(&self, session: SessionId) -> BoxFuture<'_, Result<(), QueueError>>;
}

/// All sessions of a store.
#[derive(Debug, Default)]
pub(crate) struct Everyone {
    pub(crate) holders: Vec<(TunnelId, HoldingAgent)>,
    /// Sessions of this relay about which another relay asks whether they are alive.
    pub(crate) asked: Vec<SessionId>,
}
