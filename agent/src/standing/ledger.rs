//! Keeps a record of each hook's calls and judges it. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use podtap_podio::standing::{ANSWER_LIMIT, Judgement, Rule, Standing};

use crate::history::ServiceCall;

/// Maximum number of hooks with a record. A webhook
/// may contain any id, so a stranger may invent hooks.
const MAX_HOOKS: usize = 10_000;

/// The periods in which recent failures are counted: those of Podio's current rule.
const SOON: Duration = Duration::from_mins(15);
const WEEK: Duration = Duration::from_hours(7 * 24);

/// What Podio would have concluded about one hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookStanding {
    pub hook_id: u64,
    /// By the rule that is reported as the current one.
    pub current: Judgement,
    /// By the rule of 2013, which is still quoted.
    pub old: Judgement,
    /// Number of calls that Podio would have made.
    pub calls: u64,
    /// Number of these calls that Podio would have counted as failed.
    pub failed: u64,
    /// Number of failures in the last 15 minutes; 15 suspend the hook.
    pub failed_soon: usize,
    /// Number of failures in the last seven days; 200 disable the hook.
    pub failed_week: usize,
    /// Why the newest of them failed.
    pub newest_failure: Option<CallFailure>,
    /// Number of events that Podio would not have delivered, by the current rule, because the hook
    /// would have been suspended or disabled. (Whether Podio queues or drops the events of a
    /// suspended hook is unknown.)
    pub missed: u64,
}

impl HookStanding {
    /// Returns what Podio would have concluded, by the current rule, in words.
    pub const fn conclusion(&self) -> &'static str {
        match self.current {
            Judgement::Active => "active",
            Judgement::Suspended { .. } => "would be suspended",
            Judgement::Disabled => "would be disabled",
        }
    }
}

/// Why Podio would have counted a call as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFailure {
    /// There was no connection, or it was lost.
    Unreachable,
    /// The answer took longer than the 15 s that Podio waits.
    Slow,
    /// The status was not 2xx.
    Status(u16),
}

/// The records of all hooks.
#[derive(Debug, Clone, Default)]
pub(super) struct CallLedger {
    hooks: BTreeMap<u64, CallRecord>,
}

#[derive(Debug, Clone)]
struct CallRecord {
    current: Standing,
    old: Standing,
    verified_at: Timestamp,
    calls: u64,
    failed: u64,
    missed: u64,
    newest_failure: Option<CallFailure>,
}

impl CallRecord {
    const fn new() -> Self {
        Self {
            current: Standing::new(Rule::CURRENT),
            old: Standing::new(Rule::OLD),
            verified_at: Timestamp::MIN,
            calls: 0,
            failed: 0,
            missed: 0,
            newest_failure: None,
        }
    }
}

impl CallLedger {
    /// Records a verification of the hook at this time: earlier calls no longer count.
    pub(super) fn record_verification(&mut self, hook_id: u64, at: Timestamp) {
        if let Some(record) = self.record_of(hook_id)
            && record.verified_at < at
        {
            record.current.record_verification();
            record.old.record_verification();
            record.verified_at = at;
        }
    }

    /// Records a call. Calls arrive about in the order in which they ended; Podio would have made
    /// each when it sent the event.
    pub(super) fn record(&mut self, call: &ServiceCall, outages: &[(Timestamp, Timestamp)]) {
        let at = call.received_at;
        let Some(record) = self.record_of(call.hook_id) else {
            return;
        };
        if at < record.verified_at {
            return;
        }
        let failure = failure(call, outages);
        match failure {
            Some(_) => record.old.record_failure(at),
            None => record.old.record_success(),
        }
        if record.current.judge(at) != Judgement::Active {
            record.missed += 1;
            return;
        }
        record.calls += 1;
        match failure {
            Some(_) => record.current.record_failure(at),
            None => record.current.record_success(),
        }
        record.failed += u64::from(failure.is_some());
        record.newest_failure = failure.or(record.newest_failure);
    }

    /// Returns the ledger with the events that still wait for the local service: events of an
    /// outage would have found no service, and others that have waited longer than Podio waits
    /// would have had no answer in time.
    pub(super) fn with_waiting(
        &self,
        waiting: &[(u64, Timestamp)],
        outages: &[(Timestamp, Timestamp)],
        now: Timestamp,
    ) -> Self {
        let mut seen = self.clone();
        for (hook_id, received_at) in waiting {
            let call = ServiceCall {
                hook_id: *hook_id,
                received_at: *received_at,
                started_at: now,
                duration: now
                    .duration_since(*received_at)
                    .try_into()
                    .unwrap_or_default(),
                status: Some(200),
            };
            if failure(&call, outages).is_some() {
                seen.record(&call, outages);
            }
        }
        seen
    }

    /// Returns what Podio would do with the next event of each hook.
    pub(super) fn judge(&self, now: Timestamp) -> Vec<HookStanding> {
        let judge = |(hook_id, record): (&u64, &CallRecord)| HookStanding {
            hook_id: *hook_id,
            current: record.current.judge(now),
            old: record.old.judge(now),
            calls: record.calls,
            failed: record.failed,
            failed_soon: record.current.failures_within(SOON, now),
            failed_week: record.current.failures_within(WEEK, now),
            newest_failure: record.newest_failure,
            missed: record.missed,
        };
        self.hooks.iter().map(judge).collect()
    }

    fn record_of(&mut self, hook_id: u64) -> Option<&mut CallRecord> {
        let is_full = self.hooks.len() >= MAX_HOOKS;
        if is_full && !self.hooks.contains_key(&hook_id) {
            return None;
        }
        Some(self.hooks.entry(hook_id).or_insert_with(CallRecord::new))
    }
}

/// Returns why Podio's own call would have failed. An event that waited while the local service was
/// unreachable was answered in the end; Podio's call would have failed.
fn failure(call: &ServiceCall, outages: &[(Timestamp, Timestamp)]) -> Option<CallFailure> {
    let waited_out = |(since, until): &(Timestamp, Timestamp)| {
        *since <= call.started_at && call.received_at <= *until
    };
    match call.status {
        _ if outages.iter().any(waited_out) => Some(CallFailure::Unreachable),
        None => Some(CallFailure::Unreachable),
        Some(200..300) => (call.duration > ANSWER_LIMIT).then_some(CallFailure::Slow),
        Some(status) => Some(CallFailure::Status(status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn call(seconds: i64, status: Option<u16>) -> ServiceCall {
        ServiceCall {
            hook_id: 7,
            received_at: at(seconds),
            started_at: at(seconds),
            duration: Duration::from_millis(30),
            status,
        }
    }

    fn standing(ledger: &CallLedger, seconds: i64) -> HookStanding {
        ledger.judge(at(seconds)).remove(0)
    }

    #[test]
    fn answers_in_time_keep_a_hook_active() {
        let mut ledger = CallLedger::default();
        for second in 0..1000 {
            ledger.record(&call(second, Some(204)), &[]);
        }
        let standing = standing(&ledger, 1000);
        assert_eq!(standing.current, Judgement::Active);
        assert_eq!(
            (standing.calls, standing.failed, standing.missed),
            (1000, 0, 0)
        );
    }

    #[test]
    fn whatever_podio_counts_as_a_failure_suspends() {
        let slow = ServiceCall {
            duration: Duration::from_secs(16),
            ..call(0, Some(200))
        };
        for (failing, failure) in [
            (call(0, Some(500)), CallFailure::Status(500)),
            (call(0, Some(302)), CallFailure::Status(302)),
            (call(0, None), CallFailure::Unreachable),
            (slow, CallFailure::Slow),
        ] {
            let mut ledger = CallLedger::default();
            for _ in 0..15 {
                ledger.record(&failing, &[]);
            }
            let standing = standing(&ledger, 1);
            assert!(matches!(standing.current, Judgement::Suspended { .. }));
            assert_eq!(standing.old, Judgement::Active);
            assert_eq!(standing.newest_failure, Some(failure));
        }
    }

    #[test]
    fn events_of_a_suspended_hook_would_have_been_missed() {
        let mut ledger = CallLedger::default();
        for second in 0..60 {
            ledger.record(&call(second, Some(500)), &[]);
        }
        let standing = standing(&ledger, 60);
        assert_eq!((standing.calls, standing.missed), (15, 45));
        assert_eq!(standing.old, Judgement::Disabled);
    }

    #[test]
    fn an_event_that_waited_for_the_service_to_come_back_would_have_failed() {
        let outage = [(at(10), at(20))];
        let mut waited = call(15, Some(200));
        waited.started_at = at(21);
        assert_eq!(failure(&waited, &outage), Some(CallFailure::Unreachable));
        assert_eq!(failure(&call(9, Some(200)), &outage), None);
        assert_eq!(failure(&call(21, Some(200)), &outage), None);
    }

    #[test]
    fn events_that_wait_count_as_podio_would_have_seen_them() {
        let waiting: Vec<_> = (0..20).map(|second| (7, at(second))).collect();
        let judged = |outages: &[(Timestamp, Timestamp)], now| {
            let seen = CallLedger::default().with_waiting(&waiting, outages, at(now));
            seen.judge(at(now))
        };
        let away = judged(&[(at(0), Timestamp::MAX)], 20);
        assert!(matches!(away[0].current, Judgement::Suspended { .. }));
        assert_eq!(away[0].newest_failure, Some(CallFailure::Unreachable));
        assert_eq!((away[0].calls, away[0].missed), (15, 5));

        // A service that hangs: only calls that Podio would have given up by now count.
        assert!(judged(&[], 10).is_empty());
        let hangs = judged(&[], 40);
        assert_eq!(hangs[0].newest_failure, Some(CallFailure::Slow));
    }

    #[test]
    fn a_verification_begins_a_clean_record() {
        let mut ledger = CallLedger::default();
        for second in 0..60 {
            ledger.record(&call(second, Some(500)), &[]);
        }
        ledger.record_verification(7, at(100));
        assert_eq!(standing(&ledger, 101).old, Judgement::Active);
        ledger.record(&call(50, Some(500)), &[]);
        assert_eq!(standing(&ledger, 101).failed_week, 0);
    }
}
