//! Decides which `hook.verify` is validated, and when. Pure: the time is passed in, and the calls
//! are made elsewhere.
//!
//! Anyone who knows the tunnel's URL can forge a `hook.verify` (invariant 7). So ids are digits
//! only, codes have a fixed form, a pair of hook and code is validated only once, and the calls per
//! hour are limited.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::history::{EventKey, Verification};

/// Maximum number of calls within an hour, and as many again for hooks that
/// were created here, so that forged events cannot block those. Podio
/// allows 1,000 per hour for everything (podio.md 4.3), which reading items
/// needs, too. The largest known set has 48 hooks, asked about twice each.
pub(super) const CALLS_PER_HOUR: usize = 120;

/// The period over which calls are counted.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Time after its `hook.verify` for which a code is tried again. It is unknown for how long Podio
/// accepts one (podio.md 9.4); a person who waits for a hook requests another code long before.
pub(super) const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// Pause after the first failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Maximum pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Maximum number of characters of a code. The one official sample has eight (podio.md 1.1).
const MAX_CODE_LENGTH: usize = 64;

/// Maximum number of events that wait for the outcome of one pair; further ones get no outcome.
const MAX_WAITING: usize = 100;

/// A hook, and the code that proves that its `hook.verify` was received.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct HookCode {
    pub(super) hook_id: u64,
    pub(super) code: String,
}

impl HookCode {
    /// Returns the pair of an event, or what is wrong with it.
    pub(super) fn parse(hook_id: Option<u64>, code: Option<&str>) -> Result<Self, &'static str> {
        let hook_id = hook_id.ok_or("`hook_id` is missing or not a number")?;
        let code = code.filter(|code| !code.is_empty());
        let code = code.ok_or("it has no code")?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if code.len() > MAX_CODE_LENGTH || !code.bytes().all(is_plain) {
            return Err("its code does not have the form of Podio's codes");
        }
        let code = code.to_owned();
        Ok(Self { hook_id, code })
    }
}

/// The code is a proof, so it must not appear in logs.
impl fmt::Debug for HookCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookCode")
            .field("hook_id", &self.hook_id)
            .finish_non_exhaustive()
    }
}

/// The result of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallOutcome {
    /// There is nothing more to try.
    Final(Verification),
    /// It may succeed later.
    Again {
        /// The reason, in words.
        reason: String,
        /// The time that Podio asks to wait.
        wait: Option<Duration>,
    },
}

/// A pair whose validation has not ended.
#[derive(Debug)]
struct PairProgress {
    events: Vec<EventKey>,
    received_at: Timestamp,
    /// Whether the hook was created here.
    own: bool,
    tries: u32,
    /// Time of the next call; `None` while one is running.
    due: Option<Timestamp>,
}

/// Every validation that has not ended, and the calls of the last hour.
#[derive(Debug, Default)]
pub(super) struct Verifier {
    pairs: HashMap<HookCode, PairProgress>,
    calls: VecDeque<(Timestamp, bool)>,
}

impl Verifier {
    /// Handles a `hook.verify`: plans the call for its pair, or returns the outcome if it is
    /// already certain.
    pub(super) fn ask(
        &mut self,
        event: EventKey,
        pair: HookCode,
        received_at: Timestamp,
        now: Timestamp,
        own: bool,
    ) -> Option<Verification> {
        if let Some(progress) = self.pairs.get_mut(&pair) {
            if progress.events.len() < MAX_WAITING {
                progress.events.push(event);
            }
            return None;
        }
        if self.calls_of_the_hour(now, own) >= CALLS_PER_HOUR {
            return Some(Verification::Failed {
                reason: format!(
                    "not tried: podtap makes at most {CALLS_PER_HOUR} validations per hour; \
                     request another one later"
                ),
            });
        }
        let progress = PairProgress {
            events: vec![event],
            received_at,
            own,
            tries: 0,
            due: Some(now),
        };
        self.pairs.insert(pair, progress);
        None
    }

    /// Returns a pair to validate now, and counts the call.
    pub(super) fn start(&mut self, now: Timestamp) -> Option<HookCode> {
        let is_due = |progress: &PairProgress| progress.due.is_some_and(|due| due <= now);
        let (pair, progress) = self.pairs.iter_mut().find(|(_, p)| is_due(p))?;
        progress.tries += 1;
        progress.due = None;
        self.calls.push_back((now, progress.own));
        Some(pair.clone())
    }

    /// Returns the time of the next call.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.pairs
            .values()
            .filter_map(|progress| progress.due)
            .min()
    }

    /// Handles the end of a call: returns the events that waited for it, with their outcome; `None`
    /// if there will be another call.
    pub(super) fn finish_call(
        &mut self,
        pair: &HookCode,
        answer: CallOutcome,
        now: Timestamp,
    ) -> Option<(Vec<EventKey>, Verification)> {
        let own = self.pairs.get(pair)?.own;
        let calls = self.calls_of_the_hour(now, own);
        let progress = self.pairs.get_mut(pair)?;
        let verification = match answer {
            CallOutcome::Final(verification) => verification,
            CallOutcome::Again { reason, wait } => {
                let pause = pause(progress.tries).max(wait.unwrap_or_default());
                let due = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
                let in_time = due.duration_since(progress.received_at) <= CODE_LIFETIME;
                if in_time && calls < CALLS_PER_HOUR {
                    progress.due = Some(due);
                    return None;
                }
                let reason = match progress.tries {
                    1 => reason,
                    tries => format!("{reason} (tried {tries} times)"),
                };
                Verification::Failed { reason }
            }
        };
        let progress = self.pairs.remove(pair)?;
        Some((progress.events, verification))
    }

    /// Returns the calls within the last hour plus the planned ones: for hooks that were created
    /// here, or for all others.
    fn calls_of_the_hour(&mut self, now: Timestamp, own: bool) -> usize {
        while let Some((oldest, _)) = self.calls.front()
            && now.duration_since(*oldest) >= HOUR
        {
            self.calls.pop_front();
        }
        let promised = self
            .pairs
            .values()
            .filter(|progress| progress.due.is_some() && progress.own == own);
        let calls = self.calls.iter().filter(|(_, theirs)| *theirs == own);
        calls.count() + promised.count()
    }
}

fn pause(tries: u32) -> Duration {
    let doublings = tries.saturating_sub(1).min(10);
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use podtap_wire::EventId;

    use super::*;
    use crate::history::Position;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn event(number: i64) -> EventKey {
        EventKey {
            position: Position(number),
            id: EventId::from_bytes([0; 16]),
        }
    }

    fn pair(hook_id: u64, code: &str) -> HookCode {
        HookCode::parse(Some(hook_id), Some(code)).unwrap()
    }

    fn again() -> CallOutcome {
        CallOutcome::Again {
            reason: "503".to_owned(),
            wait: None,
        }
    }

    #[test]
    fn what_podio_would_not_send_is_never_called() {
        assert!(HookCode::parse(Some(24_360_216), Some("b9079247")).is_ok());
        for (hook_id, code) in [
            (None, Some("b9079247")),
            (Some(1), None),
            (Some(1), Some("")),
            (Some(1), Some("a/../b")),
            (Some(1), Some("a\r\nb")),
            (Some(1), Some("ä")),
        ] {
            assert!(HookCode::parse(hook_id, code).is_err(), "{code:?}");
        }
        assert!(HookCode::parse(Some(1), Some(&"a".repeat(65))).is_err());
    }

    #[test]
    fn a_code_shows_in_no_log() {
        assert!(!format!("{:?}", pair(1, "b9079247")).contains("b9079247"));
    }

    #[test]
    fn one_pair_is_called_once_and_all_its_events_share_the_outcome() {
        let mut verifier = Verifier::default();
        assert_eq!(
            verifier.ask(event(1), pair(7, "aa"), at(0), at(0), false),
            None
        );
        assert_eq!(verifier.start(at(0)), Some(pair(7, "aa")));
        assert_eq!(
            verifier.ask(event(2), pair(7, "aa"), at(1), at(1), false),
            None
        );
        assert_eq!(verifier.start(at(1)), None);

        let done = CallOutcome::Final(Verification::Validated);
        let ended = verifier.finish_call(&pair(7, "aa"), done, at(2));

        assert_eq!(
            ended,
            Some((vec![event(1), event(2)], Verification::Validated))
        );
    }

    #[test]
    fn a_second_code_of_the_same_hook_is_called_too() {
        let mut verifier = Verifier::default();
        verifier.ask(event(1), pair(7, "aa"), at(0), at(0), false);
        verifier.ask(event(2), pair(7, "bb"), at(0), at(0), false);
        assert!(verifier.start(at(0)).is_some());
        assert!(verifier.start(at(0)).is_some());
    }

    #[test]
    fn it_is_tried_again_with_growing_pauses_until_the_code_is_too_old() {
        let mut verifier = Verifier::default();
        let pair = pair(7, "aa");
        verifier.ask(event(1), pair.clone(), at(0), at(0), false);
        let (mut now, mut tries) = (at(0), 0);
        let outcome = loop {
            assert_eq!(verifier.start(now), Some(pair.clone()));
            tries += 1;
            if let Some((events, outcome)) = verifier.finish_call(&pair, again(), now) {
                assert_eq!(events, [event(1)]);
                break outcome;
            }
            let due = verifier.next_due().unwrap();
            assert!(due > now);
            now = due;
        };
        assert_eq!(tries, 15);
        assert!(now.duration_since(at(0)) <= CODE_LIFETIME);
        assert_eq!(
            outcome,
            Verification::Failed {
                reason: "503 (tried 15 times)".to_owned()
            }
        );
    }

    #[test]
    fn an_old_code_is_tried_once() {
        let mut verifier = Verifier::default();
        verifier.ask(event(1), pair(7, "aa"), at(0), at(10_000), false);
        assert!(verifier.start(at(10_000)).is_some());
        assert!(
            verifier
                .finish_call(&pair(7, "aa"), again(), at(10_001))
                .is_some()
        );
    }

    #[test]
    fn a_flood_of_forged_events_makes_no_more_calls_than_an_hour_allows() {
        let mut verifier = Verifier::default();
        let mut refused = 0;
        for number in 0..1000_u64 {
            let outcome = verifier.ask(event(1), pair(number, "aa"), at(0), at(0), false);
            refused += usize::from(outcome.is_some());
        }
        assert_eq!(refused, 1000 - CALLS_PER_HOUR);
        while let Some(pair) = verifier.start(at(1)) {
            verifier.finish_call(&pair, again(), at(1));
        }
        assert_eq!(verifier.next_due(), None);
        assert!(
            verifier
                .ask(event(1), pair(1, "bb"), at(3600), at(3600), false)
                .is_some()
        );
        assert_eq!(
            verifier.ask(event(1), pair(1, "bb"), at(3601), at(3601), false),
            None
        );
    }

    #[test]
    fn a_flood_of_forged_events_keeps_no_hook_of_our_own_out() {
        let mut verifier = Verifier::default();
        for number in 0..1000_u64 {
            verifier.ask(event(1), pair(number, "aa"), at(0), at(0), false);
        }
        assert_eq!(
            verifier.ask(event(2), pair(5000, "bb"), at(1), at(1), true),
            None
        );
        let mut called = Vec::new();
        while let Some(pair) = verifier.start(at(1)) {
            called.push(pair.hook_id);
        }
        assert!(called.contains(&5000));
    }

    #[test]
    fn podios_own_wait_is_kept() {
        let mut verifier = Verifier::default();
        verifier.ask(event(1), pair(7, "aa"), at(0), at(0), false);
        verifier.start(at(0));
        let answer = CallOutcome::Again {
            reason: "420".to_owned(),
            wait: Some(Duration::from_secs(90)),
        };
        assert_eq!(verifier.finish_call(&pair(7, "aa"), answer, at(0)), None);
        assert_eq!(verifier.next_due(), Some(at(90)));
    }
}
