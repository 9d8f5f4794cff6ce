//! When the local service was away: then Podio's own calls would have failed, while events here
//! just wait. Pure: the states come from the status.

use jiff::Timestamp;

use crate::history::Fact;
use crate::status::ServiceState;

/// What to remember when the local service goes from one state to the next.
pub(super) fn outage(before: &ServiceState, after: &ServiceState, now: Timestamp) -> Option<Fact> {
    match (before, after) {
        (ServiceState::Down { .. }, ServiceState::Down { .. }) => None,
        (_, ServiceState::Down { since, .. }) => Some(Fact::Outage {
            since: *since,
            // Until anything better is known.
            until: Timestamp::MAX,
        }),
        (ServiceState::Down { since, .. }, _) => Some(Fact::Outage {
            since: *since,
            until: now,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_open_until_the_service_is_back() {
        let since = Timestamp::from_second(5).unwrap();
        let now = Timestamp::from_second(9).unwrap();
        let down = |reason: &str| ServiceState::Down {
            since,
            reason: reason.to_owned(),
        };
        let up = ServiceState::Up { since };
        let noted = |until| Some(Fact::Outage { since, until });
        assert_eq!(
            outage(&ServiceState::Unknown, &down("a"), now),
            noted(Timestamp::MAX)
        );
        assert_eq!(outage(&down("a"), &down("b"), now), None);
        assert_eq!(outage(&down("b"), &up, now), noted(now));
        assert_eq!(outage(&ServiceState::Unknown, &up, now), None);
    }
}
