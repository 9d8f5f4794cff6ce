//! Tracks the remaining calls of this hour across all processes of this machine.
//! Each process knows its own responses, and those of the others through a small
//! file. So no process spends the last calls unaware of the others, and a wait
//! that Podio asks for applies to every call of every process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, watch};

use super::limit::{CallBudget, RateLimit};
use super::private_file;

/// Podio counts by the hour but does not report when the
/// hour began. After this time, what was known is outdated.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The rate limit, as far as it is known on this machine.
#[derive(Debug)]
pub(super) struct SharedRateLimit {
    limit: watch::Sender<Option<RateLimit>>,
    known: Mutex<KnownRate>,
    file: Option<PathBuf>,
    /// The API and the caller: the limit of another identity does not apply.
    identity: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct KnownRate {
    identity: String,
    limit: u64,
    remaining: u64,
    /// The time of that response.
    at: Timestamp,
    /// The time of the first known response of the same hour.
    #[serde(default)]
    since: Option<Timestamp>,
    /// The time until which Podio refuses all calls.
    closed_until: Option<Timestamp>,
}

impl KnownRate {
    fn limit(&self, now: Timestamp) -> Option<RateLimit> {
        let is_of_this_hour = now.duration_since(self.at) < HOUR && self.limit > 0;
        is_of_this_hour.then_some(RateLimit {
            limit: self.limit,
            remaining: self.remaining,
        })
    }

    fn budget(&self, now: Timestamp) -> Option<CallBudget> {
        let limit = self.limit(now)?;
        let began_by = self.since.unwrap_or(self.at);
        Some(CallBudget {
            limit: limit.limit,
            remaining: limit.remaining,
            resets_by: began_by.saturating_add(HOUR).unwrap_or(Timestamp::MAX),
            closed_until: self.closed_until.filter(|until| *until > now),
        })
    }

    /// Returns whether a limit is of the same hour.
    /// Within an hour, the remaining calls only decrease.
    fn is_of_the_same_hour(&self, limit: RateLimit, now: Timestamp) -> bool {
        let known = self.limit(now);
        known.is_some_and(|known| known.limit == limit.limit && limit.remaining <= known.remaining)
            && self
                .since
                .is_some_and(|since| now.duration_since(since) < HOUR)
    }
}

impl SharedRateLimit {
    /// Reads the file, so that what other processes know is known from the start.
    pub(super) fn new(file: Option<PathBuf>, identity: String) -> Self {
        let text = file.as_ref().and_then(|file| std::fs::read(file).ok());
        let known = text
            .and_then(|text| parse(&text, &identity))
            .unwrap_or_default();
        Self {
            limit: watch::Sender::new(known.limit(Timestamp::now())),
            known: Mutex::new(known),
            file,
            identity,
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Option<RateLimit>> {
        self.limit.subscribe()
    }

    /// Returns for how long Podio still refuses all calls.
    pub(super) async fn closed_for(&self) -> Option<Duration> {
        let now = Timestamp::now();
        let mut known = self.known.lock().await;
        if let Some(file) = &self.file
            && let Ok(text) = tokio::fs::read(file).await
            && let Some(theirs) = parse(&text, &self.identity)
            && (theirs.at > known.at || theirs.closed_until > known.closed_until)
        {
            *known = theirs;
            self.limit.send_replace(known.limit(now));
        }
        let wait = known.closed_until?.duration_since(now);
        wait.try_into()
            .ok()
            .filter(|wait: &Duration| !wait.is_zero())
    }

    /// Returns the remaining calls, according to the
    /// newest response to any process on this machine.
    pub(super) async fn budget(&self) -> Option<CallBudget> {
        self.closed_for().await;
        self.known.lock().await.budget(Timestamp::now())
    }

    /// Records the limit and the wait in a response.
    pub(super) async fn record_answer(&self, limit: Option<RateLimit>, wait: Option<Duration>) {
        let now = Timestamp::now();
        let until = wait.and_then(|wait| now.checked_add(wait).ok());
        if limit.is_none() && until.is_none() {
            return;
        }
        let mut known = self.known.lock().await;
        if let Some(limit) = limit {
            if !known.is_of_the_same_hour(limit, now) {
                known.since = Some(now);
            }
            (known.limit, known.remaining, known.at) = (limit.limit, limit.remaining, now);
            self.limit.send_replace(Some(limit));
        }
        known.closed_until = until;
        known.identity.clone_from(&self.identity);
        if let Some(file) = &self.file {
            // A failure to share the limit must not fail the call.
            save(file, &known).await.ok();
        }
    }
}

fn parse(text: &[u8], identity: &str) -> Option<KnownRate> {
    let known: KnownRate = serde_json::from_slice(text).ok()?;
    (known.identity == identity).then_some(known)
}

async fn save(file: &Path, known: &KnownRate) -> std::io::Result<()> {
    private_file::replace(file, &serde_json::to_vec(known)?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: RateLimit = RateLimit {
        limit: 1_000,
        remaining: 5,
    };

    #[tokio::test]
    async fn what_one_process_was_told_the_next_one_knows() {
        let folder = tempfile::tempdir().unwrap();
        let file = Some(folder.path().join("rate.json"));
        let rate = |who: &str| SharedRateLimit::new(file.clone(), who.to_owned());
        let (first, beside) = (rate("ada"), rate("ada"));
        first.record_answer(Some(FEW), None).await;

        assert_eq!(*rate("ada").subscribe().borrow(), Some(FEW));
        assert_eq!(*rate("bo").subscribe().borrow(), None);
        assert_eq!(beside.closed_for().await, None);
        assert_eq!(*beside.subscribe().borrow(), Some(FEW));
    }

    #[tokio::test]
    async fn a_wait_that_podio_asks_for_holds_for_all_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let file = Some(folder.path().join("rate.json"));
        let rate = || SharedRateLimit::new(file.clone(), "ada".to_owned());
        let (first, beside) = (rate(), rate());
        first
            .record_answer(None, Some(Duration::from_hours(1)))
            .await;
        let wait = beside.closed_for().await.unwrap();
        assert!(wait > Duration::from_mins(59), "{wait:?}");
        first.record_answer(Some(FEW), None).await;
        assert_eq!(beside.closed_for().await, None);
    }

    #[tokio::test]
    async fn the_hour_began_by_the_first_answer_that_it_explains() {
        let rate = SharedRateLimit::new(None, "ada".to_owned());
        assert_eq!(rate.budget().await, None);
        let told = async |remaining| {
            let limit = RateLimit {
                limit: 1_000,
                remaining,
            };
            rate.record_answer(Some(limit), None).await;
            rate.budget().await.unwrap()
        };
        let first = told(900).await;
        let second = told(899).await;
        assert_eq!(second.remaining, 899);
        assert_eq!(first.resets_by, second.resets_by);
        tokio::time::sleep(Duration::from_millis(2)).await;
        // More calls are left than before, so another hour has begun.
        assert!(told(999).await.resets_by > first.resets_by);
        rate.record_answer(None, Some(Duration::from_mins(5))).await;
        assert!(rate.budget().await.unwrap().closed_until.is_some());
    }

    #[test]
    fn what_was_told_an_hour_ago_is_over() {
        let known = KnownRate {
            limit: 1_000,
            remaining: 5,
            at: Timestamp::UNIX_EPOCH,
            ..KnownRate::default()
        };
        let later = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        assert_eq!(known.limit(later(59)), Some(FEW));
        assert_eq!(known.limit(later(60)), None);
    }
}
