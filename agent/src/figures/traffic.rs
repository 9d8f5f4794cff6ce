//! Builds a table of hooks: what each sent, how it was delivered, and how far the hook is from the
//! limits at which Podio stops calling. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use podtap_podio::standing::{ANSWER_LIMIT, Rule, Threshold};

use super::answer_times::AnswerTimes;
use super::window::{PERIOD, RecentWindow};
use crate::history::{HookSender, RecentDelivery};
use crate::place::Place;
use crate::standing::HookStanding;

/// Maximum number of rows in the table.
pub const MAX_TRAFFIC: usize = 100;

/// Number of minutes in [`HookTraffic::per_minute`].
pub const MINUTES: usize = 60;

/// What hooks sent recently.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// Start of the period: 24 hours ago, or later on a very busy tunnel.
    pub since: Timestamp,
    /// One row per hook and event type, the busiest first; at most [`MAX_TRAFFIC`]. `hook.verify`
    /// is not included.
    pub hooks: Vec<HookTraffic>,
    /// Number of rows beyond the limit.
    pub left_out: usize,
}

/// The webhooks of one hook and one event type.
#[derive(Debug, Clone, PartialEq)]
pub struct HookTraffic {
    /// The hook; `None` for events that name none.
    pub hook_id: Option<u64>,
    /// The event type, cut to 64 characters; `None` for requests that are not events of Podio.
    /// Untrusted text: escape it before showing it.
    pub event_type: Option<String>,
    /// The place of the hook, if known.
    pub place: Option<Place>,
    /// Number of webhooks that the relay accepted.
    pub calls: u64,
    /// Number of first deliveries that Podio would have counted as failed: no answer, none within
    /// 15 s, or a status other than 2xx.
    pub failed: u64,
    /// Median of the answer times; `None` without an answer, as for the two fields below.
    pub p50: Option<Duration>,
    /// 95th percentile of the answer times.
    pub p95: Option<Duration>,
    /// The slowest answer.
    pub max: Option<Duration>,
    /// Time at which the newest webhook was accepted.
    pub last_at: Timestamp,
    /// Number of webhooks in each of the last [`MINUTES`]
    /// minutes, oldest first, including the current one.
    pub per_minute: Vec<u64>,
    /// The distance of the hook from Podio's limits.
    pub distance: Distance,
}

/// The limits at which Podio gives up a call or a hook (podio.md 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookLimits {
    /// Maximum time for an answer.
    pub answer: Duration,
    /// Failures that suspend a hook.
    pub suspend: Threshold,
    /// Failures that disable a hook.
    pub disable: Threshold,
}

impl HookLimits {
    /// The limits of Podio's current rule: 15 s, 15 failures in 15 minutes, 200 in 7 days.
    pub const PODIO: Self = match Rule::CURRENT {
        Rule::Windows {
            suspend, disable, ..
        } => Self {
            answer: ANSWER_LIMIT,
            suspend,
            disable,
        },
        Rule::Consecutive(_) => panic!("the current rule counts within times"),
    };
}

/// The distance of a hook from [`HookLimits::PODIO`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Distance {
    /// Duration of the slowest first delivery, answered or not; `None` without one.
    pub slowest: Option<Duration>,
    /// Number of failures in the last 15 minutes; 15 suspend the hook.
    pub failed_soon: usize,
    /// Number of failures in the last seven days; 200 disable the hook.
    pub failed_week: usize,
    /// What Podio would have concluded; `None` for a hook that was not called within a week.
    pub standing: Option<HookStanding>,
}

impl Distance {
    /// Returns the duration of the slowest delivery as a
    /// fraction of Podio's limit; above 1 is too late.
    pub fn answer_share(&self) -> f64 {
        let slowest = self.slowest.unwrap_or_default();
        slowest.as_secs_f64() / HookLimits::PODIO.answer.as_secs_f64()
    }

    /// Returns the failures as a fraction of those that suspend; from 1 on the hook is suspended.
    pub fn suspend_share(&self) -> f64 {
        share(self.failed_soon, HookLimits::PODIO.suspend)
    }

    /// Returns the failures as a fraction of those that disable; from 1 on the hook is disabled.
    pub fn disable_share(&self) -> f64 {
        share(self.failed_week, HookLimits::PODIO.disable)
    }

    /// Returns the largest of the three fractions: 0 is
    /// far away, 1 is the limit. For one gauge per hook.
    pub fn nearest(&self) -> f64 {
        let failures = self.suspend_share().max(self.disable_share());
        self.answer_share().max(failures)
    }
}

#[expect(clippy::cast_precision_loss, reason = "hundreds at most")]
fn share(failures: usize, threshold: Threshold) -> f64 {
    failures as f64 / threshold.failures as f64
}

/// Returns the table without the places of its hooks.
pub(super) fn of(window: &RecentWindow, standings: &[HookStanding], now: Timestamp) -> Traffic {
    let mut senders: BTreeMap<&HookSender, Vec<&RecentDelivery>> = BTreeMap::new();
    for delivery in &window.deliveries {
        senders.entry(&delivery.sender).or_default().push(delivery);
    }
    let mut rows: BTreeMap<&HookSender, HookTraffic> = BTreeMap::new();
    for event in &window.events {
        let row = rows
            .entry(&event.sender)
            .or_insert_with(|| empty(&event.sender));
        row.calls += 1;
        row.last_at = row.last_at.max(event.received_at);
        if let Some(minute) = minute(event.received_at, now)
            && let Some(count) = row.per_minute.get_mut(minute)
        {
            *count += 1;
        }
    }
    rows.retain(|sender, _| sender.event_type.as_deref() != Some("hook.verify"));
    for (sender, row) in &mut rows {
        let deliveries = senders.get(sender).map_or(&[][..], Vec::as_slice);
        row.measure(deliveries, standings);
    }
    let mut hooks: Vec<_> = rows.into_values().collect();
    hooks.sort_by_key(|row| (std::cmp::Reverse(row.calls), std::cmp::Reverse(row.last_at)));
    let left_out = hooks.len().saturating_sub(MAX_TRAFFIC);
    hooks.truncate(MAX_TRAFFIC);
    let begin = now.saturating_sub(PERIOD).unwrap_or(Timestamp::MIN);
    let oldest = window.events.front().map(|event| event.received_at);
    Traffic {
        since: oldest.filter(|_| window.is_cut).unwrap_or(begin),
        hooks,
        left_out,
    }
}

fn empty(sender: &HookSender) -> HookTraffic {
    HookTraffic {
        hook_id: sender.hook_id,
        event_type: sender.event_type.as_deref().map(str::to_owned),
        place: None,
        calls: 0,
        failed: 0,
        p50: None,
        p95: None,
        max: None,
        last_at: Timestamp::MIN,
        per_minute: vec![0; MINUTES],
        distance: Distance::default(),
    }
}

impl HookTraffic {
    fn measure(&mut self, deliveries: &[&RecentDelivery], standings: &[HookStanding]) {
        let times = deliveries.iter();
        let times = AnswerTimes::of(times.map(|one| (one.duration, one.status.is_some())));
        (self.p50, self.p95, self.max) = (times.p50, times.p95, times.max);
        let firsts = || deliveries.iter().filter(|delivery| delivery.is_first);
        self.failed = firsts().filter(|delivery| is_failure(delivery)).count() as u64;
        let standing = standings
            .iter()
            .find(|standing| Some(standing.hook_id) == self.hook_id);
        self.distance = Distance {
            slowest: firsts().map(|delivery| delivery.duration).max(),
            failed_soon: standing.map_or(0, |standing| standing.failed_soon),
            failed_week: standing.map_or(0, |standing| standing.failed_week),
            standing: standing.cloned(),
        };
    }
}

fn is_failure(delivery: &RecentDelivery) -> bool {
    let is_ok = matches!(delivery.status, Some(200..300));
    !is_ok || delivery.duration > ANSWER_LIMIT
}

/// Returns the index of the minute that contains `at`; the last one is that of `now`. The relay's
/// clock may be ahead of this one.
fn minute(at: Timestamp, now: Timestamp) -> Option<usize> {
    let age = now.duration_since(at).max(SignedDuration::ZERO);
    let minutes_ago = usize::try_from(age.as_secs() / 60).ok()?;
    (MINUTES - 1).checked_sub(minutes_ago)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::RecentEvent;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn sender(hook_id: u64, event_type: &str) -> HookSender {
        HookSender {
            hook_id: Some(hook_id),
            event_type: Some(event_type.into()),
        }
    }

    fn event(hook_id: u64, seconds: i64) -> RecentEvent {
        RecentEvent {
            sender: sender(hook_id, "item.update"),
            received_at: at(seconds),
        }
    }

    fn delivery(hook_id: u64, seconds: u64, status: Option<u16>) -> RecentDelivery {
        RecentDelivery {
            sender: sender(hook_id, "item.update"),
            started_at: at(0),
            duration: Duration::from_secs(seconds),
            status,
            is_first: true,
        }
    }

    #[test]
    fn each_hook_has_its_calls_failures_times_and_minutes() {
        let mut window = RecentWindow::default();
        window
            .events
            .extend([event(7, -3600), event(7, -61), event(7, 0), event(8, 5)]);
        let mut again = delivery(7, 1, Some(200));
        again.is_first = false;
        window.deliveries.extend([
            delivery(7, 2, Some(200)),
            delivery(7, 16, Some(200)),
            delivery(7, 0, None),
            delivery(7, 3, Some(500)),
            again,
        ]);

        let traffic = of(&window, &[], at(0));

        let [seven, eight] = &traffic.hooks[..] else {
            panic!("{traffic:#?}");
        };
        assert_eq!((seven.hook_id, seven.calls, seven.failed), (Some(7), 3, 3));
        assert_eq!(seven.p50, Some(Duration::from_secs(2)));
        assert_eq!(seven.max, Some(Duration::from_secs(16)));
        assert_eq!(seven.last_at, at(0));
        assert_eq!(seven.per_minute.iter().sum::<u64>(), 2);
        assert_eq!((seven.per_minute[58], seven.per_minute[59]), (1, 1));
        assert!(seven.distance.answer_share() > 1.0);
        // A relay's clock may be ahead.
        assert_eq!(eight.per_minute[59], 1);
        assert_eq!((eight.failed, eight.p50), (0, None));
    }

    #[test]
    fn verifications_are_no_calls_and_rows_beyond_the_limit_are_counted() {
        let mut window = RecentWindow::default();
        window.events.push_back(RecentEvent {
            sender: sender(7, "hook.verify"),
            received_at: at(0),
        });
        assert_eq!(of(&window, &[], at(0)).hooks, []);
        for hook_id in 0..=100 {
            window.events.push_back(event(hook_id, 0));
        }
        window.events.push_back(event(50, 1));
        let traffic = of(&window, &[], at(2));
        assert_eq!((traffic.hooks.len(), traffic.left_out), (MAX_TRAFFIC, 1));
        assert_eq!(traffic.hooks[0].hook_id, Some(50));
    }

    #[test]
    fn the_nearest_limit_is_the_one_that_counts() {
        let mut distance = Distance {
            slowest: Some(Duration::from_millis(1_500)),
            failed_soon: 3,
            failed_week: 150,
            standing: None,
        };
        assert!((distance.nearest() - 0.75).abs() < 1e-9);
        distance.failed_soon = 15;
        assert!((distance.nearest() - 1.0).abs() < 1e-9);
        assert!((distance.answer_share() - 0.1).abs() < 1e-9);
    }
}
