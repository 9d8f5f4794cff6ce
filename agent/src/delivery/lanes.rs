//! Which event may go now: events of one lane one after the other in their order, different lanes
//! side by side up to a limit (invariant 2). A lane whose event hangs gives up its place after a
//! while, so that it holds only itself. Pure: it starts nothing, and time is passed in.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use podtap_podio::ObjectRef;
use tokio::time::Instant;

use crate::history::Event;

/// How long an event may be under way before its lane gives up its place: far longer than a
/// local service that works needs.
pub(super) const HANGS_AFTER: Duration = Duration::from_secs(3);

/// Lanes that may be without a place, for each place; beyond it the rest waits. None where there
/// is one place only: that asks for one event at a time.
const ASIDE_PER_PLACE: usize = 3;

/// What keeps events in order among each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum LaneKey {
    /// The object that they are about.
    Object(ObjectRef),
    /// The hook, where no object is named.
    Hook(u64),
    /// The path without its query, where it is no Podio event.
    Path(String),
}

impl LaneKey {
    pub(super) fn of(event: &Event) -> Self {
        let podio = event.podio.as_ref();
        if let Some(object) = podio.and_then(podtap_podio::PodioEvent::object) {
            Self::Object(object)
        } else if let Some(hook) = podio.and_then(|podio| podio.hook_id) {
            Self::Hook(hook)
        } else {
            let path = event.request.path.split('?').next().unwrap_or_default();
            Self::Path(path.to_owned())
        }
    }
}

/// Events `E` that wait, by lane.
#[derive(Debug)]
pub(super) struct Lanes<E> {
    by_key: HashMap<LaneKey, VecDeque<E>>,
    /// Lanes with something to start: whoever has waited longest is first.
    ready: VecDeque<LaneKey>,
    /// Lanes under way that have a place, the longest under way first, and since when.
    places: VecDeque<(LaneKey, Instant)>,
    /// Lanes under way that gave up theirs.
    aside: HashSet<LaneKey>,
    concurrency: usize,
}

impl<E> Lanes<E> {
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            by_key: HashMap::new(),
            ready: VecDeque::new(),
            places: VecDeque::new(),
            aside: HashSet::new(),
            concurrency: concurrency.max(1),
        }
    }

    /// Lanes of which an event waits or is under way.
    pub(super) fn count(&self) -> usize {
        self.by_key.len()
    }

    /// Adds an event at the end of its lane.
    pub(super) fn push(&mut self, key: LaneKey, event: E) {
        let lane = self.by_key.entry(key.clone()).or_insert_with(|| {
            self.ready.push_back(key);
            VecDeque::new()
        });
        lane.push_back(event);
    }

    /// The next event to start, if one may start now. Its lane waits until it is [`finished`] or
    /// [`returned`].
    ///
    /// [`finished`]: Self::finished
    /// [`returned`]: Self::returned
    pub(super) fn start(&mut self, now: Instant) -> Option<(LaneKey, E)> {
        if self.ready.is_empty() || !self.has_place(now) {
            return None;
        }
        let key = self.ready.pop_front()?;
        let event = self.by_key.get_mut(&key)?.pop_front()?;
        self.places.push_back((key.clone(), now));
        Some((key, event))
    }

    /// When [`start`](Self::start) may have something that it has not now, though nothing ends.
    pub(super) fn next_place(&self) -> Option<Instant> {
        let (_, since) = self.places.front()?;
        let may_go = !self.ready.is_empty() && self.may_step_aside();
        may_go.then(|| *since + HANGS_AFTER)
    }

    /// Whether there is a place, if need be that of a lane that hangs.
    fn has_place(&mut self, now: Instant) -> bool {
        if self.places.len() < self.concurrency {
            return true;
        }
        let hangs = |since: Instant| now.saturating_duration_since(since) >= HANGS_AFTER;
        let first = self.places.front();
        if !first.is_some_and(|(_, since)| hangs(*since)) || !self.may_step_aside() {
            return false;
        }
        self.aside
            .extend(self.places.pop_front().map(|(key, _)| key));
        true
    }

    fn may_step_aside(&self) -> bool {
        self.concurrency > 1 && self.aside.len() < self.concurrency * ASIDE_PER_PLACE
    }

    /// The lane is no longer under way.
    fn leave(&mut self, key: &LaneKey) {
        if !self.aside.remove(key) {
            self.places.retain(|(lane, _)| lane != key);
        }
    }

    /// The lane's event is done: the next one may start.
    pub(super) fn finished(&mut self, key: LaneKey) {
        self.leave(&key);
        match self.by_key.get(&key) {
            Some(lane) if !lane.is_empty() => self.ready.push_back(key),
            _ => {
                self.by_key.remove(&key);
            }
        }
    }

    /// The lane's event must be started again, before anything behind it.
    pub(super) fn returned(&mut self, key: LaneKey, event: E) {
        self.leave(&key);
        self.by_key
            .entry(key.clone())
            .or_default()
            .push_front(event);
        self.ready.push_front(key);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn lane(number: u64) -> LaneKey {
        LaneKey::Hook(number)
    }

    #[test]
    fn one_lane_goes_one_by_one_and_another_goes_beside_it() {
        let (mut lanes, now) = (Lanes::new(8), Instant::now());
        for (key, event) in [(1, 'a'), (1, 'b'), (2, 'c')] {
            lanes.push(lane(key), event);
        }
        assert_eq!(lanes.start(now), Some((lane(1), 'a')));
        assert_eq!(lanes.start(now), Some((lane(2), 'c')));
        assert_eq!(lanes.start(now), None);
        lanes.finished(lane(1));
        assert_eq!(lanes.start(now), Some((lane(1), 'b')));
    }

    #[test]
    fn what_is_returned_goes_before_what_came_after_it() {
        let (mut lanes, now) = (Lanes::new(1), Instant::now());
        lanes.push(lane(1), 'a');
        lanes.push(lane(1), 'b');
        let (key, event) = lanes.start(now).unwrap();
        lanes.returned(key, event);
        assert_eq!(lanes.start(now), Some((lane(1), 'a')));
    }

    #[test]
    fn a_lane_that_hangs_gives_up_its_place_up_to_a_limit() {
        let (mut lanes, now) = (Lanes::new(2), Instant::now());
        for number in 0..20 {
            lanes.push(lane(number), number);
        }
        let mut started = 0;
        let mut go = |lanes: &mut Lanes<u64>, now| {
            while lanes.start(now).is_some() {
                started += 1;
            }
            started
        };
        assert_eq!(go(&mut lanes, now), 2);
        assert_eq!(lanes.next_place(), Some(now + HANGS_AFTER));
        assert_eq!(go(&mut lanes, now + HANGS_AFTER / 2), 2);
        for round in 1..=3 {
            assert_eq!(go(&mut lanes, now + HANGS_AFTER * round), 2 + 2 * round);
        }
        // Two with a place and six without: the rest waits for one of them.
        assert_eq!(go(&mut lanes, now + HANGS_AFTER * 9), 8);
        assert_eq!(lanes.next_place(), None);
        lanes.finished(lane(0));
        assert_eq!(go(&mut lanes, now + HANGS_AFTER * 9), 9);
    }

    #[test]
    fn one_place_is_never_given_up() {
        let (mut lanes, now) = (Lanes::new(1), Instant::now());
        lanes.push(lane(1), 'a');
        lanes.push(lane(2), 'b');
        assert!(lanes.start(now).is_some());
        assert_eq!(lanes.next_place(), None);
        assert_eq!(lanes.start(now + HANGS_AFTER * 9), None);
    }

    proptest! {
        #[test]
        fn every_lane_keeps_its_order_whatever_happens(
            pushes in prop::collection::vec(0_u64..5, 0..60),
            steps in prop::collection::vec((0_usize..8, any::<bool>()), 0..400),
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
                while let Some(started) = lanes.start(now) {
                    running.push(started);
                }
                let most = concurrency * (1 + ASIDE_PER_PLACE);
                prop_assert!(!running.is_empty() && running.len() <= most);
                let distinct: HashSet<_> = running.iter().map(|(key, _)| key.clone()).collect();
                prop_assert_eq!(distinct.len(), running.len());
                let (which, again) = steps.next().unwrap_or((0, false));
                let (key, (number, event)) = running.swap_remove(which % running.len());
                if again {
                    lanes.returned(key, (number, event));
                } else {
                    let next = expected.get_mut(&number).unwrap().pop_front();
                    prop_assert_eq!(next, Some(event));
                    lanes.finished(key);
                    done += 1;
                }
            }
            prop_assert!(lanes.by_key.is_empty() && lanes.ready.is_empty());
            prop_assert!(lanes.places.is_empty() && lanes.aside.is_empty());
        }
    }
}
