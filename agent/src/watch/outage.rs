//! Records when the local service was unreachable: Podio's own calls would have failed then, while
//! events here just wait. It also records when the relay was unreachable for so long that Podio may
//! have failed to reach it, too. Pure: the states come from the status.

use jiff::{SignedDuration, Timestamp};

use crate::history::{Fact, Incident};
use crate::status::{LinkState, ServiceState};

/// Time without a relay after which lost events should be looked for.
const LONG: SignedDuration = SignedDuration::from_mins(10);

/// The state of the link that is kept from one moment to the next.
#[derive(Debug, Default)]
pub(super) struct LinkWatch {
    was_up: bool,
    down_since: Option<Timestamp>,
}

impl LinkWatch {
    /// Creates a watch for a relay that ended together with this agent at that time; `None` if the
    /// relay may have continued.
    pub(super) fn after(was_off_since: Option<Timestamp>) -> Self {
        Self {
            was_up: was_off_since.is_some(),
            down_since: was_off_since,
        }
    }

    /// Records the link's state. Before the first connection nothing can be lost.
    pub(super) fn observe(&mut self, state: &LinkState, now: Timestamp) -> Option<Fact> {
        if !matches!(state, LinkState::Up { .. }) {
            if self.was_up {
                self.down_since.get_or_insert(now);
            }
            return None;
        }
        self.was_up = true;
        let since = self.down_since.take()?;
        let is_long = now.duration_since(since) >= LONG;
        let outage = Incident::LinkOutage { since, until: now };
        is_long.then_some(Fact::Incident(outage))
    }
}

/// Returns the fact to store when the state of the local service changes.
pub(super) fn outage(before: &ServiceState, after: &ServiceState, now: Timestamp) -> Option<Fact> {
    match (before, after) {
        (ServiceState::Down { .. }, ServiceState::Down { .. }) => None,
        (_, ServiceState::Down { since, .. }) => Some(Fact::Outage {
            since: *since,
            // Until the end is known.
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
    fn only_a_long_time_without_the_relay_after_the_first_connection_is_told() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let (up, down) = (
            LinkState::Up { since: at(0) },
            LinkState::Connecting {
                attempt: 3,
                reason: None,
                retry_at: None,
            },
        );
        let mut link = LinkWatch::default();
        for (state, second, told) in [
            (&down, 0, None),
            (&up, 2_000, None),
            (&down, 3_000, None),
            (&up, 3_599, None),
            (&down, 4_000, None),
            (&down, 4_500, None),
            (&up, 4_600, Some((4_000, 4_600))),
            (&up, 9_000, None),
        ] {
            let fact = told.map(|(since, until)| {
                Fact::Incident(Incident::LinkOutage {
                    since: at(since),
                    until: at(until),
                })
            });
            assert_eq!(link.observe(state, at(second)), fact, "{second}");
        }
    }

    #[test]
    fn a_relay_that_was_off_with_its_agent_is_told_at_the_next_start() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let up = LinkState::Up { since: at(0) };
        for (was_off_since, second, is_told) in [
            (Some(0), 86_400, true),
            (Some(0), 600, true),
            (Some(0), 599, false),
            // The clock was set back between the runs.
            (Some(9_000), 60, false),
            (None, 86_400, false),
        ] {
            let mut link = LinkWatch::after(was_off_since.map(at));
            let told = link.observe(&up, at(second));
            assert_eq!(told.is_some(), is_told, "{was_off_since:?} {second}");
            assert_eq!(link.observe(&up, at(second + 9_000)), None, "once");
        }
    }

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
