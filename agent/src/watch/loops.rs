//! One object fired by one hook again and again, faster than people act: a loop. Pure: events come
//! in with their own times, so that a backlog of yesterday reads like yesterday.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use podtap_podio::ObjectRef;

use crate::history::{Arrival, LoopFinding};

/// So many events within so much time are a loop. People edit one field at a time: to read, click,
/// type and save takes some seconds, and nobody keeps it up on one item for minutes. A turn of a
/// loop takes Podio's delivery, the handler and one API call: one to ten seconds.
const THRESHOLDS: [Threshold; 2] = [
    Threshold {
        events: 10,
        within: SignedDuration::from_secs(20),
    },
    Threshold {
        events: 30,
        within: SignedDuration::from_mins(5),
    },
];

/// Events that are remembered of one object: as many as the largest threshold asks for.
const MEMORY: usize = 30;

/// A loop has ended once its object is quiet for so long: twelve of its slowest turns. What comes
/// afterwards is another loop.
const QUIET: SignedDuration = SignedDuration::from_mins(2);

/// Objects that are watched at once; a quarter of them makes room, those quiet for longest.
const MAX_WATCHED: usize = 4096;

struct Threshold {
    events: usize,
    within: SignedDuration,
}

/// Finds loops.
#[derive(Debug, Default)]
pub(super) struct Loops {
    watched: HashMap<(u64, ObjectRef), Trail>,
}

/// What one hook sent about one object lately.
#[derive(Debug)]
struct Trail {
    steps: VecDeque<(Timestamp, Option<u64>)>,
    newest: Timestamp,
    /// Whether the loop is known.
    found: bool,
}

impl Loops {
    /// A loop that was found before the agent started: while it goes on, it is no other one.
    pub(super) fn resume(&mut self, finding: &LoopFinding) {
        let Some(newest) = finding.times.last().copied() else {
            return;
        };
        let trail = Trail {
            steps: VecDeque::new(),
            newest,
            found: true,
        };
        let key = (finding.hook_id, finding.object);
        self.watched.entry(key).or_insert(trail);
    }

    /// Takes an event in; the loop, if this is the event that makes it certain.
    pub(super) fn observe(&mut self, arrival: &Arrival) -> Option<LoopFinding> {
        let (hook_id, object) = (arrival.hook_id?, arrival.object?);
        let event_type = arrival.event_type.as_deref()?;
        // The same event once more is no turn of anything.
        if arrival.earlier.is_some() {
            return None;
        }
        self.make_room();
        let now = arrival.received_at;
        let trail = self.watched.entry((hook_id, object)).or_insert(Trail {
            steps: VecDeque::new(),
            newest: now,
            found: false,
        });
        if now.duration_since(trail.newest) > QUIET {
            trail.steps.clear();
            trail.found = false;
        }
        trail.newest = trail.newest.max(now);
        if trail.found {
            return None;
        }
        if trail.steps.len() == MEMORY {
            trail.steps.pop_front();
        }
        trail.steps.push_back((now, arrival.revision));
        let evidence = trail.evidence()?;
        let revisions: Vec<u64> = evidence
            .iter()
            .filter_map(|(_, revision)| *revision)
            .collect();
        let finding = LoopFinding {
            object,
            hook_id,
            event_type: event_type.to_owned(),
            event: arrival.event.id,
            position: arrival.event.position,
            times: evidence.iter().map(|(time, _)| *time).collect(),
            consecutive: revisions.len() == evidence.len()
                && revisions.is_sorted_by(|one, next| one.checked_add(1) == Some(*next)),
            revisions,
        };
        trail.found = true;
        trail.steps.clear();
        Some(finding)
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

impl Trail {
    /// The newest events that pass a threshold.
    fn evidence(&self) -> Option<Vec<(Timestamp, Option<u64>)>> {
        THRESHOLDS.iter().find_map(|threshold| {
            let first = self.steps.len().checked_sub(threshold.events)?;
            let evidence: Vec<_> = self.steps.range(first..).copied().collect();
            let oldest = evidence.iter().map(|(time, _)| *time).min()?;
            (self.newest.duration_since(oldest) <= threshold.within).then_some(evidence)
        })
    }
}

#[cfg(test)]
mod tests {
    use podtap_podio::ObjectKind;
    use podtap_wire::EventId;

    use super::*;
    use crate::history::{Earlier, EventKey, Position};

    const ITEM: ObjectRef = ObjectRef {
        kind: ObjectKind::Item,
        id: 4711,
    };

    fn update(millis: i64, revision: u64) -> Arrival {
        Arrival {
            event: EventKey {
                position: Position(millis),
                id: EventId::from_bytes([0; 16]),
            },
            relayed: true,
            received_at: Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap(),
            event_type: Some("item.update".to_owned()),
            object: Some(ITEM),
            hook_id: Some(7),
            revision: Some(revision),
            code: None,
            verification: None,
            earlier: None,
            known_hook: true,
            on_field: false,
            below: None,
            above: None,
        }
    }

    fn found(loops: &mut Loops, arrivals: impl IntoIterator<Item = Arrival>) -> Vec<LoopFinding> {
        arrivals
            .into_iter()
            .filter_map(|arrival| loops.observe(&arrival))
            .collect()
    }

    fn turns(from: i64, count: u64, every: i64) -> impl Iterator<Item = Arrival> {
        (0..count).map(move |turn| update(from + turn.cast_signed() * every, turn))
    }

    #[test]
    fn a_loop_is_found_once_with_its_times_and_revisions() {
        let mut loops = Loops::default();

        let findings = found(&mut loops, turns(0, 500, 1_500));

        let [finding] = &findings[..] else {
            panic!("{findings:?}");
        };
        assert_eq!((finding.object, finding.hook_id), (ITEM, 7));
        assert_eq!(finding.revisions, (0..10).collect::<Vec<_>>());
        assert_eq!(finding.span(), SignedDuration::from_millis(9 * 1_500));
        assert!(finding.consecutive);
        assert!(finding.cure().contains("hook=false"));
    }

    #[test]
    fn a_slow_loop_is_found_too() {
        let findings = found(&mut Loops::default(), turns(0, 40, 9_000));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].times.len(), 30);
    }

    #[test]
    fn a_person_at_work_is_no_loop() {
        let mut loops = Loops::default();
        assert_eq!(found(&mut loops, turns(0, 9, 500)), []);
        assert_eq!(found(&mut loops, turns(600_000, 200, 11_000)), []);
    }

    #[test]
    fn an_import_of_many_items_is_no_loop() {
        let mut loops = Loops::default();
        let arrivals = (0..2_000_u64).map(|number| {
            let mut arrival = update(number.cast_signed(), 0);
            arrival.object = Some(ObjectRef { id: number, ..ITEM });
            arrival
        });
        assert_eq!(found(&mut loops, arrivals), []);
    }

    #[test]
    fn one_revision_delivered_many_times_is_no_loop() {
        let mut loops = Loops::default();
        let arrivals = turns(0, 50, 100).map(|mut arrival| {
            arrival.earlier = Some(Earlier {
                position: Position(0),
                hook_id: Some(7),
                verification: None,
            });
            arrival
        });
        assert_eq!(found(&mut loops, arrivals), []);
    }

    #[test]
    fn after_quiet_another_loop_is_reported() {
        let mut loops = Loops::default();
        assert_eq!(found(&mut loops, turns(0, 100, 1_000)).len(), 1);
        assert_eq!(found(&mut loops, turns(100_000, 100, 1_000)).len(), 0);
        assert_eq!(found(&mut loops, turns(400_000, 100, 1_000)).len(), 1);
    }

    #[test]
    fn a_loop_known_from_before_the_start_is_not_reported_again() {
        let mut loops = Loops::default();
        let finding = found(&mut loops, turns(0, 10, 1_000)).remove(0);
        let mut restarted = Loops::default();
        restarted.resume(&finding);
        assert_eq!(found(&mut restarted, turns(12_000, 100, 1_000)), []);
    }

    #[test]
    fn revisions_of_others_in_between_are_told() {
        let mut loops = Loops::default();
        let every_other = (0..10).map(|turn| update(turn * 1_000, turn.unsigned_abs() * 2));
        assert!(!found(&mut loops, every_other)[0].consecutive);
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let mut loops = Loops::default();
        for number in 0..6_000_u64 {
            let mut arrival = update(0, 0);
            arrival.object = Some(ObjectRef { id: number, ..ITEM });
            loops.observe(&arrival);
        }
        assert!(loops.watched.len() <= MAX_WATCHED);
    }
}
