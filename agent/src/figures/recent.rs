//! The newest events and deliveries in memory, read on from where it was whenever somebody asks.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::answer_times::AnswerTimes;
use super::traffic::{self, Traffic};
use crate::history::{HistoryError, RecentCursor, RecentDelivery, RecentEvent, Watched};
use crate::place::Place;
use crate::standing::Standings;

/// How far back figures go.
pub(super) const PERIOD: SignedDuration = SignedDuration::from_hours(24);

/// Events, and deliveries, that are kept: some megabytes of the busiest tunnel.
const MOST: usize = 20_000;

/// Rows of one read.
const PAGE: usize = 4096;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Recent {
    watched: Watched,
    standings: Standings,
    kept: Arc<Mutex<Option<Kept>>>,
}

#[derive(Debug)]
struct Kept {
    window: Window,
    cursor: RecentCursor,
}

/// What is in memory, oldest first.
#[derive(Debug, Default)]
pub(super) struct Window {
    pub(super) events: VecDeque<RecentEvent>,
    pub(super) deliveries: VecDeque<RecentDelivery>,
    /// Whether there were more events within the period than are kept.
    pub(super) is_cut: bool,
}

impl Recent {
    pub(crate) fn new(watched: Watched, standings: Standings) -> Self {
        Self {
            watched,
            standings,
            kept: Arc::default(),
        }
    }

    /// Calls, failures and answer times of every hook that sent anything lately.
    pub(crate) async fn traffic(&self, now: Timestamp) -> Result<Traffic, HistoryError> {
        let standings = self.standings.at(now).await?;
        let mut traffic = {
            let mut kept = self.kept.lock().await;
            let window = self.read_on(&mut kept, now).await?;
            traffic::of(window, &standings, now)
        };
        for hook in &mut traffic.hooks {
            hook.place = self.place(hook.hook_id).await?;
        }
        Ok(traffic)
    }

    /// How long the local service takes.
    pub(crate) async fn answer_times(&self, now: Timestamp) -> Result<AnswerTimes, HistoryError> {
        let mut kept = self.kept.lock().await;
        let window = self.read_on(&mut kept, now).await?;
        let deliveries = window.deliveries.iter();
        Ok(AnswerTimes::of(deliveries.map(|delivery| {
            (delivery.duration, delivery.status.is_some())
        })))
    }

    /// # Cancel safety
    /// Dropping the future keeps what was read.
    async fn read_on<'a>(
        &self,
        kept: &'a mut Option<Kept>,
        now: Timestamp,
    ) -> Result<&'a Window, HistoryError> {
        let Kept { window, cursor } = match kept {
            Some(kept) => kept,
            none => none.insert(Kept {
                window: Window::default(),
                cursor: self.watched.recent(MOST).await?,
            }),
        };
        loop {
            let (events, through) = self.watched.recent_events(cursor.events, PAGE).await?;
            let is_end = through == cursor.events;
            cursor.events = through;
            window.events.extend(events);
            if is_end {
                break;
            }
            window.trim(now);
        }
        loop {
            let read = self.watched.recent_deliveries(cursor.attempts, PAGE);
            let (deliveries, through) = read.await?;
            let is_end = through == cursor.attempts;
            cursor.attempts = through;
            window.deliveries.extend(deliveries);
            if is_end {
                break;
            }
            window.trim(now);
        }
        window.trim(now);
        Ok(window)
    }

    async fn place(&self, hook_id: Option<u64>) -> Result<Option<Place>, HistoryError> {
        match hook_id {
            Some(hook_id) => self.watched.place(hook_id).await,
            None => Ok(None),
        }
    }
}

impl Window {
    /// Forgets what is too old or too much.
    fn trim(&mut self, now: Timestamp) {
        let since = now.saturating_sub(PERIOD).unwrap_or(Timestamp::MIN);
        while let Some(oldest) = self.events.front() {
            let is_recent = oldest.received_at >= since;
            if is_recent && self.events.len() <= MOST {
                break;
            }
            self.is_cut = is_recent;
            self.events.pop_front();
        }
        while let Some(oldest) = self.deliveries.front()
            && (oldest.started_at < since || self.deliveries.len() > MOST)
        {
            self.deliveries.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::history::Sender;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn sender() -> Sender {
        Sender {
            hook_id: Some(7),
            event_type: Some("item.update".into()),
        }
    }

    #[test]
    fn what_is_kept_is_bounded_by_count_and_by_age() {
        let mut window = Window::default();
        let mut fill = |count: usize, second| {
            let event = RecentEvent {
                sender: sender(),
                received_at: at(second),
            };
            window.events.extend(vec![event; count]);
            let delivery = RecentDelivery {
                sender: sender(),
                started_at: at(second),
                duration: Duration::ZERO,
                status: None,
                is_first: true,
            };
            window.deliveries.extend(vec![delivery; count]);
            window.trim(at(second));
            (window.events.len(), window.deliveries.len(), window.is_cut)
        };
        assert_eq!(fill(MOST, 0), (MOST, MOST, false));
        assert_eq!(fill(1, 1), (MOST, MOST, true));
        assert_eq!(fill(3, 25 * 3600), (3, 3, false));
    }
}
