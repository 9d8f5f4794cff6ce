//! Which event may go now: events of one lane one after the other in their order, different lanes
//! side by side up to a limit (invariant 2). Pure: it starts nothing and knows no clock.

use std::collections::{HashMap, VecDeque};

use podtap_podio::ObjectRef;

use crate::history::Event;

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
    waiting: usize,
    running: usize,
    concurrency: usize,
}

impl<E> Lanes<E> {
    pub(super) fn new(concurrency: usize) -> Self {
        let (by_key, ready) = (HashMap::new(), VecDeque::new());
        Self {
            by_key,
            ready,
            waiting: 0,
            running: 0,
            concurrency: concurrency.max(1),
        }
    }

    /// Events that wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Lanes of which an event waits or is under way.
    pub(super) fn count(&self) -> usize {
        self.by_key.len()
    }

    /// Adds an event at the end of its lane.
    pub(super) fn push(&mut self, key: LaneKey, event: E) {
        self.waiting += 1;
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
    pub(super) fn start(&mut self) -> Option<(LaneKey, E)> {
        if self.running >= self.concurrency {
            return None;
        }
        let key = self.ready.pop_front()?;
        let event = self.by_key.get_mut(&key)?.pop_front()?;
        self.waiting -= 1;
        self.running += 1;
        Some((key, event))
    }

    /// The lane's event is done: the next one may start.
    pub(super) fn finished(&mut self, key: LaneKey) {
        self.running -= 1;
        match self.by_key.get(&key) {
            Some(lane) if !lane.is_empty() => self.ready.push_back(key),
            _ => {
                self.by_key.remove(&key);
            }
        }
    }

    /// The lane's event must be started again, before anything behind it.
    pub(super) fn returned(&mut self, key: LaneKey, event: E) {
        self.running -= 1;
        self.waiting += 1;
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
        let mut lanes = Lanes::new(8);
        for (key, event) in [(1, 'a'), (1, 'b'), (2, 'c')] {
            lanes.push(lane(key), event);
        }
        assert_eq!(lanes.start(), Some((lane(1), 'a')));
        assert_eq!(lanes.start(), Some((lane(2), 'c')));
        assert_eq!(lanes.start(), None);
        lanes.finished(lane(1));
        assert_eq!(lanes.start(), Some((lane(1), 'b')));
    }

    #[test]
    fn what_is_returned_goes_before_what_came_after_it() {
        let mut lanes = Lanes::new(1);
        lanes.push(lane(1), 'a');
        lanes.push(lane(1), 'b');
        let (key, event) = lanes.start().unwrap();
        lanes.returned(key, event);
        assert_eq!(lanes.start(), Some((lane(1), 'a')));
    }

    proptest! {
        #[test]
        fn every_lane_keeps_its_order_whatever_happens(
            pushes in prop::collection::vec(0_u64..5, 0..60),
            steps in prop::collection::vec((0_usize..8, any::<bool>()), 0..400),
            concurrency in 1_usize..5,
        ) {
            let mut lanes = Lanes::new(concurrency);
            let mut expected: HashMap<u64, VecDeque<usize>> = HashMap::new();
            for (event, &key) in pushes.iter().enumerate() {
                lanes.push(lane(key), (key, event));
                expected.entry(key).or_default().push_back(event);
            }
            let mut running: Vec<(LaneKey, (u64, usize))> = Vec::new();
            let mut done = 0;
            let mut steps = steps.into_iter();
            while done < pushes.len() {
                while let Some(started) = lanes.start() {
                    running.push(started);
                }
                prop_assert!(!running.is_empty() && running.len() <= concurrency);
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
            prop_assert_eq!(lanes.waiting(), 0);
            prop_assert!(lanes.by_key.is_empty() && lanes.ready.is_empty());
        }
    }
}
