//! Detects loops by their times: one hook fires about one object again and again, or several
//! objects fire in turn. Pure: events carry their own times, so that yesterday's backlog is judged
//! like live events. Podio is asked who makes the changes before a loop is reported (`evidence`).

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use podtap_podio::ObjectRef;

use crate::history::{Arrival, LoopFinding, LoopShape, Maker};
use crate::watch::suspicion::{QuestionState, Suspect, Suspicion};

/// Number of events within a time that may be a loop. People edit one field at a time: reading,
/// clicking, typing and saving take some seconds, and no person continues that on one item for
/// minutes. A turn of a loop takes Podio's delivery, the handler and one API call: one to ten
/// seconds, or minutes if there is a queue in between.
const THRESHOLDS: [LoopThreshold; 5] = [
    LoopThreshold::clear(10, SignedDuration::from_secs(20)),
    LoopThreshold::clear(30, SignedDuration::from_mins(5)),
    LoopThreshold::clear(100, MEMORY_TIME),
    LoopThreshold::suspect(20, SignedDuration::from_mins(10)),
    LoopThreshold::suspect(30, MEMORY_TIME),
];

/// Number of remembered events per object: as many as the largest threshold needs.
const MEMORY: usize = 100;

/// Time for which events are remembered.
const MEMORY_TIME: SignedDuration = SignedDuration::from_hours(1);

/// Time without events after which a loop has ended, at least; a slow loop has longer. Events after
/// that are another loop.
const QUIET: SignedDuration = SignedDuration::from_mins(2);

/// Number of its own turns after which a slow loop has ended.
const QUIET_TURNS: i32 = 4;

/// Maximum number of objects that are watched at the same time; beyond it, the quarter that has
/// been quiet for longest is removed.
const MAX_WATCHED: usize = 4096;

/// Maximum number of objects that are named of one circle.
const MAX_CIRCLE: usize = 8;

/// Percentage of the pauses between an object's events in which another object must fire exactly
/// once to belong to the same circle.
const IN_TURN_PERCENT: usize = 80;

struct LoopThreshold {
    events: usize,
    within: SignedDuration,
    /// Whether it is reported only if Podio confirms that our own client makes the changes.
    needs_proof: bool,
}

impl LoopThreshold {
    const fn clear(events: usize, within: SignedDuration) -> Self {
        let needs_proof = false;
        Self {
            events,
            within,
            needs_proof,
        }
    }

    const fn suspect(events: usize, within: SignedDuration) -> Self {
        let needs_proof = true;
        Self {
            events,
            within,
            needs_proof,
        }
    }
}

/// The key of a trail: a hook and an object.
type TrailKey = (u64, ObjectRef);

/// Detects loops.
#[derive(Debug, Default)]
pub(super) struct LoopDetector {
    watched: HashMap<TrailKey, ObjectTrail>,
}

/// The latest events of one hook about one object.
#[derive(Debug)]
struct ObjectTrail {
    steps: VecDeque<(Timestamp, Option<u64>)>,
    newest: Timestamp,
    /// For a known loop: the time without events after which it has ended.
    known: Option<SignedDuration>,
    asked: QuestionState,
}

/// The newest events, which pass a threshold.
struct Evidence {
    steps: Vec<(Timestamp, Option<u64>)>,
    needs_proof: bool,
}

impl LoopDetector {
    /// Resumes a loop that was found before the agent started, so that it is not reported again.
    pub(super) fn resume(&mut self, finding: &LoopFinding) {
        let Some(newest) = finding.times.last().copied() else {
            return;
        };
        for object in finding.objects() {
            let trail = ObjectTrail {
                known: Some(quiet_after(&finding.times)),
                ..ObjectTrail::new(newest)
            };
            self.watched
                .entry((finding.hook_id, object))
                .or_insert(trail);
        }
    }

    /// Adds an event; returns a suspicion if this event causes one.
    pub(super) fn observe(&mut self, arrival: &Arrival) -> Option<Suspicion> {
        let key = (arrival.hook_id?, arrival.object?);
        let event_type = arrival.event_type.as_deref()?;
        // A duplicate of an event is not another turn.
        if arrival.earlier.is_some() {
            return None;
        }
        self.make_room();
        let now = arrival.received_at;
        let trail = self
            .watched
            .entry(key)
            .or_insert_with(|| ObjectTrail::new(now));
        let evidence = trail.take(now, arrival.revision)?;
        let (times, revisions): (Vec<_>, Vec<_>) = evidence.steps.iter().copied().unzip();
        let partners = self.in_turn_with(key, &times);
        let others = partners.iter().map(|(_, object)| *object).collect();
        for partner in std::iter::once(&key).chain(&partners) {
            if let Some(trail) = self.watched.get_mut(partner) {
                trail.asked = QuestionState::UnderWay;
            }
        }
        let count = revisions.len();
        let revisions: Vec<u64> = revisions.into_iter().flatten().collect();
        Some(Suspicion {
            finding: LoopFinding {
                object: key.1,
                hook_id: key.0,
                event_type: event_type.to_owned(),
                event: arrival.event.id,
                position: arrival.event.position,
                times,
                consecutive: revisions.len() == count
                    && revisions.is_sorted_by(|one, next| one.checked_add(1) == Some(*next)),
                revisions,
                shape: if partners.is_empty() {
                    LoopShape::Same
                } else {
                    LoopShape::Circle(others)
                },
                maker: Maker::default(),
            },
            needs_proof: evidence.needs_proof,
            subject: Suspect::Objects(std::iter::once(key).chain(partners).collect()),
        })
    }

    /// Stores the result of a suspicion about these objects.
    pub(super) fn settle(
        &mut self,
        keys: &[TrailKey],
        finding: &LoopFinding,
        asked: QuestionState,
    ) {
        for key in keys {
            let Some(trail) = self.watched.get_mut(key) else {
                continue;
            };
            trail.asked = asked;
            if asked == QuestionState::Told {
                trail.known = Some(quiet_after(&finding.times));
                trail.steps.clear();
            }
        }
    }

    /// Returns the objects that fire once in each pause
    /// between these times: they belong to the same circle.
    fn in_turn_with(&self, key: TrailKey, times: &[Timestamp]) -> Vec<TrailKey> {
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            return Vec::new();
        };
        let pauses = times.len().saturating_sub(1);
        let in_turn = |trail: &ObjectTrail| {
            let steps = trail.steps.iter().map(|(at, _)| *at);
            let theirs: Vec<_> = steps.filter(|at| at >= first && at <= last).collect();
            let once = times.windows(2).filter(|pause| {
                let [from, to] = pause else { return false };
                let within = theirs.iter().filter(|at| from < *at && *at <= to);
                within.count() == 1
            });
            once.count() * 100 >= pauses * IN_TURN_PERCENT
        };
        let others = self.watched.iter().filter(|(other, trail)| {
            other.1 != key.1 && trail.newest >= *first && trail.known.is_none() && in_turn(trail)
        });
        let mut others: Vec<TrailKey> = others.map(|(other, _)| *other).collect();
        others.sort_unstable();
        others.truncate(MAX_CIRCLE);
        others
    }

    fn make_room(&mut self) {
        if self.watched.len() < MAX_WATCHED {
            return;
        }
        let mut newest: Vec<_> = self.watched.values().map(|trail| trail.newest).collect();
        let (_, oldest_to_stay, _) = newest.select_nth_unstable(MAX_WATCHED / 4);
        let mut surplus = MAX_WATCHED / 4;
        self.watched.retain(|_, trail| {
            let goes = surplus > 0 && trail.newest <= *oldest_to_stay;
            surplus -= usize::from(goes);
            !goes
        });
    }
}

impl ObjectTrail {
    fn new(newest: Timestamp) -> Self {
        Self {
            steps: VecDeque::new(),
            newest,
            known: None,
            asked: QuestionState::Never,
        }
    }

    /// Adds an event; returns the evidence, if there is some about which Podio was not asked yet.
    fn take(&mut self, now: Timestamp, revision: Option<u64>) -> Option<Evidence> {
        let pause = now.duration_since(self.newest);
        self.newest = self.newest.max(now);
        if let Some(quiet) = self.known {
            if pause <= quiet {
                return None;
            }
            (self.known, self.asked) = (None, QuestionState::Never);
        }
        let newest = self.newest;
        let is_old = |at: Timestamp| newest.duration_since(at) > MEMORY_TIME;
        while self.steps.len() == MEMORY || self.steps.front().is_some_and(|(at, _)| is_old(*at)) {
            self.steps.pop_front();
        }
        self.steps.push_back((now, revision));
        self.evidence()
            .filter(|evidence| self.asked.allows(evidence.needs_proof, newest))
    }

    fn evidence(&self) -> Option<Evidence> {
        THRESHOLDS.iter().find_map(|threshold| {
            let first = self.steps.len().checked_sub(threshold.events)?;
            let steps: Vec<_> = self.steps.range(first..).copied().collect();
            let oldest = steps.iter().map(|(time, _)| *time).min()?;
            let needs_proof = threshold.needs_proof;
            (self.newest.duration_since(oldest) <= threshold.within)
                .then_some(Evidence { steps, needs_proof })
        })
    }
}

/// Returns the time without events after which a loop with these times has ended.
fn quiet_after(times: &[Timestamp]) -> SignedDuration {
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return QUIET;
    };
    let turns = i32::try_from(times.len()).unwrap_or(i32::MAX).max(2) - 1;
    QUIET.max(last.duration_since(*first) / turns * QUIET_TURNS)
}

#[cfg(test)]
mod tests;
