//! Tests of lanes, with letters or numbers as events.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

impl LaneEntry for char {
    fn place(&self) -> i64 {
        i64::from(u32::from(*self))
    }
}

impl LaneEntry for u64 {
    fn place(&self) -> i64 {
        i64::try_from(*self).unwrap()
    }
}

impl LaneEntry for (u64, usize) {
    fn place(&self) -> i64 {
        i64::try_from(self.1).unwrap()
    }
}

fn lane(number: u64) -> LaneKey {
    LaneKey::Hook(number)
}

#[test]
fn one_lane_goes_one_by_one_and_another_goes_beside_it() {
    let (mut lanes, now) = (Lanes::new(8), Instant::now());
    for (key, event) in [(1, 'a'), (1, 'b'), (2, 'c')] {
        lanes.push(lane(key), event);
    }
    assert_eq!(lanes.start(now, false), Some((lane(1), 'a')));
    assert_eq!(lanes.start(now, false), Some((lane(2), 'c')));
    assert_eq!(lanes.start(now, false), None);
    lanes.finish(lane(1));
    assert_eq!(lanes.start(now, false), Some((lane(1), 'b')));
}

#[test]
fn what_is_returned_goes_before_what_came_after_it() {
    let (mut lanes, now) = (Lanes::new(1), Instant::now());
    lanes.push(lane(1), 'a');
    lanes.push(lane(1), 'b');
    let (key, event) = lanes.start(now, false).unwrap();
    lanes.requeue(key, event);
    assert_eq!(lanes.start(now, false), Some((lane(1), 'a')));
}

#[test]
fn a_lane_that_hangs_gives_up_its_place_up_to_a_limit() {
    let (mut lanes, now) = (Lanes::new(2), Instant::now());
    for number in 0..20 {
        lanes.push(lane(number), number);
    }
    let mut started = 0;
    let mut go = |lanes: &mut Lanes<u64>, now| {
        while lanes.start(now, false).is_some() {
            started += 1;
        }
        started
    };
    assert_eq!(go(&mut lanes, now), 2);
    assert_eq!(lanes.next_place(false), Some(now + HANGS_AFTER));
    assert_eq!(go(&mut lanes, now + HANGS_AFTER / 2), 2);
    for round in 1..=3 {
        assert_eq!(go(&mut lanes, now + HANGS_AFTER * round), 2 + 2 * round);
    }
    // Two with a place and six without: the others wait for one of them.
    assert_eq!(go(&mut lanes, now + HANGS_AFTER * 9), 8);
    assert_eq!(lanes.next_place(false), None);
    lanes.finish(lane(0));
    assert_eq!(go(&mut lanes, now + HANGS_AFTER * 9), 9);
}

#[test]
fn one_place_is_never_given_up() {
    let (mut lanes, now) = (Lanes::new(1), Instant::now());
    lanes.push(lane(1), 'a');
    lanes.push(lane(2), 'b');
    assert!(lanes.start(now, false).is_some());
    assert_eq!(lanes.next_place(false), None);
    assert_eq!(lanes.start(now + HANGS_AFTER * 9, false), None);
}

#[test]
fn lost_events_go_one_at_a_time_beside_others() {
    let (mut lanes, now) = (Lanes::new(8), Instant::now());
    for (key, event) in [(1, 'a'), (2, 'b'), (3, 'c')] {
        lanes.push(lane(key), event);
    }
    let lost: Vec<_> = (0..2).filter_map(|_| lanes.start(now, false)).collect();
    for (key, event) in lost {
        lanes.requeue_lost(key, event, false);
    }
    assert_eq!(lanes.start(now, false), Some((lane(1), 'a')));
    assert_eq!(lanes.start(now, false), Some((lane(3), 'c')));
    assert_eq!(lanes.start(now, false), None);
    lanes.finish(lane(1));
    assert_eq!(lanes.start(now, false), Some((lane(2), 'b')));
}

#[test]
fn in_doubt_one_goes_at_a_time_and_each_lane_in_turn_up_to_a_limit() {
    let (mut lanes, now) = (Lanes::new(8), Instant::now());
    for number in 0..20 {
        lanes.push(lane(number), number);
    }
    let mut tried = Vec::new();
    for _ in 0..20 {
        let (key, event) = lanes.start(now, true).unwrap();
        assert_eq!(lanes.start(now, true), None, "one is under way");
        assert_eq!(lanes.next_place(true), None);
        tried.push(event);
        lanes.requeue_lost(key, event, false);
    }
    let expected: Vec<u64> = (0..8).chain(0..8).chain(0..4).collect();
    assert_eq!(tried, expected);
}

#[test]
fn one_that_is_set_behind_lets_the_next_go_first_once() {
    let (mut lanes, now) = (Lanes::new(8), Instant::now());
    lanes.push(lane(1), 'a');
    let (key, event) = lanes.start(now, true).unwrap();
    assert!(!lanes.requeue_lost(key, event, true), "it is alone");
    lanes.push(lane(1), 'b');
    lanes.push(lane(1), 'c');
    let (key, event) = lanes.start(now, true).unwrap();
    assert!(lanes.requeue_lost(key, event, true));
    let (key, event) = lanes.start(now, true).unwrap();
    assert_eq!(event, 'b');
    lanes.requeue_lost(key, event, false);
    let order: String = std::iter::from_fn(|| {
        let (key, event) = lanes.start(now, true)?;
        lanes.finish(key);
        Some(event)
    })
    .collect();
    assert_eq!(order, "abc");
}

proptest! {
    #[test]
    fn every_lane_keeps_its_order_whatever_happens(
        pushes in prop::collection::vec(0_u64..5, 0..60),
        steps in prop::collection::vec((0_usize..8, 0_u8..4, any::<bool>()), 0..400),
        concurrency in 1_usize..5,
    ) {
        let (mut lanes, mut now) = (Lanes::new(concurrency), Instant::now());
        let mut expected: HashMap<u64, VecDeque<usize>> = HashMap::new();
        for (event, &key) in pushes.iter().enumerate() {
            lanes.push(lane(key), (key, event));
            expected.entry(key).or_default().push_back(event);
        }
        let mut running: Vec<(LaneKey, (u64, usize))> = Vec::new();
        let mut done = 0;
        let mut steps = steps.into_iter();
        while done < pushes.len() {
            now += HANGS_AFTER / 4;
            let (which, end, in_doubt) = steps.next().unwrap_or_default();
            while let Some(started) = lanes.start(now, in_doubt) {
                running.push(started);
            }
            let most = concurrency * (1 + ASIDE_PER_PLACE);
            prop_assert!(!running.is_empty() && running.len() <= most);
            let distinct: HashSet<_> = running.iter().map(|(key, _)| key.clone()).collect();
            prop_assert_eq!(distinct.len(), running.len());
            let (key, (number, event)) = running.swap_remove(which % running.len());
            match end {
                1 => lanes.requeue(key, (number, event)),
                2 => drop(lanes.requeue_lost(key, (number, event), false)),
                _ => {
                let next = expected.get_mut(&number).unwrap().pop_front();
                prop_assert_eq!(next, Some(event));
                lanes.finish(key);
                done += 1;
            }}
        }
        prop_assert!(lanes.by_key.is_empty() && lanes.ready.is_empty());
        prop_assert!(lanes.suspects.is_empty() && lanes.suspect.is_none());
        prop_assert!(lanes.places.is_empty() && lanes.aside.is_empty());
    }
}
