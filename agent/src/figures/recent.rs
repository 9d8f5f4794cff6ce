//! Keeps the newest events and deliveries in memory, and reads the new ones at each request.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::answer_times::AnswerTimes;
use super::traffic::{self, Traffic};
use super::window::{MOST, RecentWindow};
use crate::history::{HistoryError, RecentCursor, WatchReader};
use crate::place::Place;
use crate::standing::Standings;

/// Maximum number of rows per read.
const PAGE: usize = 4096;

/// The newest events and deliveries. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Recent {
    watched: WatchReader,
    standings: Standings,
    kept: Arc<Mutex<Option<RecentState>>>,
}

#[derive(Debug)]
struct RecentState {
    window: RecentWindow,
    cursor: RecentCursor,
}

impl Recent {
    pub(crate) fn new(watched: WatchReader, standings: Standings) -> Self {
        Self {
            watched,
            standings,
            kept: Arc::default(),
        }
    }

    /// Returns calls, failures and answer times of every hook that recently sent anything.
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

    /// Returns the answer times of the local service.
    pub(crate) async fn answer_times(&self, now: Timestamp) -> Result<AnswerTimes, HistoryError> {
        let mut kept = self.kept.lock().await;
        let window = self.read_on(&mut kept, now).await?;
        let deliveries = window.deliveries.iter();
        Ok(AnswerTimes::of(deliveries.map(|delivery| {
            (delivery.duration, delivery.status.is_some())
        })))
    }

    /// Reads the new events and deliveries.
    ///
    /// # Cancel safety
    /// Dropping the future keeps what was read.
    async fn read_on<'a>(
        &self,
        kept: &'a mut Option<RecentState>,
        now: Timestamp,
    ) -> Result<&'a RecentWindow, HistoryError> {
        let RecentState { window, cursor } = match kept {
            Some(kept) => kept,
            none => none.insert(RecentState {
                window: RecentWindow::default(),
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
