//! Limits the rate of webhooks per tunnel, and per peer of a tunnel.

use tokio::time::Instant;

use crate::config::Rate;
use crate::peer::PeerGroup;
use crate::queue::TunnelId;
use crate::rate::KeyedRates;
use crate::refusal::Refusal;

/// Part of a tunnel's rate that one peer may use. If a URL becomes known to a third party,
/// an eighth of the rate is still left for Podio. A relay cannot distinguish a forged
/// webhook from a real one by its content.
const SHARE: f64 = 7.0 / 8.0;

/// Rates of all tunnels.
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

    /// Counts one webhook against the tunnel's rate and the peer's share of it, or against neither.
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
