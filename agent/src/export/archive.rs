//! Many events into one file: HAR or JSON lines, the oldest first, each read and written by itself,
//! so that memory stays as small as the largest event, whatever their number.
//!
//! Reading awaits the history's own threads. Writing is synchronous and in between: a file or a
//! pipe takes 64 KiB at a time out of a buffer, which is sooner done than handed to another thread.
//! Whoever writes to something slower, and must not wait, runs this on a thread of its own.

use std::io::{self, BufWriter, Write};

use podtap_wire::EventId;
use serde::Serialize;

use super::har::{CREATOR, HarEntry};
use super::json::{EventObject, IncidentObject, text};
use crate::history::{
    Anchor, Filter, History, HistoryError, HistoryGap, MAX_PAGE, PageQuery, Position,
};
use crate::target::Target;

/// Bytes gathered before they are written.
const BUFFER: usize = 64 * 1024;

/// The form of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// HTTP Archive 1.2, for browsers, proxies and `podtap import`.
    Har,
    /// The `event` objects of `docs/JSON.md`, one a line, for scripts and `podtap import`; of the
    /// whole history with the gaps among them, which an import passes over.
    Ndjson,
}

/// Which events an archive holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveSelection {
    /// These, the oldest by id first, each once.
    Events(Vec<EventId>),
    /// The newest that a filter wants.
    Filter {
        filter: Filter,
        /// At most so many.
        most: usize,
    },
}

/// Why an archive is not whole.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The history cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The archive cannot be written.
    #[error("cannot write the archive")]
    Write(#[from] io::Error),
}

/// Makes the file of an archive, which must not be there yet; nobody else may read it.
pub fn create(file: &std::path::Path) -> io::Result<std::fs::File> {
    podtap_disk::private::create_new(file)
}

/// Writes an archive of these events and of every attempt of theirs, the oldest first; how many it
/// holds. One that cannot be read is left out: see [`History::damage`]. An event that retention removes meanwhile is left out, and so is what arrives meanwhile.
/// `target` is what HAR's URLs name where an event went nowhere: never the tunnel, whose URL is a secret.
///
/// # Cancel safety
/// Dropping the future leaves an archive that ends somewhere.
pub async fn write(
    history: &History,
    selection: ArchiveSelection,
    format: ArchiveFormat,
    target: &Target,
    to: impl Write + Send,
) -> Result<u64, ArchiveError> {
    let mut archive = Archive {
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

struct Archive<'a, W: Write> {
    history: &'a History,
    format: ArchiveFormat,
    target: &'a Target,
    to: BufWriter<W>,
    written: u64,
}

impl<W: Write + Send> Archive<'_, W> {
    fn begin(&mut self) -> io::Result<()> {
        if self.format == ArchiveFormat::Har {
            self.to
                .write_all(br#"{"log":{"version":"1.2","creator":"#)?;
            self.json(&CREATOR)?;
            // Firefox asks for pages, though there may be none.
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
            // The newest comes first.
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

    /// The gaps from the first of these events on: a filter wants none, and HAR has no place for one.
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

/// The places of the first and the last of the newest `most` events that the filter wants.
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
