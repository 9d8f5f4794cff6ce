//! Who has which tunnel: one agent at a time (invariant 6), whichever relay it is connected to.
//!
//! An agent that a person starts takes the tunnel over from whoever has it. One that comes back by
//! itself does not take it from a live one that was started later: it says which epoch it had, and
//! an epoch is given once, to the newest. Nor does one that is started again and again, by a
//! supervisor, within the patience after a take-over, so that two of them do not fight for ever.
//!
//! `rule` decides; an engine keeps what was decided. `memory` is that of a relay that has its
//! tunnels to itself.

pub(crate) mod memory;
mod rule;

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use podtap_wire::Respond;

use crate::queue::{QueueError, SessionId, TunnelId};
use crate::tunnel::AgentConnection;
pub(crate) use rule::{ClaimVerdict, TakeOver, decide};

/// An agent that wants a tunnel.
#[derive(Debug, Clone)]
pub(crate) struct TunnelClaim {
    pub(crate) respond: Respond,
    pub(crate) epoch: u64,
    /// It was connected before, and comes back by itself.
    pub(crate) comes_back: bool,
    /// A person wants it to have the tunnel, whoever has it.
    pub(crate) take_over: bool,
    pub(crate) connected: AgentConnection,
}

/// An agent that has a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HoldingAgent {
    pub(crate) session: SessionId,
    /// Whether it is connected to the relay that asks.
    pub(crate) is_here: bool,
    pub(crate) epoch: u64,
    pub(crate) respond: Respond,
    pub(crate) connected: AgentConnection,
}

/// What became of a claim.
#[derive(Debug)]
pub(crate) enum ClaimOutcome {
    /// The tunnel is the claimant's.
    Taken {
        session: SessionId,
        /// The agent that had it until now.
        from: Option<HoldingAgent>,
    },
    /// This one has it, and keeps it if it lives.
    Contested(HoldingAgent),
}

/// Who has each tunnel of a store. The relay that asks has sessions of its own; of those of others
/// it knows what is here.
pub(crate) trait Roster: fmt::Debug + Send + Sync {
    /// Takes the tunnel, unless another has it that may keep it. `dead` is a session that turned
    /// out not to live: from that one the tunnel is taken in any case.
    fn take(
        &self,
        tunnel: TunnelId,
        claim: TunnelClaim,
        dead: Option<SessionId>,
    ) -> BoxFuture<'_, Result<ClaimOutcome, QueueError>>;

    /// Gives a tunnel back soon, unless another session has it by now.
    fn leave(&self, tunnel: TunnelId, session: SessionId);

    /// Who has each tunnel now, of all relays; `None` where there is nothing new of others.
    fn everyone(&self) -> BoxFuture<'_, Result<Option<Everyone>, QueueError>>;

    /// Has the relay of a session find out whether its agent lives. What it said within `patience`.
    fn ask(
        &self,
        session: SessionId,
        patience: Duration,
    ) -> BoxFuture<'_, Result<bool, QueueError>>;

    /// Says that the agent of a session of this relay lives, as another relay wanted to know.
    fn answer(&self, session: SessionId) -> BoxFuture<'_, Result<(), QueueError>>;
}

/// Every session there is.
#[derive(Debug, Default)]
pub(crate) struct Everyone {
    pub(crate) holders: Vec<(TunnelId, HoldingAgent)>,
    /// Sessions of this relay of which another one wants to know whether they live.
    pub(crate) asked: Vec<SessionId>,
}
