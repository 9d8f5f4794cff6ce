//! Detects loops that add objects: the answer to each event creates a new object, whose event
//! causes the next one, so that no object fires twice. It judges by the rate of one hook. An import
//! looks much the same, so Podio is asked who adds the objects before the loop is reported. Pure.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use podtap_podio::{EventType, ObjectRef};

use super::suspicion::{QuestionState, Suspect, Suspicion};
use crate::history::{Arrival, LoopFinding, LoopShape, Maker};

/// Number of new objects within a time that may be a loop. The last value says whether it is
/// reported only if Podio confirms that our own client makes the changes.
const THRESHOLDS: [(usize, SignedDuration, bool); 3] = [
    (MEMORY, SignedDuration::from_mins(10), false),
    (20, SignedDuration::from_mins(2), true),
    (30, MEMORY_TIME, true),
];

/// Number of remembered objects per hook: as many as the largest threshold needs.
const MEMORY: usize = 60;

/// Time for which objects are remembered.
const MEMORY_TIME: SignedDuration = SignedDuration::from_hours(1);

/// Minimum median pause of a loop: a turn takes Podio's delivery, the handler and one API call. An
/// import without a person is usually faster.
const LEAST_TURN: SignedDuration = SignedDuration::from_millis(80);

/// Time without events after which a loop has ended.
const QUIET: SignedDuration = SignedDuration::from_mins(5);

/// Maximum number of hooks that are watched at the same time; beyond it, no hook is added.
const MAX_HOOKS: usize = 1000;

/// Detects hooks that report one new object after another.
#[derive(Debug, Default)]
pub(super) struct Additions {
    hooks: HashMap<u64, HookTrail>,
}

#[derive(Debug)]
struct HookTrail {
    steps: VecDeque<(Timestamp, ObjectRef)>,
    newest: Timestamp,
    asked: QuestionState,
}

impl Additions {
    /// Resumes a loop that was found before the agent started.
    pub(super) fn resume(&mut self, finding: &LoopFinding) {
        if finding.shape != LoopShape::Adds {
            return;
        }
        if let (Some(newest), true) = (finding.times.last(), self.hooks.len() < MAX_HOOKS) {
            let trail = HookTrail {
                steps: VecDeque::new(),
                newest: *newest,
                asked: QuestionState::Told,
            };
            self.hooks.entry(finding.hook_id).or_insert(trail);
        }
    }

    /// Adds an event; returns a suspicion if this event causes one.
    pub(super) fn observe(&mut self, arrival: &Arrival) -> Option<Suspicion> {
        let (hook_id, object) = (arrival.hook_id?, arrival.object?);
        let event_type = arrival.event_type.as_deref()?;
        if arrival.earlier.is_some() || !event_type.parse().is_ok_and(adds) {
            return None;
        }
        let now = arrival.received_at;
        if self.hooks.len() >= MAX_HOOKS && !self.hooks.contains_key(&hook_id) {
            self.hooks
                .retain(|_, trail| now.duration_since(trail.newest) <= MEMORY_TIME);
            if self.hooks.len() >= MAX_HOOKS {
                return None;
            }
        }
        let trail = self.hooks.entry(hook_id).or_insert_with(|| HookTrail {
            steps: VecDeque::new(),
            newest: now,
            asked: QuestionState::Never,
        });
        let (times, needs_proof) = trail.take(now, object)?;
        trail.asked = QuestionState::UnderWay;
        Some(Suspicion {
            finding: LoopFinding {
                object,
                hook_id,
                event_type: event_type.to_owned(),
                event: arrival.event.id,
                position: arrival.event.position,
                times,
                revisions: Vec::new(),
                consecutive: false,
                shape: LoopShape::Adds,
                maker: Maker::default(),
            },
            needs_proof,
            subject: Suspect::Additions(hook_id),
        })
    }

    /// Stores the result of a suspicion about this hook.
    pub(super) fn settle(&mut self, hook_id: u64, asked: QuestionState) {
        if let Some(trail) = self.hooks.get_mut(&hook_id) {
            trail.asked = asked;
        }
    }
}

impl HookTrail {
    /// Adds a new object; returns the times if they pass a threshold.
    fn take(&mut self, now: Timestamp, object: ObjectRef) -> Option<(Vec<Timestamp>, bool)> {
        if now.duration_since(self.newest) > QUIET && self.asked == QuestionState::Told {
            self.asked = QuestionState::Never;
            self.steps.clear();
        }
        self.newest = self.newest.max(now);
        // An object that fires again is for the other detector.
        if self.steps.iter().any(|(_, known)| *known == object) {
            return None;
        }
        let newest = self.newest;
        let is_old = |at: Timestamp| newest.duration_since(at) > MEMORY_TIME;
        while self.steps.len() == MEMORY || self.steps.front().is_some_and(|(at, _)| is_old(*at)) {
            self.steps.pop_front();
        }
        self.steps.push_back((now, object));
        let evidence = THRESHOLDS.iter().find_map(|(count, within, needs_proof)| {
            let first = self.steps.len().checked_sub(*count)?;
            let times: Vec<_> = self.steps.range(first..).map(|(at, _)| *at).collect();
            let span = newest.duration_since(*times.iter().min()?);
            (span <= *within && median_pause(&times) >= LEAST_TURN).then_some((times, *needs_proof))
        });
        evidence.filter(|(_, needs_proof)| self.asked.allows(*needs_proof, newest))
    }
}

/// Returns the median of the pauses between these times.
fn median_pause(times: &[Timestamp]) -> SignedDuration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let pauses = sorted.windows(2).filter_map(|pair| match pair {
        [one, next] => Some(next.duration_since(*one)),
        _ => None,
    });
    let mut pauses: Vec<_> = pauses.collect();
    let middle = pauses.len() / 2;
    if pauses.is_empty() {
        return SignedDuration::ZERO;
    }
    *pauses.select_nth_unstable(middle).1
}

/// Returns whether the answer to such an event may cause
/// another event of this type about another object.
const fn adds(event: EventType) -> bool {
    use EventType as E;
    matches!(
        event,
        E::ItemCreate
            | E::CommentCreate
            | E::FileChange
            | E::TagAdd
            | E::TaskCreate
            | E::AppCreate
            | E::FormCreate
            | E::MemberAdd
            | E::ContactCreate
            | E::StatusCreate
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::sample;

    fn arrival_of_new(number: i64, millis: i64) -> Arrival {
        let item = number.unsigned_abs();
        sample::arrival("item.create", item, 0, number, millis)
    }

    /// Returns the reported loops if Podio names this maker, and how often Podio is asked.
    fn findings_and_calls(count: i64, every: i64, maker: &Maker) -> (Vec<LoopFinding>, usize) {
        let (mut additions, mut told, mut asked) = (Additions::default(), Vec::new(), 0);
        for number in 0..count {
            let arrival = arrival_of_new(number, number * every);
            let Some(suspicion) = additions.observe(&arrival) else {
                continue;
            };
            asked += 1;
            let judged = suspicion.judge(maker, false, arrival.received_at);
            additions.settle(7, judged);
            if judged == QuestionState::Told {
                told.push(suspicion.finding);
            }
        }
        (told, asked)
    }

    fn own() -> Maker {
        Maker::Own {
            by: "Ada through Podtap".to_owned(),
        }
    }

    #[test]
    fn a_chain_of_new_items_is_found_once_by_the_pace_of_its_hook() {
        for every in [190, 1_500, 11_000, 60_000] {
            let (told, _) = findings_and_calls(63, every, &own());
            assert_eq!(told.len(), 1, "every {every} ms");
            assert_eq!(told[0].shape, LoopShape::Adds);
            assert!(told[0].cure().contains("POST /item/app/APP_ID/?hook=false"));
        }
    }

    #[test]
    fn without_an_answer_only_a_long_chain_is_told_and_an_import_is_named() {
        let (few, _) = findings_and_calls(40, 190, &Maker::default());
        assert_eq!(few, []);
        let (many, _) = findings_and_calls(63, 190, &Maker::default());
        assert_eq!(many.len(), 1);
        assert!(many[0].cure().contains("import"), "{}", many[0].cure());
    }

    #[test]
    fn an_import_of_others_is_asked_about_once_and_not_told() {
        let other = Maker::Other {
            by: "Bo through Podio".to_owned(),
        };
        let (told, asked) = findings_and_calls(50, 300, &other);
        assert_eq!((told, asked), (Vec::new(), 1));
    }

    #[test]
    fn an_import_that_runs_by_itself_is_too_fast_for_a_loop() {
        assert_eq!(findings_and_calls(2_000, 5, &own()).1, 0);
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let mut additions = Additions::default();
        for number in 0..3_000 {
            let mut arrival = arrival_of_new(number, 0);
            arrival.hook_id = Some(number.unsigned_abs());
            additions.observe(&arrival);
        }
        assert!(additions.hooks.len() <= MAX_HOOKS);
    }
}
