//! Tests loops by their times, with and without an answer about who makes them.

use podtap_podio::ObjectKind;

use super::*;
use crate::history::{EarlierEvent, Position};
use crate::watch::sample;

const ITEM: ObjectRef = ObjectRef {
    kind: ObjectKind::Item,
    id: 4711,
};

fn update(millis: i64, revision: u64) -> Arrival {
    sample::arrival("item.update", ITEM.id, revision, millis, millis)
}

/// Returns the reported loops if `judge` decides each suspicion immediately.
fn judging(
    loops: &mut LoopDetector,
    arrivals: impl IntoIterator<Item = Arrival>,
    judge: impl Fn(&Suspicion) -> QuestionState,
) -> Vec<LoopFinding> {
    let mut told = Vec::new();
    for arrival in arrivals {
        let Some(suspicion) = loops.observe(&arrival) else {
            continue;
        };
        let asked = judge(&suspicion);
        let Suspect::Objects(keys) = &suspicion.subject else {
            panic!("{suspicion:?}");
        };
        loops.settle(keys, &suspicion.finding, asked);
        if asked == QuestionState::Told {
            told.push(suspicion.finding);
        }
    }
    told
}

/// Returns the reported loops if Podio cannot be asked.
fn find_loops(
    loops: &mut LoopDetector,
    arrivals: impl IntoIterator<Item = Arrival>,
) -> Vec<LoopFinding> {
    judging(loops, arrivals, |suspicion| {
        if suspicion.needs_proof {
            QuestionState::no_answer(*suspicion.finding.times.last().unwrap())
        } else {
            QuestionState::Told
        }
    })
}

fn turns(from: i64, count: u64, every: i64) -> impl Iterator<Item = Arrival> {
    (0..count).map(move |turn| update(from + turn.cast_signed() * every, turn))
}

#[test]
fn a_loop_is_found_once_with_its_times_and_revisions() {
    let mut loops = LoopDetector::default();

    let findings = find_loops(&mut loops, turns(0, 500, 1_500));

    let [finding] = &findings[..] else {
        panic!("{findings:?}");
    };
    assert_eq!((finding.object, finding.hook_id), (ITEM, 7));
    assert_eq!(finding.revisions, (0..10).collect::<Vec<_>>());
    assert_eq!(finding.span(), SignedDuration::from_millis(9 * 1_500));
    assert!(finding.consecutive);
    assert_eq!(finding.shape, LoopShape::Same);
}

#[test]
fn a_slow_loop_is_found_too() {
    let findings = find_loops(&mut LoopDetector::default(), turns(0, 40, 9_000));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].times.len(), 30);
}

#[test]
fn a_person_at_work_is_no_loop_by_times_alone() {
    let mut loops = LoopDetector::default();
    assert_eq!(find_loops(&mut loops, turns(0, 9, 500)), []);
    assert_eq!(find_loops(&mut loops, turns(600_000, 60, 11_000)), []);
}

#[test]
fn a_loop_of_eleven_seconds_is_found_once_podio_says_who_makes_it() {
    for every in [11_000, 29_000, 110_000] {
        let mut loops = LoopDetector::default();
        let own = judging(&mut loops, turns(0, 200, every), |_| QuestionState::Told);
        assert_eq!(own.len(), 1, "every {every} ms");
        assert!(own[0].span() <= SignedDuration::from_hours(1));
    }
}

#[test]
fn an_hour_of_turns_is_a_loop_though_nobody_can_be_asked() {
    let findings = find_loops(&mut LoopDetector::default(), turns(0, 200, 11_000));
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].times.len(), 100);
}

#[test]
fn what_others_do_is_asked_about_now_and_then_and_never_told() {
    let mut asked = 0;
    let mut loops = LoopDetector::default();
    for arrival in turns(0, 600, 1_000) {
        if let Some(suspicion) = loops.observe(&arrival) {
            asked += 1;
            let Suspect::Objects(keys) = &suspicion.subject else {
                panic!("{suspicion:?}");
            };
            let others = QuestionState::others(arrival.received_at);
            loops.settle(keys, &suspicion.finding, others);
        }
    }
    assert_eq!(asked, 1);
}

#[test]
fn two_objects_in_turn_are_one_circle() {
    let mut loops = LoopDetector::default();
    let there = turns(0, 30, 1_000);
    let back = turns(400, 30, 1_000).map(|mut arrival| {
        arrival.object = Some(ObjectRef { id: 4712, ..ITEM });
        arrival.hook_id = Some(8);
        arrival
    });
    let mut both: Vec<_> = there.chain(back).collect();
    both.sort_by_key(|arrival| arrival.received_at);

    let findings = find_loops(&mut loops, both);

    assert_eq!(findings.len(), 1, "{findings:#?}");
    let ids: Vec<_> = findings[0].objects().iter().map(|one| one.id).collect();
    assert_eq!(ids, [4711, 4712]);
}

#[test]
fn an_object_that_is_busy_by_itself_is_of_no_circle() {
    let mut loops = LoopDetector::default();
    let busy = (0..9).map(|turn| {
        let mut arrival = update(turn * 100, turn.unsigned_abs());
        arrival.object = Some(ObjectRef { id: 9, ..ITEM });
        arrival
    });
    let findings = find_loops(&mut loops, busy.chain(turns(0, 12, 1_000)));
    assert_eq!(findings[0].shape, LoopShape::Same);
}

#[test]
fn an_import_of_many_items_is_no_loop() {
    let mut loops = LoopDetector::default();
    let arrivals = (0..2_000_u64).map(|number| {
        let mut arrival = update(number.cast_signed(), 0);
        arrival.object = Some(ObjectRef { id: number, ..ITEM });
        arrival
    });
    assert_eq!(find_loops(&mut loops, arrivals), []);
}

#[test]
fn one_revision_delivered_many_times_is_no_loop() {
    let mut loops = LoopDetector::default();
    let arrivals = turns(0, 50, 100).map(|mut arrival| {
        arrival.earlier = Some(EarlierEvent {
            position: Position(0),
            hook_id: Some(7),
            verification: None,
        });
        arrival
    });
    assert_eq!(find_loops(&mut loops, arrivals), []);
}

#[test]
fn after_quiet_another_loop_is_reported() {
    let mut loops = LoopDetector::default();
    assert_eq!(find_loops(&mut loops, turns(0, 100, 1_000)).len(), 1);
    assert_eq!(find_loops(&mut loops, turns(100_000, 100, 1_000)).len(), 0);
    assert_eq!(find_loops(&mut loops, turns(400_000, 100, 1_000)).len(), 1);
}

#[test]
fn a_loop_known_from_before_the_start_is_not_reported_again() {
    let mut loops = LoopDetector::default();
    let finding = find_loops(&mut loops, turns(0, 10, 1_000)).remove(0);
    let mut restarted = LoopDetector::default();
    restarted.resume(&finding);
    assert_eq!(find_loops(&mut restarted, turns(12_000, 100, 1_000)), []);
}

#[test]
fn revisions_of_others_in_between_are_told() {
    let mut loops = LoopDetector::default();
    let every_other = (0..10).map(|turn| update(turn * 1_000, turn.unsigned_abs() * 2));
    assert!(!find_loops(&mut loops, every_other)[0].consecutive);
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let mut loops = LoopDetector::default();
    for number in 0..6_000_u64 {
        let mut arrival = update(0, 0);
        arrival.object = Some(ObjectRef { id: number, ..ITEM });
        loops.observe(&arrival);
    }
    assert!(loops.watched.len() <= MAX_WATCHED);
}
