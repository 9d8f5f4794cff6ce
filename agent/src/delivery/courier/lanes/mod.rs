//! Decides which event may start. Events of one lane go one after another, in order; different
//! lanes go in parallel up to a limit (invariant 2). A lane whose event hangs gives up its place
//! after a while, so that it blocks only itself. Lanes whose event was lost start one at a time, to
//! find out which event takes the local service down, and alone while the service is in doubt.
//! Pure: it starts nothing, and time is passed in.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use podtap_podio::ObjectRef;
use tokio::time::Instant;

use crate::history::Event;

/// Time after which the lane of an unfinished event gives up its place: far longer than a working
/// local service needs.
pub(super) const HANGS_AFTER: Duration = Duration::from_secs(3);

/// Maximum number of lanes without a place, per place; beyond it the others wait. With a single
/// place there are none: that setting asks for one event at a time.
const ASIDE_PER_PLACE: usize = 3;

/// The key of the events that are kept in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum LaneKey {
    /// The object of the events.
    Object(ObjectRef),
    /// The hook, if no object is named.
    Hook(u64),
    /// The path without its query, for events that are not Podio's.
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

/// Number of lanes with a lost event beyond which no further lane is tried while the local service
/// is in doubt: enough that one event that the service cannot process hides nothing. If no more
/// than these were lost, each is given up in the end; if more were, the cause is the local service.
const MOST_SUSPECTS: usize = 8;

/// An event with a position in the order of its lane.
pub(super) trait LaneEntry {
    /// Returns its position, which is higher for later events.
    fn place(&self) -> i64;
}

/// Waiting events `E`, by lane.
#[derive(Debug)]
pub(super) struct Lanes<E> {
    by_key: HashMap<LaneKey, VecDeque<E>>,
    /// Lanes with an event to start, longest waiting first.
    ready: VecDeque<LaneKey>,
    /// Lanes whose next event was lost before.
    suspects: VecDeque<LaneKey>,
    /// The lane of `suspects` that is running.
    suspect: Option<LaneKey>,
    /// The lane to start before all others.
    first: Option<LaneKey>,
    /// Running lanes that have a place, longest running first, with their start.
    places: VecDeque<(LaneKey, Instant)>,
    /// Running lanes that gave up their place.
    aside: HashSet<LaneKey>,
    concurrency: usize,
}

impl<E: LaneEntry> Lanes<E> {
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            by_key: HashMap::new(),
            ready: VecDeque::new(),
            suspects: VecDeque::new(),
            suspect: None,
            first: None,
            places: VecDeque::new(),
            aside: HashSet::new(),
            concurrency: concurrency.max(1),
        }
    }

    /// Returns the number of lanes that have a waiting or running event.
    pub(super) fn count(&self) -> usize {
        self.by_key.len()
    }

    /// Returns whether no other event is left that might be answered: few events wait, and all that
    /// could start were lost before.
    pub(super) fn has_none_to_ask(&self) -> bool {
        let waiting: usize = self.by_key.values().map(VecDeque::len).sum();
        waiting < MOST_SUSPECTS
            && self.ready.is_empty()
            && self.places.len() + self.aside.len() <= 1
    }

    /// Adds an event at the end of its lane.
    pub(super) fn push(&mut self, key: LaneKey, event: E) {
        let lane = self.by_key.entry(key.clone()).or_insert_with(|| {
            self.ready.push_back(key);
            VecDeque::new()
        });
        lane.push_back(event);
    }

    /// Returns the next event to start, if one may start now; one at a time while the local service
    /// is `in_doubt`. Its lane waits until the caller calls [`finish`], [`requeue`] or
    /// [`requeue_lost`].
    ///
    /// [`finish`]: Self::finish
    /// [`requeue`]: Self::requeue
    /// [`requeue_lost`]: Self::requeue_lost
    pub(super) fn start(&mut self, now: Instant, in_doubt: bool) -> Option<(LaneKey, E)> {
        let is_idle = self.places.is_empty() && self.aside.is_empty();
        if (in_doubt && !is_idle) || !self.has_next() || !self.has_place(now) {
            return None;
        }
        let key = self.next(in_doubt)?;
        let event = self.by_key.get_mut(&key)?.pop_front()?;
        self.places.push_back((key.clone(), now));
        Some((key, event))
    }

    /// Returns when [`start`](Self::start) may return an event although none ends until then.
    pub(super) fn next_place(&self, in_doubt: bool) -> Option<Instant> {
        let (_, since) = self.places.front()?;
        let may_go = !in_doubt && self.has_next() && self.may_step_aside();
        may_go.then(|| *since + HANGS_AFTER)
    }

    fn has_next(&self) -> bool {
        let may_suspect = self.suspect.is_none() && !self.suspects.is_empty();
        may_suspect || self.first.is_some() || !self.ready.is_empty()
    }

    fn next(&mut self, in_doubt: bool) -> Option<LaneKey> {
        if let Some(key) = self.first.take() {
            return Some(key);
        }
        let prefers_others = in_doubt && self.suspects.len() < MOST_SUSPECTS;
        if self.suspect.is_some() || (prefers_others && !self.ready.is_empty()) {
            return self.ready.pop_front();
        }
        self.suspect = self.suspects.pop_front();
        self.suspect.clone().or_else(|| self.ready.pop_front())
    }

    /// Returns whether there is a place, if necessary that of a lane that hangs.
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

    /// Removes the lane from the running ones.
    fn leave(&mut self, key: &LaneKey) {
        self.suspect.take_if(|suspect| suspect == key);
        if !self.aside.remove(key) {
            self.places.retain(|(lane, _)| lane != key);
        }
    }

    /// Notes that the lane's event is done: the next one may start.
    pub(super) fn finish(&mut self, key: LaneKey) {
        self.leave(&key);
        match self.by_key.get(&key) {
            Some(lane) if !lane.is_empty() => self.ready.push_back(key),
            _ => {
                self.by_key.remove(&key);
            }
        }
    }

    /// Returns the event to its lane; it is started again before the others of the lane.
    pub(super) fn requeue(&mut self, key: LaneKey, event: E) {
        let was_suspect = self.suspect.as_ref() == Some(&key);
        self.put_back(&key, event);
        let queue = if was_suspect {
            &mut self.suspects
        } else {
            &mut self.ready
        };
        queue.push_front(key);
    }

    /// Returns a lost event to its lane. If `set_behind` and the lane has another event, that one
    /// starts next, before all lanes. Returns whether it does.
    pub(super) fn requeue_lost(&mut self, key: LaneKey, event: E, set_behind: bool) -> bool {
        let lane = self.put_back(&key, event);
        if set_behind && lane.len() > 1 {
            lane.swap(0, 1);
            self.first = Some(key);
            return true;
        }
        self.suspects.push_back(key);
        false
    }

    fn put_back(&mut self, key: &LaneKey, event: E) -> &mut VecDeque<E> {
        self.leave(key);
        let lane = self.by_key.entry(key.clone()).or_default();
        // An event that was started out of order is sorted in again.
        let place = lane.partition_point(|other| other.place() < event.place());
        lane.insert(place, event);
        lane
    }
}

#[cfg(test)]
mod tests;
