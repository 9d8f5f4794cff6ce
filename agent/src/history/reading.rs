//! The reading side of the history: a handle whose reads
//! never wait for writes, and a separate reader for delivery.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use podtap_connect::reason;
use podtap_wire::EventId;

use super::arrivals::{self, Arrivals};
use super::error::HistoryError;
use super::event::{Attempt, Event, EventRow};
use super::filter::Filter;
use super::fold::{self, FoldedQuery};
use super::gaps::{self, HistoryGap, HistoryRow};
use super::handover::HandedOver;
use super::page::{self, Page, PageQuery, PendingPage};
use super::position::Position;
use super::reader::Reader;
use super::seen_ids::{REMEMBERED, SeenIds};
use super::select::Reach;
use super::values::{self, Values};
use super::writer::Writer;
use super::{connection, watch};

/// Pause before a failed read of delivery is repeated.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// A handle on the history, for reading. Cheap to clone; reads never wait for writes.
#[derive(Debug, Clone)]
pub struct History {
    path: Arc<Path>,
    /// For quick reads.
    pub(super) near: Reader,
    /// For pages. A page whose caller is gone may take a
    /// while to stop; the other reader is used meanwhile.
    pages: [Reader; 2],
    /// For reads that may have to look at every event.
    pub(super) far: Reader,
}

impl History {
    /// Opens the history at `path`, and creates it if it does not exist.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        connection::read_write(path)?;
        Self::open_read_only(path)
    }

    /// Opens the history at `path`, which must exist.
    pub fn open_read_only(path: &Path) -> Result<Self, HistoryError> {
        Ok(Self {
            path: path.into(),
            near: Reader::open(path, "history-near")?,
            pages: [
                Reader::open(path, "history-page")?,
                Reader::open(path, "history-page")?,
            ],
            far: Reader::open(path, "history-far")?,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns one page of rows, newest first.
    pub async fn page(&self, query: PageQuery) -> Result<Vec<EventRow>, HistoryError> {
        let page = self
            .for_pages()
            .read(move |connection| page::page(connection, &query, Reach::End))
            .await?;
        Ok(page.rows)
    }

    /// Returns one page soon, however large the history is: if the filter has to look at many
    /// events, the page says where to continue.
    pub async fn partial_page(&self, query: PageQuery) -> Result<Page, HistoryError> {
        self.for_pages()
            .read(move |connection| page::page(connection, &query, Reach::Step))
            .await
    }

    /// Returns one page of rows, newest first, with each burst as one row and with gaps.
    pub async fn folded_page(&self, query: FoldedQuery) -> Result<Vec<HistoryRow>, HistoryError> {
        self.near
            .read(move |connection| fold::page(connection, &query))
            .await
    }

    /// Returns the gaps between two positions, both
    /// excluded, oldest first. At most 1,000 are stored.
    pub async fn gaps(
        &self,
        after: Position,
        before: Position,
    ) -> Result<Vec<HistoryGap>, HistoryError> {
        let (low, high, limit) = (after.0, before.0, gaps::MAX_GAPS as usize);
        self.near
            .read(move |connection| gaps::between(connection, low, high, "ASC", limit))
            .await
    }

    pub(super) fn for_pages(&self) -> &Reader {
        let [first, second] = &self.pages;
        if first.under_way() <= second.under_way() {
            first
        } else {
            second
        }
    }

    /// Counts the events that match the filter. May take
    /// long; it does not delay the reading of pages.
    pub async fn count(&self, filter: Filter) -> Result<u64, HistoryError> {
        self.far
            .read(move |connection| page::count(connection, &filter))
            .await
    }

    /// Counts the events that match the filter, up to the
    /// newest event of that moment, which is returned too.
    pub async fn count_through(&self, filter: Filter) -> Result<(u64, Position), HistoryError> {
        self.far
            .read(move |connection| {
                let snapshot = connection.unchecked_transaction()?;
                let newest = page::newest(&snapshot)?.unwrap_or_default();
                Ok((page::count(&snapshot, &filter)?, newest))
            })
            .await
    }

    /// Returns one event with headers and body.
    pub async fn event(&self, id: EventId) -> Result<Option<Event>, HistoryError> {
        Ok(self.event_and_attempts(id).await?.map(|(event, _)| event))
    }

    /// Returns one event with headers and body, and the number of its attempts.
    pub(crate) async fn event_and_attempts(
        &self,
        id: EventId,
    ) -> Result<Option<(Event, u32)>, HistoryError> {
        self.near
            .read(move |connection| page::event(connection, id))
            .await
    }

    /// Returns the newest 1,000 attempts of one event, oldest first.
    pub async fn attempts(&self, id: EventId) -> Result<Vec<Attempt>, HistoryError> {
        self.near
            .read(move |connection| page::attempts(connection, id))
            .await
    }

    /// Returns the events whose id is `text`, begins or ends with it, or is shortened to it
    /// (`01JD…7Q`), newest first, at most 10.
    pub async fn find(&self, text: &str) -> Result<Vec<EventId>, HistoryError> {
        let text = text.to_owned();
        self.far
            .read(move |connection| page::find(connection, &text))
            .await
    }

    /// Returns the size of the history on the disk in bytes, including its write-ahead log.
    ///
    /// # Errors
    /// When the file's folder cannot be read.
    pub fn bytes_on_disk(&self) -> std::io::Result<u64> {
        let mut bytes = std::fs::metadata(&self.path)?.len();
        for end in ["-wal", "-shm"] {
            let mut beside = self.path.as_os_str().to_owned();
            beside.push(end);
            bytes += std::fs::metadata(beside).map_or(0, |beside| beside.len());
        }
        Ok(bytes)
    }

    /// Returns what arrived after this position; without one, what was accepted since `since`.
    pub async fn arrivals(
        &self,
        after: Option<Position>,
        since: Timestamp,
    ) -> Result<Arrivals, HistoryError> {
        self.for_pages()
            .read(move |connection| arrivals::arrivals(connection, after, since))
            .await
    }

    /// Returns the event types and hooks in the history,
    /// to complete a filter with: at most 200 of each.
    pub async fn values(&self) -> Result<Values, HistoryError> {
        self.far.read(values::values).await
    }

    /// Returns the newest event's position; `None` if the history is empty.
    pub async fn newest(&self) -> Result<Option<Position>, HistoryError> {
        self.near.read(page::newest).await
    }
}

/// A separate reader for delivery, so that a slow search does not delay it.
#[derive(Debug, Clone)]
pub(crate) struct PendingReader {
    path: Arc<Path>,
    reader: Reader,
    writer: Writer,
}

impl PendingReader {
    /// Opens the reader.
    pub(crate) fn open(path: &Path, writer: Writer) -> Result<Self, HistoryError> {
        Ok(Self {
            path: path.into(),
            reader: Reader::open(path, "history-pending")?,
            writer,
        })
    }

    /// Hands events that arrive or are committed from now on to this many targets.
    pub(crate) fn hand_over_to(&self, targets: usize) -> Result<Vec<HandedOver>, HistoryError> {
        let known = SeenIds::of(watch::newest_ids(&self.path, REMEMBERED)?);
        Ok(self.writer.hand_over_to(targets, known))
    }

    /// Returns the next events that wait for their delivery,
    /// oldest first: at most `limit`, and about `bytes` bytes.
    pub(crate) async fn after(
        &self,
        position: Position,
        limit: usize,
        bytes: usize,
    ) -> Result<PendingPage, HistoryError> {
        loop {
            let read = self
                .reader
                .read(move |connection| page::pending(connection, position, limit, bytes));
            match read.await {
                Err(error) if error.may_pass() => {
                    tracing::warn!(error = reason::words(&error), "cannot read the history");
                    if error.is_damage() {
                        self.writer.suspect().await?;
                    }
                    tokio::time::sleep(READ_AGAIN).await;
                }
                read => return read,
            }
        }
    }
}
