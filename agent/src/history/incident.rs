//! Describes incidents of the link and of clocks: reported by the relay, or noticed by the agent.

use std::fmt;

use jiff::Timestamp;
use podtap_wire::Seq;
use serde::{Deserialize, Serialize};

use super::clock_set::ClockSet;
use crate::amount;

/// Lost events, or a clock that was set. A finding stores it as JSON in this form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Incident {
    /// The relay removed events before any agent received them.
    Gap {
        /// The first removed event.
        from: Seq,
        /// The last removed event, inclusive.
        to: Seq,
        /// The limit that caused it, in words.
        reason: String,
    },
    /// The relay refused webhooks and stored no event for them.
    Refused {
        /// Number of refused webhooks since the last report.
        count: u64,
        /// The reason, in the relay's words.
        reason: String,
        /// Time of the last refusal.
        last_at: Timestamp,
    },
    /// The relay could not be reached for long: what Podio sent may be lost.
    LinkOutage {
        /// Start of the outage.
        since: Timestamp,
        until: Timestamp,
    },
    /// A clock was set.
    ClockSet(ClockSet),
}

impl Incident {
    /// Returns the number of events from `from` to `to`, both included.
    pub(crate) const fn count(from: Seq, to: Seq) -> u64 {
        to.0.saturating_sub(from.0).saturating_add(1)
    }

    /// Returns what to do; `None` if nothing can be done.
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

    /// Histories store these forms: this version reads what an earlier one wrote, and the reverse.
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
