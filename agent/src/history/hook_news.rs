//! Describes news of hooks for which the user did not ask: a hook stopped delivering, was deleted,
//! or sends much less or much more than usual.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::amount;
use crate::place::Place;

/// News about one hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookNews {
    pub hook_id: u64,
    /// The place of the hook, if known.
    pub place: Option<Place>,
    /// Its event type, if known. Untrusted text: escape it before showing it.
    pub event_type: Option<String>,
    /// Time at which the news became known.
    pub at: Timestamp,
    pub state: HookCondition,
}

/// The condition of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "condition", rename_all = "kebab-case")]
pub enum HookCondition {
    /// Podio no longer calls the hook until it is verified again.
    Inactive {
        /// Whether another verification was requested.
        verifying: bool,
    },
    /// The hook is still inactive after this many requests for verification.
    Unverified { tries: u32 },
    /// It is active again.
    Active,
    /// Podio no longer lists the hook, and it was not deleted here.
    Gone,
    /// The hook has sent nothing for much longer than usual.
    Silent {
        since: Timestamp,
        /// The usual time from one event to the next, in milliseconds.
        usual_ms: u64,
    },
    /// The hook sent many more events within five minutes than ever before.
    Busy {
        /// Number of events within five minutes.
        events: u64,
        /// Maximum number of events in any earlier five minutes.
        usual: u64,
    },
}

impl HookCondition {
    /// Returns the condition as one word of a fixed set.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inactive { .. } => "inactive",
            Self::Unverified { .. } => "unverified",
            Self::Active => "active",
            Self::Gone => "gone",
            Self::Silent { .. } => "silent",
            Self::Busy { .. } => "busy",
        }
    }

    /// Returns whether the condition needs no attention.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Active)
    }
}

impl HookNews {
    /// Returns what to do; `None` if nothing needs to be done.
    pub fn cure(&self) -> Option<String> {
        let hook_id = self.hook_id;
        match self.state {
            HookCondition::Inactive { verifying: true } | HookCondition::Active => None,
            HookCondition::Inactive { verifying: false } | HookCondition::Unverified { .. } => {
                Some(format!(
                    "when Podio can reach the relay again, run podtap hooks verify {hook_id}"
                ))
            }
            HookCondition::Gone => Some("create it again: podtap hooks create".to_owned()),
            HookCondition::Silent { .. } => {
                Some("check whether it is active: podtap hooks list".to_owned())
            }
            HookCondition::Busy { .. } => {
                Some("an import, or a loop: podtap events shows what changes".to_owned())
            }
        }
    }
}

impl fmt::Display for HookNews {
    /// Writes one sentence, without the cure.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hook {}", self.hook_id)?;
        match (&self.event_type, &self.place) {
            (Some(event_type), Some(place)) => write!(f, " ({event_type} on {place})")?,
            (Some(event_type), None) => write!(f, " ({event_type})")?,
            (None, Some(place)) => write!(f, " (on {place})")?,
            (None, None) => {}
        }
        match self.state {
            HookCondition::Inactive { verifying: true } => {
                f.write_str(" is inactive: podtap asked Podio to verify it again")
            }
            HookCondition::Inactive { verifying: false } => {
                f.write_str(" is inactive: Podio sends nothing until it is verified")
            }
            HookCondition::Unverified { tries } => {
                write!(f, " is still inactive after {tries} requests to verify it")
            }
            HookCondition::Active => f.write_str(" is active again"),
            HookCondition::Gone => f.write_str(" is gone: it was deleted in Podio"),
            HookCondition::Silent { since, usual_ms } => {
                let quiet = self.at.duration_since(since);
                let usual = SignedDuration::try_from(Duration::from_millis(usual_ms));
                let usual = usual.unwrap_or(SignedDuration::MAX);
                write!(
                    f,
                    " has sent nothing for {}; it usually sends every {}",
                    amount::interval(quiet),
                    amount::interval(usual)
                )
            }
            HookCondition::Busy { events, usual } => {
                write!(
                    f,
                    " sent {events} events within 5 minutes; the highest number before was {usual}"
                )
            }
        }
    }
}

/// News as a finding stores them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredHookNews {
    hook_id: u64,
    /// The place as it is printed, such as `app 3`.
    place: Option<String>,
    name: Option<String>,
    event_type: Option<String>,
    at: Timestamp,
    #[serde(flatten)]
    state: HookCondition,
}

impl From<HookNews> for StoredHookNews {
    fn from(news: HookNews) -> Self {
        Self {
            hook_id: news.hook_id,
            place: news.place.as_ref().map(|place| place.at.to_string()),
            name: news.place.and_then(|place| place.name),
            event_type: news.event_type,
            at: news.at,
            state: news.state,
        }
    }
}

impl From<StoredHookNews> for HookNews {
    fn from(stored: StoredHookNews) -> Self {
        let at = stored.place.and_then(|at| at.parse().ok());
        let name = stored.name;
        Self {
            hook_id: stored.hook_id,
            place: at.map(|at| Place { at, name }),
            event_type: stored.event_type,
            at: stored.at,
            state: stored.state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::PlaceRef;

    fn news(state: HookCondition) -> HookNews {
        HookNews {
            hook_id: 7,
            place: Some(Place {
                at: PlaceRef::app(3),
                name: Some("Orders".to_owned()),
            }),
            event_type: Some("item.update".to_owned()),
            at: Timestamp::from_second(10_000).unwrap(),
            state,
        }
    }

    #[test]
    fn news_read_back_as_they_were_written() {
        let since = Timestamp::UNIX_EPOCH;
        for state in [
            HookCondition::Inactive { verifying: true },
            HookCondition::Gone,
            HookCondition::Silent { since, usual_ms: 1 },
        ] {
            let stored = serde_json::to_string(&StoredHookNews::from(news(state))).unwrap();
            let read: StoredHookNews = serde_json::from_str(&stored).unwrap();
            assert_eq!(HookNews::from(read), news(state), "{stored}");
        }
    }

    #[test]
    fn each_is_one_sentence_that_names_the_hook() {
        let since = Timestamp::from_second(4_600).unwrap();
        for (state, words) in [
            (
                HookCondition::Gone,
                "hook 7 (item.update on Orders) is gone: it was deleted in Podio",
            ),
            (
                HookCondition::Silent {
                    since,
                    usual_ms: 90_000,
                },
                "hook 7 (item.update on Orders) has sent nothing for 90 min; it usually sends \
                 every 90 s",
            ),
            (
                HookCondition::Busy {
                    events: 540,
                    usual: 12,
                },
                "hook 7 (item.update on Orders) sent 540 events within 5 minutes; the highest \
                 number before was 12",
            ),
        ] {
            assert_eq!(news(state).to_string(), words);
        }
        assert!(news(HookCondition::Active).cure().is_none());
        let again = news(HookCondition::Unverified { tries: 5 }).cure();
        assert!(again.unwrap().contains("podtap hooks verify 7"));
    }
}
