//! Keeps the sessions of this relay, and what it knows of those of other relays: which agent
//! has a tunnel, whether it sends answers, and how a session learns that it lost its tunnel.
//!
//! The `roster` decides which agent gets a tunnel. Whether the agent that has it is alive
//! is found out by asking it (`pulse`).

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use podtap_wire::{Respond, TunnelHolder, TunnelKey};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

use super::end::End;
use super::pulse::{ANSWER_LIMIT, Pulse};
use crate::queue::{QueueError, SessionId, TunnelId};
use crate::roster::{self, HoldingAgent, Roster, TunnelClaim};
use crate::tunnel::directory::{Owner, StillValid, Tunnel};
use crate::tunnel::{AgentConnection, TokenId};

/// Sessions of a relay, by tunnel.
#[derive(Debug)]
pub(crate) struct Presence {
    roster: Arc<dyn Roster>,
    state: Mutex<PresenceState>,
    /// Notified when there are changes that are not stored for the command line yet.
    has_news: Notify,
    /// How far this machine's clock was last set, in milliseconds.
    clock: watch::Sender<i64>,
}

#[derive(Debug, Default)]
struct PresenceState {
    here: HashMap<TunnelId, LiveSession>,
    /// Agents that are connected to other relays.
    elsewhere: HashMap<TunnelId, HoldingAgent>,
    /// Sessions about which another relay asks whether they are alive, and since when.
    asked: HashMap<SessionId, (Arc<Pulse>, Instant)>,
    /// Whether the current sessions are stored for the command line.
    is_told: bool,
}

#[derive(Debug)]
struct LiveSession {
    id: SessionId,
    token: TokenId,
    key: TunnelKey,
    respond: Respond,
    connected: AgentConnection,
    pulse: Arc<Pulse>,
    end: oneshot::Sender<End>,
}

/// Outcome of a claim.
#[derive(Debug)]
pub(super) enum PresenceClaim {
    /// The claimant has the tunnel now.
    Taken {
        hold: TunnelHold,
        /// Whether another agent had it before.
        from_another: bool,
    },
    /// Another agent has the tunnel, and keeps it if it is alive.
    Contested(Rival),
}

/// The agent that has a tunnel which another agent wants.
#[derive(Debug)]
pub(super) struct Rival {
    pub(super) session: SessionId,
    pub(super) holder: TunnelHolder,
    at: HoldingSession,
}

#[derive(Debug)]
enum HoldingSession {
    Here(Arc<Pulse>),
    Elsewhere,
    /// Its session has ended meanwhile.
    Gone,
}

/// A session's hold on its tunnel. Dropping it gives the tunnel up.
#[derive(Debug)]
pub(super) struct TunnelHold {
    presence: Arc<Presence>,
    tunnel: TunnelId,
    session: SessionId,
    end: oneshot::Receiver<End>,
}

impl Presence {
    pub(crate) fn new(roster: Arc<dyn Roster>) -> Self {
        Self {
            roster,
            state: Mutex::default(),
            has_news: Notify::new(),
            clock: watch::Sender::default(),
        }
    }

    /// Informs the agents that this machine's clock was set ahead by this number of milliseconds.
    pub(crate) fn clock_set(&self, by_ms: i64) {
        self.clock.send_replace(by_ms);
    }

    /// Returns a receiver for changes of the clock from now on.
    pub(super) fn clock(&self) -> watch::Receiver<i64> {
        self.clock.subscribe()
    }

    /// Takes the tunnel, unless another agent has it and may keep it. `dead` is a rival that
    /// turned out to be dead, so its tunnel may always be taken.
    pub(super) async fn take(
        self: &Arc<Self>,
        tunnel: &Tunnel,
        owner: &Owner,
        claim: TunnelClaim,
        pulse: Arc<Pulse>,
        dead: Option<SessionId>,
    ) -> Result<PresenceClaim, QueueError> {
        let (respond, connected) = (claim.respond, claim.connected.clone());
        let (id, from) = match self.roster.take(tunnel.id, claim, dead).await? {
            roster::ClaimOutcome::Contested(holder) => {
                return Ok(PresenceClaim::Contested(self.rival(tunnel.id, &holder)));
            }
            roster::ClaimOutcome::Taken { session, from } => (session, from),
        };
        let (end, ended) = oneshot::channel();
        let session = LiveSession {
            id,
            token: owner.token.clone(),
            key: tunnel.key,
            respond,
            connected,
            pulse,
            end,
        };
        let was_here = self.enter(tunnel.id, session);
        let hold = TunnelHold {
            presence: Arc::clone(self),
            tunnel: tunnel.id,
            session: id,
            end: ended,
        };
        let was_elsewhere = from.is_some_and(|holder| !holder.is_here);
        Ok(PresenceClaim::Taken {
            hold,
            from_another: was_here || was_elsewhere,
        })
    }

    /// Adds a session of this relay. Returns whether it replaced another one.
    fn enter(&self, tunnel: TunnelId, session: LiveSession) -> bool {
        let mut state = self.lock();
        self.is_news(&mut state);
        state.elsewhere.remove(&tunnel);
        // Two sessions that took the tunnel one after the other may arrive here in the wrong order.
        let newest = state.here.get(&tunnel);
        if let Some(newest) = newest.filter(|newest| newest.id > session.id) {
            let _ = session.end.send(End::TakenOver(of(&newest.connected)));
            return false;
        }
        let told = of(&session.connected);
        let older = state.here.insert(tunnel, session);
        older.is_some_and(|older| older.end.send(End::TakenOver(told)).is_ok())
    }

    fn rival(&self, tunnel: TunnelId, holder: &HoldingAgent) -> Rival {
        let state = self.lock();
        let here = state.here.get(&tunnel);
        let here = here.filter(|session| session.id == holder.session);
        let at = match here {
            Some(session) => HoldingSession::Here(Arc::clone(&session.pulse)),
            None if holder.is_here => HoldingSession::Gone,
            None => HoldingSession::Elsewhere,
        };
        Rival {
            session: holder.session,
            holder: of(&holder.connected),
            at,
        }
    }

    /// Returns whether the agent that has the tunnel is alive.
    pub(super) async fn is_alive(&self, rival: &Rival) -> Result<bool, QueueError> {
        match &rival.at {
            HoldingSession::Here(pulse) => Ok(pulse.is_alive().await),
            HoldingSession::Elsewhere => self.roster.ask(rival.session, ANSWER_LIMIT).await,
            HoldingSession::Gone => Ok(false),
        }
    }

    /// Exchanges state with other relays: ends sessions that lost their tunnel to an agent of
    /// another relay, and answers whether agents of this relay are alive. Called periodically.
    pub(crate) async fn exchange(&self) -> Result<(), QueueError> {
        let known: HashSet<SessionId> = self.lock().here.values().map(|it| it.id).collect();
        if let Some(everyone) = self.roster.everyone().await? {
            let mut state = self.lock();
            state.take_over(&everyone.holders, &known);
            state.ask(&everyone.asked);
        }
        let answered = self.lock().take_answered();
        for session in answered {
            self.roster.answer(session).await?;
        }
        Ok(())
    }

    /// Returns whether the relay or the local service answers a tunnel's webhooks, or `None`
    /// while no agent is connected.
    pub(crate) fn respond(&self, tunnel: TunnelId) -> Option<Respond> {
        let state = self.lock();
        let here = state.here.get(&tunnel).map(|session| session.respond);
        here.or_else(|| state.elsewhere.get(&tunnel).map(|holder| holder.respond))
    }

    /// Returns whether the agent that has the tunnel is connected to another relay.
    pub(crate) fn is_elsewhere(&self, tunnel: TunnelId) -> bool {
        let state = self.lock();
        !state.here.contains_key(&tunnel) && state.elsewhere.contains_key(&tunnel)
    }

    /// Returns the key of a tunnel whose agent is connected to this relay.
    pub(crate) fn key_here(&self, tunnel: TunnelId) -> Option<TunnelKey> {
        Some(self.lock().here.get(&tunnel)?.key)
    }

    /// Returns the agent that has the tunnel.
    pub(crate) fn connected_agent(&self, tunnel: TunnelId) -> Option<AgentConnection> {
        let state = self.lock();
        let here = state.here.get(&tunnel);
        let here = here.map(|session| &session.connected);
        let elsewhere = || Some(&state.elsewhere.get(&tunnel)?.connected);
        here.or_else(elsewhere).cloned()
    }

    /// Waits until the connected agents have changed since the last call, and returns them.
    ///
    /// # Cancel safety
    /// Safe: a change that was not returned is returned by the next call.
    pub(crate) async fn news(&self) -> Vec<(TunnelId, AgentConnection)> {
        loop {
            {
                let mut state = self.lock();
                if !std::mem::replace(&mut state.is_told, true) {
                    let all = state.here.iter();
                    let all = all.map(|(tunnel, session)| (*tunnel, session.connected.clone()));
                    return all.collect();
                }
            }
            self.has_news.notified().await;
        }
    }

    /// Makes [`Self::news`] return the agents again, because they could not be stored.
    pub(crate) fn tell_again(&self) {
        self.is_news(&mut self.lock());
    }

    /// Ends the sessions whose token or key is not valid any more.
    pub(crate) fn enforce(&self, standing: &StillValid) {
        let mut ended = Vec::new();
        {
            let mut state = self.lock();
            for (tunnel, session) in &state.here {
                if !standing.tokens.contains(&session.token) {
                    ended.push((*tunnel, session.id, End::Revoked));
                } else if !standing.keys.contains(&session.key) {
                    ended.push((*tunnel, session.id, End::KeyGone));
                }
            }
            if !ended.is_empty() {
                self.is_news(&mut state);
            }
            for (tunnel, _, end) in &ended {
                state.end(*tunnel, end.clone());
            }
        }
        for (tunnel, session, _) in ended {
            self.roster.leave(tunnel, session);
        }
    }

    fn is_news(&self, state: &mut PresenceState) {
        state.is_told = false;
        self.has_news.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, PresenceState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PresenceState {
    /// Applies the roster. Only sessions in `known`, which existed before the roster was read,
    /// can have lost their tunnel.
    fn take_over(&mut self, holders: &[(TunnelId, HoldingAgent)], known: &HashSet<SessionId>) {
        let by_tunnel: HashMap<_, _> = holders.iter().map(|(id, holder)| (*id, holder)).collect();
        let lost: Vec<_> = self
            .here
            .iter()
            .filter(|(_, session)| known.contains(&session.id))
            .filter_map(|(tunnel, session)| match by_tunnel.get(tunnel) {
                Some(holder) if holder.session == session.id => None,
                Some(holder) => Some((*tunnel, End::TakenOver(of(&holder.connected)))),
                None => Some((*tunnel, End::Unavailable)),
            })
            .collect();
        for (tunnel, end) in lost {
            self.end(tunnel, end);
        }
        let others = holders.iter().filter(|(_, holder)| !holder.is_here);
        self.elsewhere = others.cloned().collect();
    }

    fn end(&mut self, tunnel: TunnelId, end: End) {
        if let Some(session) = self.here.remove(&tunnel) {
            // If the session has ended by itself, the receiver is gone.
            let _ = session.end.send(end);
        }
    }

    /// Asks agents for a sign of life.
    fn ask(&mut self, sessions: &[SessionId]) {
        for session in self.here.values() {
            if sessions.contains(&session.id) && !self.asked.contains_key(&session.id) {
                let pulse = Arc::clone(&session.pulse);
                let since = pulse.ask();
                self.asked.insert(session.id, (pulse, since));
            }
        }
    }

    /// Returns the sessions that have answered since they were asked.
    fn take_answered(&mut self) -> Vec<SessionId> {
        let mut answered = Vec::new();
        self.asked.retain(|session, (pulse, since)| {
            let has_answered = pulse.was_heard_since(*since);
            answered.extend(has_answered.then_some(*session));
            !has_answered && since.elapsed() < 2 * ANSWER_LIMIT
        });
        answered
    }
}

impl TunnelHold {
    pub(super) fn session(&self) -> SessionId {
        self.session
    }

    /// Waits until the session must end.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when dropped.
    pub(super) async fn wait_for_end(&mut self) -> End {
        (&mut self.end)
            .await
            .unwrap_or_else(|_| End::TakenOver(TunnelHolder::default()))
    }
}

impl Drop for TunnelHold {
    fn drop(&mut self) {
        let mut state = self.presence.lock();
        if state
            .here
            .get(&self.tunnel)
            .is_some_and(|session| session.id == self.session)
        {
            state.here.remove(&self.tunnel);
            self.presence.is_news(&mut state);
        }
        drop(state);
        self.presence.roster.leave(self.tunnel, self.session);
    }
}

/// Describes an agent for another agent.
fn of(connected: &AgentConnection) -> TunnelHolder {
    TunnelHolder {
        host: connected.host.clone(),
        since: Some(connected.since),
    }
}

/// Returns the current time in the precision that people see: milliseconds.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
