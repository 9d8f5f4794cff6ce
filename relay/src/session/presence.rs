//! Who holds a tunnel: one session at a time, the newest (invariant 6).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use podtap_wire::{Respond, TunnelKey};
use tokio::sync::oneshot;

use super::End;
use crate::queue::TunnelId;
use crate::tunnel::TokenId;
use crate::tunnel::directory::{Owner, Standing, Tunnel};

/// The sessions of a relay, by tunnel.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    holders: Mutex<Holders>,
}

#[derive(Debug, Default)]
struct Holders {
    by_tunnel: HashMap<TunnelId, Holder>,
    /// Tells the holders of one tunnel apart.
    taken: u64,
}

#[derive(Debug)]
struct Holder {
    number: u64,
    token: TokenId,
    key: TunnelKey,
    respond: Respond,
    end: oneshot::Sender<End>,
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
    /// Takes the tunnel, from whoever has it. Also answers whether somebody had it.
    pub(super) fn take(
        self: &Arc<Self>,
        tunnel: &Tunnel,
        owner: &Owner,
        respond: Respond,
    ) -> (Hold, bool) {
        let (end, ended) = oneshot::channel();
        let mut holders = self.lock();
        holders.taken += 1;
        let number = holders.taken;
        let holder = Holder {
            number,
            token: owner.token.clone(),
            key: tunnel.key,
            respond,
            end,
        };
        let older = holders.by_tunnel.insert(tunnel.id, holder);
        let taken_over = older.is_some_and(|older| older.end.send(End::TakenOver).is_ok());
        let hold = Hold {
            presence: Arc::clone(self),
            tunnel: tunnel.id,
            number,
            end: ended,
        };
        (hold, taken_over)
    }

    /// Who answers the senders of a tunnel's webhooks; `None` while no agent is connected.
    pub(crate) fn respond(&self, tunnel: TunnelId) -> Option<Respond> {
        self.lock()
            .by_tunnel
            .get(&tunnel)
            .map(|holder| holder.respond)
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

impl Hold {
    /// Resolves when somebody ends the session.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when dropped.
    pub(super) async fn ended(&mut self) -> End {
        (&mut self.end).await.unwrap_or(End::TakenOver)
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
        }
    }
}
