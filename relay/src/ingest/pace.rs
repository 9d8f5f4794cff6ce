//! How fast webhooks may come for one tunnel, and from one peer for it.

use tokio::time::Instant;

use crate::config::Rate;
use crate::peer::PeerGroup;
use crate::queue::TunnelId;
use crate::rate::KeyedRates;
use crate::refusal::Refusal;

/// The part of a tunnel's rate that one peer may use: whoever finds a URL leaves an eighth of it to
/// Podio, whatever is sent. A relay cannot tell a forged webhook from a real one by what is in it.
const SHARE: f64 = 7.0 / 8.0;

/// The rates of all tunnels.
#[derive(Debug)]
pub(super) struct TunnelRates {
    tunnels: KeyedRates<TunnelId>,
    shares: KeyedRates<(TunnelId, PeerGroup)>,
}

impl TunnelRates {
    pub(super) fn new(rate: Rate) -> Self {
        Self {
            tunnels: KeyedRates::new(rate),
            shares: KeyedRates::new(rate.part(SHARE)),
        }
    }

    /// Takes one webhook out of the tunnel's rate and of the peer's share of it, or out of neither.
    pub(super) fn admit(
        &self,
        tunnel: TunnelId,
        peer: PeerGroup,
        now: Instant,
    ) -> Result<(), Refusal> {
        let of_tunnel = |retry_after| Refusal::Rate { retry_after };
        self.tunnels.check(tunnel, now).map_err(of_tunnel)?;
        self.shares
            .take((tunnel, peer), now)
            .map_err(|retry_after| Refusal::ShareOfRate { retry_after })?;
        self.tunnels.take(tunnel, now).map_err(of_tunnel)
    }
}
