//! Writes many events into one file: HAR or JSON lines, oldest first. Events are read and written
//! one by one, so that memory use is bounded by the largest event.
//!
//! Reading awaits the history's own threads. Writing is synchronous in
//! between: a file or a pipe receives 64 KiB at a time from a buffer, which
//! is faster than handing the data to another thread. A caller that writes
//! to something slower, and must not wait, runs this on a separate thread.

use std::io::{self, BufWriter, Write};

use podtap_wire::EventId;
use serde::Serialize;

use super::har::{CREATOR, HarEntry};
use super::json::{EventObject, IncidentObject, text};
use crate::history::{
    Anchor, Filter, History, HistoryError, HistoryGap, MAX_PAGE, PageQuery, Position,
};
use crate::target::Target;

/// Number of bytes that are collected before they are written.
const BUFFER: usize = 64 * 1024;

/// The format of an archive file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// HTTP Archive 1.2, for browsers, proxies and `podtap import`.
    Har,
    /// The `event` objects of `docs/JSON.md`, one per line, for scripts and `podtap import`. An
    /// archive of the whole history also contains the gaps, which an import skips.
    Ndjson,
}

/// The events of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveSelection {
    /// These events, ordered by id, without duplicates.
    Events(Vec<EventId>),
    /// The newest events that match a filter.
    Filter {
        filter: Filter,
        /// Maximum number of events.
        most: usize,
    },
}

/// Why an archive is incomplete.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The history cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The archive cannot be written.
    #[error("cannot write the archive")]
    Write(#[from] io::Error),
}

/// Creates the file of an archive, which must not exist; other users cannot read it.
pub fn create(file: &std::path::Path) -> io::Result<std::fs::File> {
    podtap_disk::private::create_new(file)
}

/// Writes an archive of these events with all their attempts, oldest first; returns the number of
/// events. Left out are events that cannot be read (see [`History::damage`]), that retention
/// removes meanwhile, or that arrive meanwhile. `target` is used in HAR's URLs for events that were
/// not delivered: never the tunnel, whose URL is a secret.
///
/// # Cancel safety
/// Dropping the future leaves an incomplete archive.
pub async fn write(
    history: &History,
    selection: ArchiveSelection,
    format: ArchiveFormat,
    target: &Target,
    to: impl Write + Send,
) -> Result<u64, ArchiveError> {
    let mut archive = ArchiveWriter {
        history,
        format,
        target,
        to: BufWriter::with_capacity(BUFFER, to),
        written: 0,
    };
    archive.begin()?;
    match selection {
        ArchiveSelection::Events(mut ids) => {
            ids.sort_unstable();
            ids.dedup();
            for id in ids {
                archive.add(id).await?;
            }
        }
        ArchiveSelection::Filter { filter, most } => archive.add_matching(filter, most).await?,
    }
    archive.end()?;
    Ok(archive.written)
}

struct ArchiveWriter<'a, W: Write> {
    history: &'a History,
    format: ArchiveFormat,
    target: &'a Target,
    to: BufWriter<W>,
    written: u64,
}

impl<W: Write + Send> ArchiveWriter<'_, W> {
    fn begin(&mut self) -> io::Result<()> {
        if self.format == ArchiveFormat::Har {
            self.to
                .write_all(br#"{"log":{"version":"1.2","creator":"#)?;
            self.json(&CREATOR)?;
            // Firefox requires `pages`, even if it is empty.
            self.to.write_all(br#","pages":[],"entries":["#)?;
        }
        Ok(())
    }

    async fn add_matching(&mut self, filter: Filter, most: usize) -> Result<(), ArchiveError> {
        let bounds = bounds(self.history, &filter, most).await?;
        let mut gaps = self
            .gaps(&filter, bounds, most)
            .await?
            .into_iter()
            .peekable();
        let (mut after, last) = match bounds {
            Some((first, last)) => (Position(first.0 - 1), last),
            None => (Position::default(), Position::default()),
        };
        while after < last {
            let query = PageQuery {
                filter: filter.clone(),
                anchor: Anchor::After(after),
                limit: MAX_PAGE,
            };
            // The newest row comes first.
            let page = self.history.page(query).await?;
            let Some(newest) = page.first() else {
                break;
            };
            after = newest.position;
            for row in page.iter().rev().filter(|row| row.position <= last) {
                while let Some(gap) = gaps.next_if(|gap| gap.position < row.position) {
                    self.add_gap(&gap)?;
                }
                self.add(row.id).await?;
            }
        }
        gaps.try_for_each(|gap| self.add_gap(&gap))?;
        Ok(())
    }

    /// Returns the gaps from the first of these events on. There are none if there is a filter,
    /// because gaps match no filter, or in HAR, which has no form for gaps.
    async fn gaps(
        &self,
        filter: &Filter,
        bounds: Option<(Position, Position)>,
        most: usize,
    ) -> Result<Vec<HistoryGap>, HistoryError> {
        if !filter.is_empty() || most == 0 || self.format == ArchiveFormat::Har {
            return Ok(Vec::new());
        }
        let first = bounds.map_or(Position(i64::MIN), |(first, _)| first);
        self.history.gaps(first, Position(i64::MAX)).await
    }

    fn add_gap(&mut self, gap: &HistoryGap) -> io::Result<()> {
        let line = IncidentObject::from(gap).to_line();
        self.to.write_all(line.as_bytes())?;
        self.to.write_all(b"\n")
    }

    async fn add(&mut self, id: EventId) -> Result<(), ArchiveError> {
        let event = match self.history.event(id).await {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(()),
            Err(error) if error.is_of_one_row() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let attempts = self.history.attempts(id).await?;
        match self.format {
            ArchiveFormat::Har => {
                let separator: &[u8] = if self.written == 0 { b"\n" } else { b",\n" };
                self.to.write_all(separator)?;
                self.json(&HarEntry::new(&event, &attempts, self.target))?;
            }
            ArchiveFormat::Ndjson => {
                let line = EventObject::new(&event, Some(&attempts)).to_line();
                self.to.write_all(line.as_bytes())?;
                self.to.write_all(b"\n")?;
            }
        }
        self.written += 1;
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        if self.format == ArchiveFormat::Har {
            self.to.write_all(b"\n]}}\n")?;
        }
        self.to.flush()
    }

    fn json(&mut self, object: &impl Serialize) -> io::Result<()> {
        text::write(&mut self.to, object)
    }
}

/// Returns the positions of the first and the last of
/// the newest `most` events that match the filter.
async fn bounds(
    history: &History,
    filter: &Filter,
    most: usize,
) -> Result<Option<(Position, Position)>, HistoryError> {
    let mut bounds: Option<(Position, Position)> = None;
    let mut left = most;
    while left > 0 {
        let anchor = bounds.map_or(Anchor::Newest, |(first, _)| Anchor::Before(first));
        let limit = left.min(MAX_PAGE);
        let filter = filter.clone();
        let page = history
            .page(PageQuery {
                filter,
                anchor,
                limit,
            })
            .await?;
        let (Some(newest), Some(oldest)) = (page.first(), page.last()) else {
            break;
        };
        let last = bounds.map_or(newest.position, |(_, last)| last);
        bounds = Some((oldest.position, last));
        left -= page.len();
        if page.len() < limit {
            break;
        }
    }
    Ok(bounds)
}
