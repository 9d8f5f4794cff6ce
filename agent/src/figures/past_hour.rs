//! Records the last hour of the link and of the local service, minute by minute, from the status.
//! It keeps sixty small records in memory only. The time is passed in, except in the task that
//! watches the status.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::traffic::MINUTES;
use crate::change::Change;
use crate::history::{self, Incident};
use crate::status::{LinkState, ServiceState, Status};

/// Pause between two samples of a status that does not change.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Maximum time between two samples. If more time passes, the machine slept, and the state in
/// between is unknown.
const LONGEST_MS: i64 = 30_000;

const MINUTE_MS: i64 = 60_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minute {
    /// The start of the minute.
    pub at: Timestamp,
    /// The connection to the relay.
    pub link: MinuteState,
    /// The local service.
    pub service: MinuteState,
    /// Maximum number of events that waited at the same time, on the relay and here.
    pub waiting: u64,
    /// Number of events that the relay removed before any agent received them.
    pub lost: u64,
    /// Number of webhooks that the relay refused.
    pub refused: u64,
}

/// The state of the link or the service during a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinuteState {
    /// No agent ran here, the machine slept, or no relay or service is configured.
    Unknown,
    /// Up in every sample.
    Up,
    /// Up for a part of the minute.
    Partly,
    Away,
}

/// The record. Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct PastHour(Arc<Mutex<Hour>>);

impl PastHour {
    /// Returns the last [`MINUTES`] minutes, oldest first, including the current one.
    pub(crate) fn minutes(&self, now: Timestamp) -> Vec<Minute> {
        let mut hour = self.lock();
        hour.advance(now);
        hour.minutes(now)
    }

    fn lock(&self) -> MutexGuard<'_, Hour> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the record. Built once, run once.
#[derive(Debug)]
pub(crate) struct HourRecorder {
    hour: PastHour,
    status: watch::Receiver<Status>,
    changes: broadcast::Receiver<Change>,
}

impl HourRecorder {
    pub(crate) fn new(
        hour: PastHour,
        status: watch::Receiver<Status>,
        changes: broadcast::Receiver<Change>,
    ) -> Self {
        Self {
            hour,
            status,
            changes,
        }
    }

    /// Runs until the token is cancelled.
    pub(crate) async fn run(mut self, token: CancellationToken) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut has_changes = true;
        loop {
            // All arms are cancel-safe.
            let change = tokio::select! {
                () = token.cancelled() => return,
                _ = look.tick() => None,
                Ok(()) = self.status.changed() => None,
                change = self.changes.recv(), if has_changes => {
                    has_changes = change != Err(RecvError::Closed);
                    change.ok()
                }
            };
            let (now, sample) = (
                Timestamp::now(),
                LinkSample::of(&self.status.borrow_and_update()),
            );
            let mut hour = self.hour.lock();
            hour.observe(now, sample);
            if let Some(change) = change {
                hour.count(now, &change);
            }
        }
    }
}

/// A sample: up, down, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LinkSample {
    link: Option<bool>,
    service: Option<bool>,
    waiting: u64,
}

impl LinkSample {
    fn of(status: &Status) -> Self {
        Self {
            link: match status.link {
                LinkState::Off => None,
                LinkState::Up { .. } => Some(true),
                LinkState::Connecting { .. } | LinkState::Stopped { .. } => Some(false),
            },
            service: match status.service {
                ServiceState::Unknown => None,
                ServiceState::Up { .. } => Some(true),
                ServiceState::Down { .. } => Some(false),
            },
            waiting: status.backlog.saturating_add(status.pending),
        }
    }
}

#[derive(Debug, Default)]
struct Hour {
    /// Minutes with data, oldest first; at most [`MINUTES`].
    cells: VecDeque<Cell>,
    last: Option<(Timestamp, LinkSample)>,
}

/// The record of one minute, which is numbered since the epoch.
#[derive(Debug, Default)]
struct Cell {
    minute: i64,
    link: Parts,
    service: Parts,
    waiting: u64,
    lost: u64,
    refused: u64,
}

/// Milliseconds up and down.
#[derive(Debug, Default)]
struct Parts {
    up: i64,
    away: i64,
}

impl Parts {
    fn add(&mut self, is_up: Option<bool>, millis: i64) {
        match is_up {
            Some(true) => self.up += millis,
            Some(false) => self.away += millis,
            None => {}
        }
    }

    const fn state(&self) -> MinuteState {
        match (self.up > 0, self.away > 0) {
            (false, false) => MinuteState::Unknown,
            (true, false) => MinuteState::Up,
            (true, true) => MinuteState::Partly,
            (false, true) => MinuteState::Away,
        }
    }
}

impl Hour {
    /// Records a new state.
    fn observe(&mut self, now: Timestamp, sample: LinkSample) {
        self.advance(now);
        self.last = Some((now, sample));
        let cell = self.cell(now);
        cell.waiting = cell.waiting.max(sample.waiting);
    }

    /// Counts webhooks that did not arrive.
    fn count(&mut self, now: Timestamp, change: &Change) {
        let Change::History(history::HistoryChange::Incident(incident)) = change else {
            return;
        };
        match incident {
            Incident::Gap { from, to, .. } => {
                let cell = self.cell(now);
                cell.lost = cell.lost.saturating_add(Incident::count(*from, *to));
            }
            Incident::Refused { count, .. } => {
                let cell = self.cell(now);
                cell.refused = cell.refused.saturating_add(*count);
            }
            Incident::LinkOutage { .. } | Incident::ClockSet(_) => {}
        }
    }

    /// Extends the last sample to the present.
    fn advance(&mut self, now: Timestamp) {
        let Some((then, sample)) = self.last else {
            return;
        };
        self.last = Some((now, sample));
        let (mut from, to) = (then.as_millisecond(), now.as_millisecond());
        if !(0..=LONGEST_MS).contains(&(to - from)) {
            return;
        }
        while from < to {
            let end = ((from.div_euclid(MINUTE_MS) + 1) * MINUTE_MS).min(to);
            let at = Timestamp::from_millisecond(from).unwrap_or(now);
            let cell = self.cell(at);
            cell.link.add(sample.link, end - from);
            cell.service.add(sample.service, end - from);
            cell.waiting = cell.waiting.max(sample.waiting);
            from = end;
        }
    }

    /// Returns the cell of this time; after the clock was set back, the newest cell.
    fn cell(&mut self, at: Timestamp) -> &mut Cell {
        let minute = minute_of(at);
        let newest = self.cells.pop_back_if(|newest| newest.minute >= minute);
        if newest.is_none() && self.cells.len() >= MINUTES {
            self.cells.pop_front();
        }
        self.cells.push_back_mut(newest.unwrap_or_else(|| Cell {
            minute,
            ..Cell::default()
        }))
    }

    fn minutes(&self, now: Timestamp) -> Vec<Minute> {
        let newest = minute_of(now);
        let count = i64::try_from(MINUTES).unwrap_or(i64::MAX);
        let minutes = (newest - count + 1)..=newest;
        minutes.map(|minute| self.minute(minute)).collect()
    }

    fn minute(&self, minute: i64) -> Minute {
        let cell = self.cells.iter().find(|cell| cell.minute == minute);
        let (link, service) = cell.map_or((MinuteState::Unknown, MinuteState::Unknown), |cell| {
            (cell.link.state(), cell.service.state())
        });
        Minute {
            at: Timestamp::from_millisecond(minute * MINUTE_MS).unwrap_or_default(),
            link,
            service,
            waiting: cell.map_or(0, |cell| cell.waiting),
            lost: cell.map_or(0, |cell| cell.lost),
            refused: cell.map_or(0, |cell| cell.refused),
        }
    }
}

fn minute_of(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::MinuteState::{Away, Partly, Unknown, Up};
    use super::*;

    /// Returns the time `seconds` seconds after the start of a minute.
    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn sample(link: bool, service: Option<bool>, waiting: u64) -> LinkSample {
        LinkSample {
            link: Some(link),
            service,
            waiting,
        }
    }

    #[test]
    fn a_minute_is_what_was_seen_in_it() {
        let mut hour = Hour::default();
        for second in 0..6 {
            hour.observe(at(second * 10), sample(true, None, 0));
        }
        for second in 6..18 {
            hour.observe(at(second * 10), sample(false, Some(true), 5));
        }
        hour.observe(at(180), sample(true, Some(true), 2));
        hour.observe(at(200), sample(true, Some(false), 0));
        hour.advance(at(210));

        let minutes = hour.minutes(at(210));

        assert_eq!(minutes.len(), MINUTES);
        let last: Vec<_> = minutes[56..]
            .iter()
            .map(|minute| (minute.link, minute.service, minute.waiting))
            .collect();
        assert_eq!(
            last,
            [
                (Up, Unknown, 0),
                (Away, Up, 5),
                (Away, Up, 5),
                (Up, Partly, 2)
            ]
        );
        assert_eq!(minutes[59].at, at(180));
        assert!(minutes[..56].iter().all(|minute| minute.link == Unknown));
    }

    #[test]
    fn what_was_while_the_machine_slept_is_not_known() {
        let mut hour = Hour::default();
        hour.observe(at(0), sample(true, Some(true), 0));
        hour.observe(at(10), sample(true, Some(true), 0));
        hour.observe(at(600), sample(true, Some(true), 0));
        hour.observe(at(610), sample(true, Some(true), 0));
        let minutes = hour.minutes(at(610));
        let up = minutes.iter().filter(|minute| minute.link == Up);
        assert_eq!(up.count(), 2);
    }

    proptest! {
        #[test]
        fn whatever_the_clock_does_there_are_sixty_minutes_and_no_more_is_kept(
            looks in prop::collection::vec((-10_000_i64..10_000, any::<bool>()), 0..300)
        ) {
            let mut hour = Hour::default();
            for (seconds, up) in looks {
                hour.observe(at(seconds), sample(up, Some(!up), 1));
                prop_assert!(hour.cells.len() <= MINUTES);
                prop_assert_eq!(hour.minutes(at(seconds)).len(), MINUTES);
            }
        }
    }
}
