//! Decides which of two agents gets a tunnel that both want. Pure.

use std::time::Duration;

use super::{HoldingAgent, TunnelClaim};
use crate::queue::SessionId;

/// Time after a take-over in which the agent that lost the tunnel does not get it back by
/// being restarted. It doubles with each take-over that follows soon, so that a fight
/// between supervisors ends.
const PATIENCE: Duration = Duration::from_mins(1);

/// The longest patience.
const MAX_PATIENCE: Duration = Duration::from_hours(1);

/// The last time that a live agent took a tunnel from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TakeOver {
    /// Epoch of the agent that has had the tunnel since then.
    pub(crate) epoch: u64,
    /// Time since then.
    pub(crate) age: Duration,
    pub(crate) patience: Duration,
}

/// Decision about a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimVerdict {
    /// The claimant gets the tunnel.
    Take {
        /// Patience of a take-over, if one must be recorded.
        patience: Option<Duration>,
    },
    /// The holder keeps the tunnel if it is alive.
    Contest,
}

/// Decides about a claim to a tunnel that `holder` has, if it has one.
pub(crate) fn decide(
    claim: &TunnelClaim,
    holder: Option<&HoldingAgent>,
    dead: Option<SessionId>,
    last: Option<TakeOver>,
) -> ClaimVerdict {
    let Some(holder) = holder.filter(|holder| dead != Some(holder.session)) else {
        return ClaimVerdict::Take { patience: None };
    };
    // A take-over that is old enough does not count any more.
    let last = last.filter(|last| last.age < 2 * last.patience);
    if must_wait(claim, holder, last) {
        return ClaimVerdict::Contest;
    }
    let patience = (claim.epoch != holder.epoch)
        .then(|| last.map_or(PATIENCE, |last| (2 * last.patience).min(MAX_PATIENCE)));
    ClaimVerdict::Take { patience }
}

fn must_wait(claim: &TunnelClaim, holder: &HoldingAgent, last: Option<TakeOver>) -> bool {
    if claim.take_over || claim.epoch == holder.epoch {
        return false;
    }
    if claim.comes_back {
        return claim.epoch < holder.epoch;
    }
    last.is_some_and(|last| last.epoch == holder.epoch && last.age < last.patience)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use podtap_wire::Respond;

    use super::*;
    use crate::tunnel::AgentConnection;

    fn claim(epoch: u64) -> TunnelClaim {
        TunnelClaim {
            respond: Respond::Stored,
            epoch,
            comes_back: false,
            take_over: false,
            connected: AgentConnection {
                since: Timestamp::UNIX_EPOCH,
                host: None,
                peer: "::1".to_owned(),
            },
        }
    }

    fn holder(epoch: u64) -> HoldingAgent {
        let TunnelClaim {
            respond, connected, ..
        } = claim(epoch);
        HoldingAgent {
            session: SessionId(1),
            is_here: true,
            epoch,
            respond,
            connected,
        }
    }

    #[test]
    fn one_that_comes_back_late_waits_and_one_that_is_dead_is_in_nobodys_way() {
        let back = |epoch| TunnelClaim {
            comes_back: true,
            ..claim(epoch)
        };
        let decided = |claim: &TunnelClaim, dead| decide(claim, Some(&holder(2)), dead, None);
        let take = |patience| ClaimVerdict::Take { patience };
        assert_eq!(decided(&back(1), None), ClaimVerdict::Contest, "it slept");
        assert_eq!(decided(&back(1), Some(SessionId(1))), take(None));
        assert_eq!(decided(&back(1), Some(SessionId(9))), ClaimVerdict::Contest);
        assert_eq!(decided(&back(2), None), take(None), "its own");
        assert_eq!(decided(&back(3), None), take(Some(PATIENCE)));
        assert_eq!(decide(&back(1), None, None, None), take(None));
    }

    #[test]
    fn who_lost_waits_for_longer_and_longer_unless_a_person_wants_it() {
        let last = |age, patience| {
            Some(TakeOver {
                epoch: 2,
                age,
                patience,
            })
        };
        let decided = |claim: &TunnelClaim, last| decide(claim, Some(&holder(2)), None, last);
        let just_before = last(Duration::from_secs(59), PATIENCE);
        assert_eq!(decided(&claim(3), just_before), ClaimVerdict::Contest);
        let take = |patience| ClaimVerdict::Take {
            patience: Some(patience),
        };
        assert_eq!(
            decided(&claim(3), last(PATIENCE, PATIENCE)),
            take(2 * PATIENCE)
        );
        assert_eq!(
            decided(&claim(3), last(2 * PATIENCE, PATIENCE)),
            take(PATIENCE)
        );
        let longest = last(MAX_PATIENCE, MAX_PATIENCE);
        assert_eq!(decided(&claim(3), longest), take(MAX_PATIENCE));
        let wanted = TunnelClaim {
            take_over: true,
            ..claim(3)
        };
        assert_eq!(decided(&wanted, just_before), take(2 * PATIENCE));
    }
}
