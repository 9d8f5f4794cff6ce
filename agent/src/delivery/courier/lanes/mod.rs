//! Which event may go now: events of one lane one after the other in their order, different lanes
//! side by side up to a limit (invariant 2). A lane whose event hangs gives up its place after a
//! while, so that it holds only itself. A lane whose event was lost is under way with no other such
//! one, so that of two the one is found out that takes the local service down, and while that is in
//! doubt with none at all. Pure: it starts nothing, and time is passed in.

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

/// Lanes whose event was lost beyond which no further ones are tried while the local service is in
/// doubt: enough that one event which it does not bear hides nothing. So many events that all were
/// lost are given up in the end, and of more the local service is to blame.
const MOST_SUSPECTS: usize = 8;

/// What has a place in the order of its lane.
pub(super) trait Placed {
    /// Its place: higher for what came later.
    fn place(&self) -> i64;
}

/// Events `E` that wait, by lane.
#[derive(Debug)]
pub(super) struct Lanes<E> {
    by_key: HashMap<LaneKey, VecDeque<E>>,
    /// Lanes with something to start: whoever has waited longest is first.
    ready: VecDeque<LaneKey>,
    /// Lanes with something to start that was lost before.
    suspects: VecDeque<LaneKey>,
    /// The one of them that is under way.
    suspect: Option<LaneKey>,
    /// The lane to start before all others.
    first: Option<LaneKey>,
    /// Lanes under way that have a place, the longest under way first, and since when.
    places: VecDeque<(LaneKey, Instant)>,
    /// Lanes under way that gave up theirs.
    aside: HashSet<LaneKey>,
    concurrency: usize,
}

impl<E: Placed> Lanes<E> {
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

    /// Lanes of which an event waits or is under way.
    pub(super) fn count(&self) -> usize {
        self.by_key.len()
    }

    /// Whether no event beside the one under way is left that might be answered: few wait, and all
    /// that may go were lost as well.
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

    /// The next event to start, if one may start now; while the local service is `in_doubt` one at a
    /// time. Its lane waits until it is [`finish`], [`requeue`] or [`requeue_lost`].
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

    /// When [`start`](Self::start) may have something that it has not now, though nothing ends.
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
        self.suspect.take_if(|suspect| suspect == key);
        if !self.aside.remove(key) {
            self.places.retain(|(lane, _)| lane != key);
        }
    }

    /// The lane's event is done: the next one may start.
    pub(super) fn finish(&mut self, key: LaneKey) {
        self.leave(&key);
        match self.by_key.get(&key) {
            Some(lane) if !lane.is_empty() => self.ready.push_back(key),
            _ => {
                self.by_key.remove(&key);
            }
        }
    }

    /// The lane's event must be started again, before anything behind it.
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

    /// The lane's event was lost and must be started again; where it is `set_behind`, the one behind
    /// it goes first, at once, if there is one. Whether that is so.
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
        // One that went before its turn is behind others again.
        let place = lane.partition_point(|other| other.place() < event.place());
        lane.insert(place, event);
        lane
    }
}

#[cfg(test)]
mod tests;
