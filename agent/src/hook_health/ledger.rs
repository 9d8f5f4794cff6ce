//! Compares Podio's lists of the tunnel's hooks with earlier ones: which hooks became inactive,
//! which are gone, and which should be verified again, with growing pauses and a limited number of
//! times. Pure: the time is passed in.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use podtap_podio::client::{Hook, HookStatus};
use tokio::time::Instant;

use crate::history::HookCondition;
use crate::place::PlaceRef;

/// Maximum number of requested verifications while a hook stays inactive.
const MAX_TRIES: u32 = 5;

/// Time for which a hook must stay active before its number of requests is reset.
const SETTLED: Duration = Duration::from_hours(1);

/// Maximum number of hooks that are watched.
const MAX_HOOKS: usize = 1_000;

/// The state of every hook.
#[derive(Debug)]
pub(super) struct HookLedger {
    hooks: BTreeMap<u64, LedgerEntry>,
    /// Whether verifications are requested at all.
    verifies: bool,
    /// Pause before the second verification; it doubles each time.
    first_pause: Duration,
}

#[derive(Debug)]
struct LedgerEntry {
    at: PlaceRef,
    hook: Hook,
    state: VerifyState,
    /// Number of requested verifications.
    tries: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VerifyState {
    /// It delivers, at least since this time.
    Active { since: Instant },
    /// It was inactive when it was first seen: perhaps it is just being verified.
    New { look_at: Instant },
    /// It is inactive, and this was reported; `ask_at`
    /// is the time of the next request for verification.
    Inactive { ask_at: Option<Instant> },
}

impl HookLedger {
    pub(super) const fn new(verifies: bool, first_pause: Duration) -> Self {
        Self {
            hooks: BTreeMap::new(),
            verifies,
            first_pause,
        }
    }

    /// Returns when to check again, if that is before the next reading.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.hooks.values().filter_map(LedgerEntry::due_at).min()
    }

    /// Returns the places of hooks that must be checked again.
    pub(super) fn waiting_places(&self) -> HashSet<PlaceRef> {
        let waiting = self.hooks.values().filter(|entry| entry.due_at().is_some());
        waiting.map(|entry| entry.at).collect()
    }

    /// Adds the hooks of one place that lead to this tunnel; returns what
    /// is new about them. A hook that is no longer listed is gone, unless
    /// it `is_explained`: it now leads elsewhere, or was deleted here.
    pub(super) fn take_in(
        &mut self,
        at: PlaceRef,
        ours: &[Hook],
        is_explained: impl Fn(u64) -> bool,
        now: Instant,
    ) -> Vec<(Hook, HookCondition)> {
        let there: HashSet<u64> = ours.iter().map(|hook| hook.hook_id).collect();
        let gone = |entry: &LedgerEntry| entry.at == at && !there.contains(&entry.hook.hook_id);
        let gone = self.hooks.extract_if(.., |_, entry| gone(entry));
        let mut news: Vec<_> = gone
            .filter(|(hook_id, _)| !is_explained(*hook_id))
            .map(|(_, entry)| (entry.hook, HookCondition::Gone))
            .collect();
        for hook in ours {
            let new = self.observe(at, hook, now);
            news.extend(new.map(|new| (hook.clone(), new)));
        }
        news
    }

    /// Returns the hooks of one place whose verification
    /// should be requested now, and counts the requests.
    pub(super) fn take_due(&mut self, at: PlaceRef, now: Instant) -> Vec<u64> {
        let first_pause = self.first_pause;
        let mut due = Vec::new();
        for (hook_id, entry) in &mut self.hooks {
            if let VerifyState::Inactive { ask_at } = &mut entry.state
                && entry.at == at
                && ask_at.is_some_and(|ask_at| ask_at <= now)
                && entry.tries < MAX_TRIES
            {
                *ask_at = Some(now + first_pause * 2_u32.pow(entry.tries));
                entry.tries += 1;
                due.push(*hook_id);
            }
        }
        due
    }

    fn observe(&mut self, at: PlaceRef, hook: &Hook, now: Instant) -> Option<HookCondition> {
        let (verifies, soon) = (self.verifies, now + self.first_pause);
        let is_inactive = hook.status == HookStatus::Inactive;
        let Some(entry) = self.hooks.get_mut(&hook.hook_id) else {
            if self.hooks.len() < MAX_HOOKS {
                let state = if is_inactive {
                    VerifyState::New { look_at: soon }
                } else {
                    VerifyState::Active { since: now }
                };
                let hook = hook.clone();
                let (hook_id, tries) = (hook.hook_id, 0);
                let entry = LedgerEntry {
                    at,
                    hook,
                    state,
                    tries,
                };
                self.hooks.insert(hook_id, entry);
            }
            return None;
        };
        entry.hook.clone_from(hook);
        match entry.state {
            VerifyState::Active { since } if is_inactive => {
                if now.duration_since(since) >= SETTLED {
                    entry.tries = 0;
                }
                Some(entry.told_inactive(verifies, now))
            }
            VerifyState::New { look_at } if is_inactive => {
                (look_at <= now).then(|| entry.told_inactive(verifies, now))
            }
            VerifyState::Inactive { ask_at } if is_inactive => {
                let is_over = ask_at.is_some_and(|ask_at| ask_at <= now);
                (is_over && entry.tries >= MAX_TRIES).then(|| {
                    entry.state = VerifyState::Inactive { ask_at: None };
                    HookCondition::Unverified { tries: entry.tries }
                })
            }
            VerifyState::New { .. } => {
                entry.state = VerifyState::Active { since: now };
                None
            }
            VerifyState::Inactive { .. } => {
                entry.state = VerifyState::Active { since: now };
                Some(HookCondition::Active)
            }
            VerifyState::Active { .. } => None,
        }
    }
}

impl LedgerEntry {
    fn due_at(&self) -> Option<Instant> {
        match self.state {
            VerifyState::Active { .. } => None,
            VerifyState::New { look_at } => Some(look_at),
            VerifyState::Inactive { ask_at } => ask_at,
        }
    }

    fn told_inactive(&mut self, verifies: bool, now: Instant) -> HookCondition {
        let verifying = verifies && self.tries < MAX_TRIES;
        let ask_at = verifying.then_some(now);
        self.state = VerifyState::Inactive { ask_at };
        HookCondition::Inactive { verifying }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: PlaceRef = PlaceRef::app(3);
    const PAUSE: Duration = Duration::from_mins(1);

    fn hook(hook_id: u64, status: HookStatus) -> Hook {
        Hook {
            hook_id,
            status,
            event: "item.update".to_owned(),
            url: "https://relay.example/key/podio".to_owned(),
            created_on: None,
            created_by: None,
            created_via: None,
        }
    }

    fn look(
        ledger: &mut HookLedger,
        status: HookStatus,
        now: Instant,
    ) -> (Vec<HookCondition>, Vec<u64>) {
        let news = ledger.take_in(APP, &[hook(7, status)], |_| false, now);
        let news = news.into_iter().map(|(_, state)| state).collect();
        (news, ledger.take_due(APP, now))
    }

    #[test]
    fn a_hook_that_stays_inactive_is_verified_five_times_with_growing_pauses() {
        let mut ledger = HookLedger::new(true, PAUSE);
        let begin = Instant::now();
        assert_eq!(
            look(&mut ledger, HookStatus::Active, begin),
            (vec![], vec![])
        );
        let inactive = HookCondition::Inactive { verifying: true };
        let seen = look(&mut ledger, HookStatus::Inactive, begin);
        assert_eq!(seen, (vec![inactive], vec![7]));
        let (mut asked, mut now, mut pauses) = (1, begin, Vec::new());
        while let Some(due) = ledger.next_due() {
            pauses.push(due.duration_since(now).as_secs() / 60);
            now = due;
            let (news, due) = look(&mut ledger, HookStatus::Inactive, now);
            asked += due.len();
            let over = HookCondition::Unverified { tries: 5 };
            assert!(news.is_empty() || news == [over], "{news:?}");
        }
        assert_eq!((asked, pauses), (5, vec![1, 2, 4, 8, 16]));
        assert!(ledger.waiting_places().is_empty());
        let active = look(&mut ledger, HookStatus::Active, now);
        assert_eq!(active, (vec![HookCondition::Active], vec![]));
    }

    #[test]
    fn a_hook_that_comes_and_goes_is_verified_no_more_often() {
        let mut ledger = HookLedger::new(true, PAUSE);
        let (mut now, mut asked) = (Instant::now(), 0);
        for _ in 0..20 {
            look(&mut ledger, HookStatus::Active, now);
            now += PAUSE;
            asked += look(&mut ledger, HookStatus::Inactive, now).1.len();
        }
        assert_eq!(asked, 5);
        look(&mut ledger, HookStatus::Active, now);
        let seen = look(&mut ledger, HookStatus::Inactive, now + SETTLED);
        assert_eq!(seen.1, [7]);
    }

    #[test]
    fn a_new_hook_has_time_to_be_verified_before_it_is_told() {
        let mut ledger = HookLedger::new(true, PAUSE);
        let begin = Instant::now();
        assert_eq!(look(&mut ledger, HookStatus::Inactive, begin).0, []);
        assert_eq!(ledger.next_due(), Some(begin + PAUSE));
        let seen = look(&mut ledger, HookStatus::Inactive, begin + PAUSE);
        assert_eq!(seen.0, [HookCondition::Inactive { verifying: true }]);
    }

    #[test]
    fn without_verifying_it_is_told_alone() {
        let mut ledger = HookLedger::new(false, PAUSE);
        let begin = Instant::now();
        look(&mut ledger, HookStatus::Active, begin);
        let seen = look(&mut ledger, HookStatus::Inactive, begin);
        let inactive = HookCondition::Inactive { verifying: false };
        assert_eq!(seen, (vec![inactive], vec![]));
        assert_eq!(ledger.next_due(), None);
    }

    #[test]
    fn a_hook_that_is_gone_is_told_once_unless_it_was_deleted_here() {
        let mut ledger = HookLedger::new(true, PAUSE);
        let now = Instant::now();
        let two = [hook(7, HookStatus::Active), hook(8, HookStatus::Active)];
        ledger.take_in(APP, &two, |_| false, now);
        assert_eq!(ledger.take_in(PlaceRef::app(4), &[], |_| false, now), []);
        let news = ledger.take_in(APP, &[], |hook_id| hook_id == 8, now);
        assert_eq!(news, [(hook(7, HookStatus::Active), HookCondition::Gone)]);
        assert_eq!(ledger.take_in(APP, &[], |_| false, now), []);
    }
}
