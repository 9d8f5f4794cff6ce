//! Describes a clock that was set, on this machine or on the relay's. Displayed times follow the
//! new clock; the time for which events are kept does not.

use std::fmt;

use jiff::{Span, SpanRound, Unit};
use serde::{Deserialize, Serialize};

/// The machine whose clock was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Machine {
    /// The machine on which the agent runs.
    Agent,
    Relay,
}

/// A change of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSet {
    /// The machine whose clock was set.
    pub machine: Machine,
    /// Milliseconds by which the clock was set forward; negative if it was set back.
    pub by_ms: i64,
}

impl Machine {
    /// Returns `agent` or `relay`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Relay => "relay",
        }
    }
}

impl fmt::Display for ClockSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match self.machine {
            Machine::Agent => "this machine's clock",
            Machine::Relay => "the relay's clock",
        };
        let (way, by) = match self.by_ms {
            ..0 => ("back", in_words(self.by_ms.saturating_neg())),
            _ => ("ahead", in_words(self.by_ms)),
        };
        write!(
            f,
            "{whose} was set {way} by {by}; this does not change how long events are kept"
        )
    }
}

/// Formats a time in days and hours, or in hours and minutes.
fn in_words(ms: i64) -> String {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    let smallest = if ms < DAY_MS {
        Unit::Minute
    } else {
        Unit::Hour
    };
    let rounding = SpanRound::new()
        .largest(Unit::Day)
        .smallest(smallest)
        .days_are_24_hours();
    let span = Span::new().try_milliseconds(ms);
    match span.and_then(|span| span.round(rounding)) {
        Ok(span) => format!("{span:#}"),
        Err(_) => "centuries".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_whose_clock_and_how_far_in_large_units() {
        for (machine, by_ms, words) in [
            (
                Machine::Agent,
                31 * 86_400_000 + 59_000,
                "this machine's clock was set ahead by 31d;",
            ),
            (
                Machine::Relay,
                -5_400_000,
                "the relay's clock was set back by 1h 30m;",
            ),
            (
                Machine::Relay,
                i64::MIN,
                "the relay's clock was set back by ",
            ),
        ] {
            let told = ClockSet { machine, by_ms }.to_string();
            assert!(told.starts_with(words), "{told}");
        }
    }
}
