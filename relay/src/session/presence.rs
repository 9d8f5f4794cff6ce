//! Who has a tunnel: one agent at a time (invariant 6).
//!
//! An agent that a person starts takes the tunnel over from whoever has it. One that comes back by
//! itself does not take it from a live one that was started later: it says which epoch it had, and
//! an epoch is given once, to the newest. Nor does one that is started again and again, by a
//! supervisor, within the patience after a take-over, so that two of them do not fight for ever.
//! Whether the one that has the tunnel lives is found out by asking it (`pulse`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use podtap_wire::{Respond, TunnelHolder, TunnelKey};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::end::End;
use super::pulse::Pulse;
use crate::queue::TunnelId;
use crate::tunnel::directory::{Owner, Standing, Tunnel};
use crate::tunnel::{Connected, TokenId};

/// How long after a take-over the agent that lost does not get the tunnel back by being started
/// again. Doubles with each take-over that follows soon, so that a fight of supervisors dies down.
const PATIENCE: Duration = Duration::from_mins(1);

/// The longest patience.
const MAX_PATIENCE: Duration = Duration::from_hours(1);

/// The sessions of a relay, by tunnel.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    holders: Mutex<Holders>,
    /// How far this machine's clock was set, the last time.
    clock: watch::Sender<i64>,
}

#[derive(Debug, Default)]
struct Holders {
    by_tunnel: HashMap<TunnelId, Holder>,
    take_overs: HashMap<TunnelId, TakeOver>,
    /// Tells the holders of one tunnel apart.
    taken: u64,
    /// Whether the command line was told of all this.
    is_told: bool,
}

#[derive(Debug)]
struct Holder {
    number: u64,
    token: TokenId,
    key: TunnelKey,
    respond: Respond,
    epoch: u64,
    connected: Connected,
    pulse: Arc<Pulse>,
    end: oneshot::Sender<End>,
}

/// The last time that one live agent took a tunnel from another.
#[derive(Debug, Clone, Copy)]
struct TakeOver {
    /// Who has it since then.
    epoch: u64,
    at: Instant,
    patience: Duration,
}

/// An agent that wants a tunnel.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) respond: Respond,
    pub(super) epoch: u64,
    /// It was connected before, and comes back by itself.
    pub(super) comes_back: bool,
    /// A person wants it to have the tunnel, whoever has it.
    pub(super) take_over: bool,
    pub(super) connected: Connected,
    pub(super) pulse: Arc<Pulse>,
}

/// What became of a claim.
#[derive(Debug)]
pub(super) enum Claimed {
    /// The tunnel is the claimant's.
    Taken {
        hold: Hold,
        /// Whether somebody had it.
        from_another: bool,
    },
    /// Another has it, and keeps it if it lives.
    Contested(Rival),
}

/// The agent that has a tunnel which another wants.
#[derive(Debug)]
pub(super) struct Rival {
    number: u64,
    pub(super) holder: TunnelHolder,
    pub(super) pulse: Arc<Pulse>,
}

/// A session's hold on its tunnel; given back when dropped.
#[derive(Debug)]
pub(super) struct Hold {
    presence: Arc<Presence>,
    tunnel: TunnelId,
    number: u64,
    end: oneshot::Receiver<End>,
}

impl Presence {
    /// Has the agents told that this machine's clock was set, so many milliseconds ahead.
    pub(crate) fn clock_set(&self, by_ms: i64) {
        self.clock.send_replace(by_ms);
    }

    /// How far the clock is set, from now on.
    pub(super) fn clock(&self) -> watch::Receiver<i64> {
        self.clock.subscribe()
    }

    /// Takes the tunnel, unless another has it that may keep it. `dead` is a rival that turned out
    /// not to live: from that one the tunnel is taken in any case.
    pub(super) fn take(
        self: &Arc<Self>,
        tunnel: &Tunnel,
        owner: &Owner,
        claim: Claim,
        dead: Option<&Rival>,
        now: Instant,
    ) -> Claimed {
        let mut holders = self.lock();
        let Holders {
            by_tunnel,
            take_overs,
            ..
        } = &mut *holders;
        if let Some(holder) = by_tunnel.get(&tunnel.id) {
            let is_dead = dead.is_some_and(|dead| dead.number == holder.number);
            let last = take_overs.get(&tunnel.id).copied();
            if !is_dead && claim.must_wait(holder, last, now) {
                return Claimed::Contested(Rival {
                    number: holder.number,
                    holder: of(&holder.connected),
                    pulse: Arc::clone(&holder.pulse),
                });
            }
            if !is_dead && claim.epoch != holder.epoch {
                take_overs.retain(|_, last| now < last.at + 2 * last.patience);
                let patience = take_overs
                    .get(&tunnel.id)
                    .map_or(PATIENCE, |last| (2 * last.patience).min(MAX_PATIENCE));
                let (epoch, at) = (claim.epoch, now);
                take_overs.insert(
                    tunnel.id,
                    TakeOver {
                        epoch,
                        at,
                        patience,
                    },
                );
            }
        }
        let (end, ended) = oneshot::channel();
        let told = of(&claim.connected);
        holders.taken += 1;
        holders.is_told = false;
        let number = holders.taken;
        let holder = Holder {
            number,
            token: owner.token.clone(),
            key: tunnel.key,
            respond: claim.respond,
            epoch: claim.epoch,
            connected: claim.connected,
            pulse: claim.pulse,
            end,
        };
        let older = holders.by_tunnel.insert(tunnel.id, holder);
        let from_another = older.is_some_and(|older| older.end.send(End::TakenOver(told)).is_ok());
        let hold = Hold {
            presence: Arc::clone(self),
            tunnel: tunnel.id,
            number,
            end: ended,
        };
        Claimed::Taken { hold, from_another }
    }

    /// Who answers the senders of a tunnel's webhooks; `None` while no agent is connected.
    pub(crate) fn respond(&self, tunnel: TunnelId) -> Option<Respond> {
        self.lock()
            .by_tunnel
            .get(&tunnel)
            .map(|holder| holder.respond)
    }

    /// The agent that has the tunnel.
    pub(crate) fn connected(&self, tunnel: TunnelId) -> Option<Connected> {
        let holders = self.lock();
        let holder = holders.by_tunnel.get(&tunnel);
        holder.map(|holder| holder.connected.clone())
    }

    /// Who is connected, if that changed since the last time.
    pub(crate) fn news(&self) -> Option<Vec<(TunnelId, Connected)>> {
        let mut holders = self.lock();
        let is_news = !std::mem::replace(&mut holders.is_told, true);
        is_news.then(|| {
            let all = holders.by_tunnel.iter();
            all.map(|(tunnel, holder)| (*tunnel, holder.connected.clone()))
                .collect()
        })
    }

    /// The news could not be told.
    pub(crate) fn tell_again(&self) {
        self.lock().is_told = false;
    }

    /// Ends the sessions whose token or key is no longer good.
    pub(crate) fn enforce(&self, standing: &Standing) {
        let mut holders = self.lock();
        let mut ended = Vec::new();
        for (tunnel, holder) in &holders.by_tunnel {
            if !standing.tokens.contains(&holder.token) {
                ended.push((*tunnel, End::Revoked));
            } else if !standing.keys.contains(&holder.key) {
                ended.push((*tunnel, End::KeyGone));
            }
        }
        holders.is_told &= ended.is_empty();
        for (tunnel, end) in ended {
            if let Some(holder) = holders.by_tunnel.remove(&tunnel) {
                // A session that has ended by itself needs no telling.
                let _ = holder.end.send(end);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Holders> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// Whether the holder keeps the tunnel if it lives.
    fn must_wait(&self, holder: &Holder, last: Option<TakeOver>, now: Instant) -> bool {
        if self.take_over || self.epoch == holder.epoch {
            return false;
        }
        if self.comes_back {
            return self.epoch < holder.epoch;
        }
        last.is_some_and(|last| last.epoch == holder.epoch && now < last.at + last.patience)
    }
}

impl Hold {
    /// Resolves when somebody ends the session.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when dropped.
    pub(super) async fn ended(&mut self) -> End {
        (&mut self.end)
            .await
            .unwrap_or_else(|_| End::TakenOver(TunnelHolder::default()))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut holders = self.presence.lock();
        if holders
            .by_tunnel
            .get(&self.tunnel)
            .is_some_and(|holder| holder.number == self.number)
        {
            holders.by_tunnel.remove(&self.tunnel);
            holders.is_told = false;
        }
    }
}

/// An agent as another one is told of it.
fn of(connected: &Connected) -> TunnelHolder {
    TunnelHolder {
        host: connected.host.clone(),
        since: Some(connected.since),
    }
}

/// The current time as it is told to people: to the millisecond.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(epoch: u64, comes_back: bool) -> Claim {
        Claim {
            respond: Respond::Stored,
            epoch,
            comes_back,
            take_over: false,
            connected: Connected {
                since: Timestamp::UNIX_EPOCH,
                host: None,
                peer: "::1".to_owned(),
            },
            pulse: Arc::default(),
        }
    }

    fn take(presence: &Arc<Presence>, claim: Claim, now: Instant) -> Option<Hold> {
        let key = TunnelKey::from_bytes([7; 16]);
        let tunnel = Tunnel::new(TunnelId(1), key, "crm".parse().unwrap());
        let owner = Owner {
            name: "ada".to_owned(),
            token: TokenId::of("abcdef"),
        };
        match presence.take(&tunnel, &owner, claim, None, now) {
            Claimed::Taken { hold, .. } => Some(hold),
            Claimed::Contested(_) => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_started_takes_over_and_who_comes_back_late_does_not() {
        let (presence, now) = (Arc::<Presence>::default(), Instant::now());
        let _first = take(&presence, claim(1, false), now).unwrap();
        let _second = take(&presence, claim(2, false), now).unwrap();
        assert!(take(&presence, claim(1, true), now).is_none(), "it slept");
        assert!(take(&presence, claim(2, true), now).is_some(), "its own");
        // Whoever was there first after the relay's restart: the newer one gets it back.
        let presence = Arc::default();
        let _first = take(&presence, claim(1, true), now).unwrap();
        assert!(take(&presence, claim(2, true), now).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_fight_of_supervisors_dies_down() {
        let (presence, mut now) = (Arc::<Presence>::default(), Instant::now());
        let mut hold = take(&presence, claim(1, false), now).unwrap();
        let (mut epoch, mut take_overs) = (1, 0);
        let end = now + Duration::from_hours(4);
        // Whoever loses is started again each second.
        while now < end {
            epoch += 1;
            if let Some(next) = take(&presence, claim(epoch, false), now) {
                hold = next;
                take_overs += 1;
            }
            now += Duration::from_secs(1);
        }
        assert!((3..=10).contains(&take_overs), "{take_overs}");
        drop(hold);
        assert!(
            take(&presence, claim(epoch + 1, false), now).is_some(),
            "nobody has it"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_person_gets_the_tunnel_whoever_has_it() {
        let (presence, now) = (Arc::<Presence>::default(), Instant::now());
        let _first = take(&presence, claim(1, false), now).unwrap();
        let _second = take(&presence, claim(2, false), now).unwrap();
        assert!(take(&presence, claim(3, false), now).is_none());
        let wanted = Claim {
            take_over: true,
            ..claim(3, false)
        };
        assert!(take(&presence, wanted, now).is_some());
    }
}
