//! Waits until matching events have arrived.
//!
//! It asks the history the same question repeatedly: which events since then match? Existing and
//! new events are treated alike, so that no event is missed between two steps, and an event counts
//! as soon as it matches, which may be long after its arrival. It only reads, beside the process
//! that holds the history, and the history need not exist when it begins.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::history::{EventRow, Filter, FoundEvent, History, HistoryError, Mark, Position};

/// Minimum pause between two reads, and minimum ratio of the pause to the duration of a read:
/// reading takes at most a tenth of the time.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSES: u32 = 9;

/// Maximum number of non-matching events in the error.
const TOLD: usize = 5;

/// The condition to wait for.
#[derive(Debug, Clone)]
pub struct EventWait {
    /// The filter that a person gave.
    asked: Filter,
    /// The complete condition for an event.
    wanted: Filter,
    since: Timestamp,
    count: usize,
    within: Duration,
}

/// The events, oldest first, and their history.
#[derive(Debug)]
pub struct AwaitedEvents {
    pub history: History,
    pub events: Vec<FoundEvent>,
}

/// Why a wait failed.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// The time is over, and there is no history yet, or it could not be opened.
    #[error("there is no history yet")]
    NoHistory(#[source] Option<HistoryError>),
    /// The time is over, and too few events matched.
    #[error("too few events matched")]
    TooFew(InVain),
    /// The history failed.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// What was found instead.
#[derive(Debug)]
pub struct InVain {
    /// Number of matching events.
    pub matched: usize,
    /// Whether `rows` match the filter but not the other conditions; otherwise they are any events.
    pub are_near: bool,
    /// The newest of these events, oldest first.
    pub rows: Vec<EventRow>,
}

impl EventWait {
    /// Creates a wait for one event that matches this filter and is accepted at or after `since`.
    pub fn new(filter: Filter, since: Timestamp, within: Duration) -> Self {
        let asked = filter.since(since);
        Self {
            wanted: asked.clone(),
            asked,
            since,
            count: 1,
            within,
        }
    }

    /// Sets the number of events.
    #[must_use]
    pub fn count(self, count: usize) -> Self {
        Self { count, ..self }
    }

    /// Waits for `hook.verify` events whose hook is active.
    #[must_use]
    pub fn once_verified(mut self) -> Self {
        self.wanted = self.wanted.and_marked(Mark::Verified);
        self
    }

    /// Waits for events that each of their targets has answered, with any status.
    #[must_use]
    pub fn once_delivered(mut self) -> Self {
        self.wanted = self.wanted.and_answered();
        self
    }

    /// Waits for the events in the history at this path.
    ///
    /// # Errors
    /// If the time is over, or the history has a later format.
    ///
    /// # Cancel safety
    /// Dropping the future ends the wait and changes nothing.
    pub async fn run(&self, path: &Path) -> Result<AwaitedEvents, WaitError> {
        let deadline = Instant::now() + self.within;
        let mut looker = None;
        let mut trouble = None;
        loop {
            let begun = Instant::now();
            if looker.is_none() {
                looker = match self.open(path).await {
                    Ok(looker) => looker,
                    Err(error @ HistoryError::Newer { .. }) => return Err(error.into()),
                    // The history is being created, or is locked:
                    // this passes, or is reported at the end.
                    Err(error) => {
                        trouble = Some(error);
                        None
                    }
                };
            }
            if let Some((history, floor)) = &looker {
                match self.look(history, *floor).await {
                    Ok(events) if events.len() >= self.count => {
                        let history = history.clone();
                        return Ok(AwaitedEvents { history, events });
                    }
                    Ok(_) => trouble = None,
                    Err(error) if error.may_pass() => trouble = Some(error),
                    Err(error) => return Err(error.into()),
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(match looker {
                    Some((history, floor)) => {
                        WaitError::TooFew(self.explain_timeout(&history, floor).await?)
                    }
                    None => WaitError::NoHistory(trouble),
                });
            }
            let pause = PAUSE.max(begun.elapsed().saturating_mul(PAUSES));
            tokio::time::sleep(pause.min(left)).await;
        }
    }

    /// Opens the history once it exists; also returns
    /// the position before the first event that counts.
    async fn open(&self, path: &Path) -> Result<Option<(History, Position)>, HistoryError> {
        if !path.exists() {
            return Ok(None);
        }
        let history = History::open_read_only(path)?;
        let newest = history.newest().await?.unwrap_or_default();
        let recent = Filter::default().since(self.since);
        let first = history.find_after(Position::default(), recent, 1).await?;
        let floor = first
            .first()
            .map_or(newest, |first| Position(first.position.0 - 1));
        Ok(Some((history, floor)))
    }

    async fn look(
        &self,
        history: &History,
        floor: Position,
    ) -> Result<Vec<FoundEvent>, HistoryError> {
        history
            .find_after(floor, self.wanted.clone(), self.count)
            .await
    }

    async fn explain_timeout(
        &self,
        history: &History,
        floor: Position,
    ) -> Result<InVain, HistoryError> {
        let matched = self.look(history, floor).await?.len();
        let newest = |filter: &Filter| history.find_newest(filter.clone(), TOLD);
        let mut near = newest(&self.asked).await?;
        let are_near = !near.is_empty();
        if !are_near {
            near = newest(&Filter::default()).await?;
            near.retain(|event| event.position > floor);
        }
        let rows = history.rows_of(&near).await?;
        Ok(InVain {
            matched,
            are_near,
            rows,
        })
    }
}
