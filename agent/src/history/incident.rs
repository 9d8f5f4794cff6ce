//! What befell the way of the events: told by the relay, or seen of a clock.

use std::fmt;

use jiff::Timestamp;
use podtap_wire::Seq;
use serde::{Deserialize, Serialize};

use super::clock_set::ClockSet;
use crate::amount;

/// Events that never came, or a clock that was set. As a finding it is kept as JSON, in this form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Incident {
    /// The relay removed events before any agent took them.
    Gap {
        /// The first one gone.
        from: Seq,
        /// The last one gone, inclusive.
        to: Seq,
        /// Which limit, in words.
        reason: String,
    },
    /// The relay turned webhooks away: no event was made of them.
    Refused {
        /// How many, since it was told last.
        count: u64,
        /// Why, in the relay's words.
        reason: String,
        /// When the last one was.
        last_at: Timestamp,
    },
    /// The relay could not be reached for long: what Podio sent may be lost.
    LinkOutage {
        /// From this moment on.
        since: Timestamp,
        until: Timestamp,
    },
    /// A clock was set.
    ClockSet(ClockSet),
}

impl Incident {
    /// How many events were removed from this one to that one, both included.
    pub(crate) const fn count(from: Seq, to: Seq) -> u64 {
        to.0.saturating_sub(from.0).saturating_add(1)
    }

    /// What to do about it; `None` where there is nothing to do.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Gap { .. } | Self::Refused { .. } | Self::LinkOutage { .. } => {
                Some("podtap repair finds lost item events")
            }
            Self::ClockSet(_) => None,
        }
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { from, to, reason } => {
                let (count, verb) = match Self::count(*from, *to) {
                    1 => (format!("event {from}"), "was"),
                    count => (format!("{count} events ({from} to {to})"), "were"),
                };
                write!(f, "{count} {verb} removed by the relay: {reason}")
            }
            Self::Refused { count, reason, .. } => {
                let webhooks = match count {
                    1 => "webhook was",
                    _ => "webhooks were",
                };
                write!(f, "{count} {webhooks} refused by the relay: {reason}")
            }
            Self::LinkOutage { since, until } => {
                let away = amount::age(until.duration_since(*since));
                write!(f, "the relay was away for {away}: webhooks may be lost")
            }
            Self::ClockSet(set) => set.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock_set::Machine;
    use super::*;

    #[test]
    fn a_repair_is_offered_where_events_may_be_lost() {
        let outage = Incident::LinkOutage {
            since: Timestamp::UNIX_EPOCH,
            until: Timestamp::MAX,
        };
        assert!(
            outage
                .hint()
                .is_some_and(|hint| hint.contains("podtap repair"))
        );
        let machine = Machine::Agent;
        let set = Incident::ClockSet(ClockSet { machine, by_ms: 1 });
        assert_eq!(set.hint(), None);
    }

    /// Histories hold these: what an earlier build wrote is read by this one, and the other way round.
    #[test]
    fn it_is_kept_in_the_form_it_always_had_and_told_in_words() {
        let reason = "its age".to_owned();
        for (incident, stored, words) in [
            (
                Incident::Gap {
                    from: Seq(3),
                    to: Seq(9),
                    reason: reason.clone(),
                },
                r#"{"kind":"gap","from":3,"to":9,"reason":"its age"}"#,
                "7 events (3 to 9) were removed by the relay: its age",
            ),
            (
                Incident::Gap {
                    from: Seq(3),
                    to: Seq(3),
                    reason: reason.clone(),
                },
                r#"{"kind":"gap","from":3,"to":3,"reason":"its age"}"#,
                "event 3 was removed by the relay: its age",
            ),
            (
                Incident::Refused {
                    count: 1,
                    reason,
                    last_at: Timestamp::UNIX_EPOCH,
                },
                r#"{"kind":"refused","count":1,"reason":"its age","last_at":"1970-01-01T00:00:00Z"}"#,
                "1 webhook was refused by the relay: its age",
            ),
            (
                Incident::LinkOutage {
                    since: Timestamp::UNIX_EPOCH,
                    until: Timestamp::from_second(780).unwrap(),
                },
                r#"{"kind":"link-outage","since":"1970-01-01T00:00:00Z","until":"1970-01-01T00:13:00Z"}"#,
                "the relay was away for 13 min: webhooks may be lost",
            ),
            (
                Incident::ClockSet(ClockSet {
                    machine: Machine::Relay,
                    by_ms: -5_400_000,
                }),
                r#"{"kind":"clock-set","machine":"relay","by_ms":-5400000}"#,
                "the relay's clock was set back by 1h 30m; this does not change how long events \
                 are kept",
            ),
        ] {
            assert_eq!(serde_json::to_string(&incident).unwrap(), stored);
            let read: Incident = serde_json::from_str(stored).unwrap();
            assert_eq!(read, incident);
            assert_eq!(incident.to_string(), words);
        }
    }
}
