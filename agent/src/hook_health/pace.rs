//! Determines how often a hook usually sends, and whether it now sends much less or much more.
//! Pure: events carry their own times, and the current time is passed in.
//!
//! Each hook is compared with itself. Silence is reported after three times the longest recent
//! pause, so that a hook that is quiet at night is not reported each evening for long: a day later,
//! its nights are among its pauses.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use crate::history::HookCondition;

/// Number of stored pauses per hook, the latest.
const PAUSES: usize = 100;

/// Minimum number of pauses, and minimum time that they span, before a hook has a usual rate.
const LEARNED_PAUSES: usize = 20;
const LEARNED_TIME: SignedDuration = SignedDuration::from_hours(1);

/// Minimum silence that is reported, and its minimum multiple of the longest pause.
const SHORTEST_SILENCE: SignedDuration = SignedDuration::from_mins(15);
const SILENCE_TIMES: i32 = 3;

/// Length in seconds of the slots in which events are counted, and number of slots that are kept.
const SLOT_SECONDS: i64 = 300;
const SLOTS: usize = 144;

/// Minimum count that is reported, and its minimum multiple of the highest earlier count.
const SMALLEST_BURST: u64 = 100;
const BURST_TIMES: u64 = 10;

/// Maximum number of watched hooks. A webhook may contain any id, so a stranger may invent hooks.
const MAX_HOOKS: usize = 1_000;

/// The rates of all hooks.
#[derive(Debug, Default)]
pub(super) struct Paces {
    hooks: HashMap<u64, Pace>,
}

#[derive(Debug)]
struct Pace {
    event_type: Option<Box<str>>,
    first: Timestamp,
    newest: Timestamp,
    pauses: VecDeque<SignedDuration>,
    /// Number of events in each slot, oldest first, without empty slots.
    slots: VecDeque<(i64, u64)>,
    /// Whether the current silence was reported.
    told_silence: bool,
    /// The slot whose count was reported.
    told_slot: Option<i64>,
}

impl Paces {
    /// Adds an event of this hook, accepted at this time.
    pub(super) fn observe(&mut self, hook_id: u64, event_type: Option<&str>, at: Timestamp) {
        if let Some(pace) = self.hooks.get_mut(&hook_id) {
            pace.observe(at);
        } else if self.hooks.len() < MAX_HOOKS {
            self.hooks.insert(hook_id, Pace::new(event_type, at));
        }
    }

    /// Returns the event type of a hook.
    pub(super) fn event_type(&self, hook_id: u64) -> Option<&str> {
        self.hooks.get(&hook_id)?.event_type.as_deref()
    }

    /// Returns what to report now, each condition once, ordered by hook.
    pub(super) fn check(&mut self, now: Timestamp, is_up: bool) -> Vec<(u64, HookCondition)> {
        let mut told = Vec::new();
        for (hook_id, pace) in &mut self.hooks {
            let silent = if is_up { pace.silent(now) } else { None };
            told.extend(
                silent
                    .or_else(|| pace.busy(now))
                    .map(|state| (*hook_id, state)),
            );
        }
        told.sort_by_key(|(hook_id, _)| *hook_id);
        told
    }
}

impl Pace {
    fn new(event_type: Option<&str>, at: Timestamp) -> Self {
        let mut pace = Self {
            event_type: event_type.map(Into::into),
            first: at,
            newest: at,
            pauses: VecDeque::new(),
            slots: VecDeque::new(),
            told_silence: false,
            told_slot: None,
        };
        pace.count(at);
        pace
    }

    fn observe(&mut self, at: Timestamp) {
        self.count(at);
        // A late event does not end a pause.
        let pause = at.duration_since(self.newest);
        if pause.is_negative() {
            return;
        }
        if self.pauses.len() >= PAUSES {
            self.pauses.pop_front();
        }
        self.pauses.push_back(pause);
        self.newest = at;
        self.told_silence = false;
    }

    fn count(&mut self, at: Timestamp) {
        let slot = slot(at);
        match self.slots.back_mut() {
            Some((newest, count)) if *newest >= slot => *count += 1,
            _ => {
                if self.slots.len() >= SLOTS {
                    self.slots.pop_front();
                }
                self.slots.push_back((slot, 1));
            }
        }
    }

    fn silent(&mut self, now: Timestamp) -> Option<HookCondition> {
        let spanned: SignedDuration = self.pauses.iter().sum();
        let is_learned = self.pauses.len() >= LEARNED_PAUSES && spanned >= LEARNED_TIME;
        let longest = self.pauses.iter().max().copied()?;
        let quiet = now.duration_since(self.newest);
        let is_silent = quiet > SHORTEST_SILENCE && quiet > longest.saturating_mul(SILENCE_TIMES);
        if self.told_silence || !is_learned || !is_silent {
            return None;
        }
        self.told_silence = true;
        let count = i32::try_from(self.pauses.len()).unwrap_or(i32::MAX);
        let usual = spanned / count;
        Some(HookCondition::Silent {
            since: self.newest,
            usual_ms: u64::try_from(usual.as_millis()).unwrap_or(0),
        })
    }

    fn busy(&mut self, now: Timestamp) -> Option<HookCondition> {
        let (newest, events) = self.slots.back().copied()?;
        let is_now = slot(now).saturating_sub(newest) <= 1;
        let is_learned = self.newest.duration_since(self.first) >= LEARNED_TIME;
        let before = self.slots.iter().rev().skip(1);
        let usual = before.map(|(_, count)| *count).max().unwrap_or(0);
        let is_burst = events >= SMALLEST_BURST && events >= usual.saturating_mul(BURST_TIMES);
        if self.told_slot == Some(newest) || !is_now || !is_learned || !is_burst {
            return None;
        }
        self.told_slot = Some(newest);
        Some(HookCondition::Busy { events, usual })
    }
}

fn slot(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SLOT_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        // The start of a slot.
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    /// Returns a hook that has sent an event every three minutes.
    fn steady(events: i64) -> Paces {
        let mut paces = Paces::default();
        for number in 0..events {
            paces.observe(7, Some("item.update"), at(number * 180));
        }
        paces
    }

    #[test]
    fn silence_is_told_once_after_three_times_the_longest_pause_and_begins_anew() {
        let mut paces = steady(30);
        let last = 29 * 180;
        assert_eq!(paces.check(at(last + 900), true), []);
        let silent = HookCondition::Silent {
            since: at(last),
            usual_ms: 180_000,
        };
        assert_eq!(paces.check(at(last + 901), true), [(7, silent)]);
        assert_eq!(paces.check(at(last + 9_000), true), []);
        paces.observe(7, None, at(last + 9_000));
        // The long pause is one of its pauses now.
        assert_eq!(paces.check(at(last + 18_000), true), []);
        assert_eq!(paces.check(at(last + 9_000 + 27_001), true).len(), 1);
        assert_eq!(paces.event_type(7), Some("item.update"));
    }

    #[test]
    fn silence_is_nothing_while_the_link_is_away_or_before_anything_is_usual() {
        assert_eq!(steady(30).check(at(100_000), false), []);
        assert_eq!(steady(20).check(at(100_000), true), []);
        let mut import = Paces::default();
        for _ in 0..500 {
            import.observe(7, None, at(0));
        }
        assert_eq!(import.check(at(100_000), true), []);
    }

    #[test]
    fn much_more_than_ever_is_told_once_for_its_time() {
        let mut paces = steady(30);
        for _ in 0..300 {
            paces.observe(7, None, at(30 * 180));
        }
        let told = paces.check(at(30 * 180 + 10), true);
        assert_eq!(told.len(), 1);
        let (_, HookCondition::Busy { events, usual }) = told[0] else {
            panic!("{told:?}");
        };
        assert!(events >= 300 && usual <= 2, "{told:?}");
        assert_eq!(paces.check(at(30 * 180 + 20), true), []);
        // An old backlog is not a burst.
        let mut old = steady(30);
        for _ in 0..300 {
            old.observe(7, None, at(30 * 180));
        }
        assert_eq!(old.check(at(30 * 180 + 900), true), []);
    }

    #[test]
    fn what_is_kept_is_bounded_whatever_comes() {
        let mut paces = Paces::default();
        for hook_id in 0..5_000 {
            paces.observe(hook_id, None, at(0));
        }
        assert_eq!(paces.hooks.len(), MAX_HOOKS);
        for number in 0..1_000 {
            paces.observe(7, None, at(number * 1_000));
        }
        let pace = &paces.hooks[&7];
        assert_eq!((pace.pauses.len(), pace.slots.len()), (PAUSES, SLOTS));
    }
}
