//! Serializes incidents as JSON objects: when they happen, and as rows of the history.

use podtap_wire::Seq;
use serde::Serialize;

use super::{line, millis};
use crate::history::{HistoryGap, Incident};

/// An incident. Its type determines its fields.
#[derive(Debug, Clone, Serialize)]
pub struct IncidentObject<'a> {
    #[serde(skip)]
    kind: &'static str,
    #[serde(flatten)]
    fields: IncidentFields<'a>,
    /// For a row of the history: when it became known.
    #[serde(skip_serializing_if = "Option::is_none")]
    found_at: Option<String>,
    /// For a row of the history: the time from which on events may be lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_since: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum IncidentFields<'a> {
    /// The relay removed events.
    Gap {
        from: Seq,
        to: Seq,
        reason: &'a str,
        /// What may find the events again.
        hint: Option<&'static str>,
    },
    /// The relay could not be reached for long.
    Outage {
        since: String,
        until: String,
        hint: Option<&'static str>,
    },
    Clock {
        machine: &'static str,
        by_ms: i64,
    },
    Refused {
        count: u64,
        reason: &'a str,
        last_at: String,
        hint: Option<&'static str>,
    },
}

impl<'a> From<&'a Incident> for IncidentObject<'a> {
    fn from(incident: &'a Incident) -> Self {
        let hint = incident.hint();
        let (kind, fields) = match incident {
            Incident::Gap { from, to, reason } => {
                let (from, to) = (*from, *to);
                let fields = IncidentFields::Gap {
                    from,
                    to,
                    reason,
                    hint,
                };
                ("gap", fields)
            }
            Incident::LinkOutage { since, until } => {
                let (since, until) = (millis::text(*since), millis::text(*until));
                ("outage", IncidentFields::Outage { since, until, hint })
            }
            Incident::Refused {
                count,
                reason,
                last_at,
            } => {
                let fields = IncidentFields::Refused {
                    count: *count,
                    reason,
                    last_at: millis::text(*last_at),
                    hint,
                };
                ("refused", fields)
            }
            Incident::ClockSet(set) => {
                let (machine, by_ms) = (set.machine.as_str(), set.by_ms);
                ("clock", IncidentFields::Clock { machine, by_ms })
            }
        };
        Self {
            kind,
            fields,
            found_at: None,
            lost_since: None,
        }
    }
}

impl<'a> From<&'a HistoryGap> for IncidentObject<'a> {
    fn from(gap: &'a HistoryGap) -> Self {
        Self {
            found_at: Some(millis::text(gap.found_at)),
            lost_since: gap.since.map(millis::text),
            ..Self::from(&gap.incident)
        }
    }
}

impl IncidentObject<'_> {
    /// Returns the object as a line, without its end.
    pub fn to_line(&self) -> String {
        line(self.kind, self)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::history::Position;

    #[test]
    fn an_entry_has_the_fields_of_what_happened_and_when_it_was_found() {
        let incident = Incident::Gap {
            from: Seq(1),
            to: Seq(2),
            reason: "age".to_owned(),
        };
        assert_eq!(
            IncidentObject::from(&incident).to_line(),
            r#"{"v":1,"type":"gap","from":1,"to":2,"reason":"age","hint":"podtap repair finds lost item events"}"#
        );
        let gap = HistoryGap {
            position: Position::default(),
            found_at: Timestamp::UNIX_EPOCH,
            since: None,
            incident: Incident::LinkOutage {
                since: Timestamp::UNIX_EPOCH,
                until: Timestamp::UNIX_EPOCH,
            },
        };
        let line = IncidentObject::from(&gap).to_line();
        assert!(line.contains(r#""type":"outage""#), "{line}");
        assert!(
            line.ends_with(r#""found_at":"1970-01-01T00:00:00.000Z"}"#),
            "{line}"
        );
    }
}
