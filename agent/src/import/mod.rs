//! Imports archives, of Podtap or of another tool, as events of a history.
//!
//! Imported events are only stored. They have no `seq` and never wait for a
//! delivery, so that nothing is sent, validated, held or concluded because of
//! them; a person may replay them. Events with the same id are the same
//! event: importing twice adds nothing, and an existing event stays as it is.
//!
//! A thread reads and parses one batch at a time, and the writer commits each batch in one
//! transaction, so memory is bounded for any size of archive.
//!
//! A field that is null, missing or of an unknown type is ignored; an unusable line or entry is
//! skipped; and if a file is cut off, only its rest is lost.

mod batch;
mod check;
mod har;
mod identity;
mod ndjson;
mod recognize;
mod words;

use std::collections::{HashSet, VecDeque};
use std::io::{self, BufReader, Read};

use podtap_wire::{EventId, limits};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::export::archive::ArchiveFormat;
use crate::history::{HistoryError, ImportedRecord, Writer};
use batch::{ArchiveBatch, Batches};

/// Maximum size in bytes of a line, or of an entry of a HAR: the largest body with every byte
/// escaped (`\u0000`), the headers likewise, and as much again as headers for the attempts.
const MAX_PIECE_BYTES: u64 = 6 * (limits::MAX_BODY_BYTES + 2 * limits::MAX_HEADER_BYTES) as u64;

/// Maximum number of batches that wait for the writer.
const QUEUED_BATCHES: usize = 1;

/// Number of new events to which later attempt lines may still belong.
/// Such a line follows its event as soon as the local service has
/// answered; if more events are in between, the line belongs to no event.
const REMEMBERED: usize = 65_536;

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// Number of events that were added to the history.
    pub new: u64,
    /// Number of events that were already in the history.
    pub known: u64,
    /// Number of lines or entries that are not events: other objects, attempts of unknown events,
    /// requests of other protocols, and unusable ones.
    pub skipped: u64,
    /// The first unusable ones: their place and their error. Contains text of the file.
    pub named: Vec<String>,
    /// Where and why the archive is cut off; the rest of it is not imported.
    pub broken_off: Option<String>,
}

impl ImportReport {
    /// Returns the number of events that were found.
    pub const fn events(&self) -> u64 {
        self.new + self.known
    }
}

/// Why an import ended before its source did. What was read before stays imported.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct ImportError {
    pub problem: Problem,
    /// What was imported before the problem.
    pub imported: ImportReport,
}

#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It is not an archive.
    #[error("it holds neither JSON lines of podtap nor an HTTP archive (HAR)")]
    Unrecognized,
    /// A HAR ends within its JSON, or has other content after it.
    #[error("after entry {entries}: {what}")]
    BrokenOff {
        /// Number of entries before the problem.
        entries: u64,
        what: String,
    },
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(io::Error),
    /// The history cannot be written.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// An archive that is being read. It is opened before it is imported, so that a source without
/// events does not create a history.
#[derive(Debug)]
pub struct ArchiveImport {
    format: ArchiveFormat,
    first: Option<ArchiveBatch>,
    batches: mpsc::Receiver<ArchiveBatch>,
    reading: JoinHandle<Result<(), Problem>>,
}

impl ArchiveImport {
    /// Begins to read an archive; its first bytes determine the format.
    ///
    /// # Errors
    /// If it is not an archive. [`ArchiveImport::into_history`] reports later problems.
    pub async fn open(source: impl Read + Send + 'static) -> Result<Self, Problem> {
        let recognized = tokio::task::spawn_blocking(|| recognize::recognize(source));
        let (format, source) = recognized.await.map_err(problem_of_panic)??;
        let (sender, mut batches) = mpsc::channel(QUEUED_BATCHES);
        let reading = tokio::task::spawn_blocking(move || {
            let (source, mut batches) = (BufReader::new(source), Batches::new(sender));
            let read = match format {
                ArchiveFormat::Har => har::read(source, &mut batches),
                ArchiveFormat::Ndjson => ndjson::read(source, &mut batches),
            };
            // What was complete before an error is imported.
            batches.flush();
            read
        });
        let first = batches.recv().await;
        Ok(Self {
            format,
            first,
            batches,
            reading,
        })
    }

    pub fn format(&self) -> ArchiveFormat {
        self.format
    }

    /// Returns whether the part that was read contains nothing to import.
    pub fn is_empty(&self) -> bool {
        self.first
            .as_ref()
            .is_none_or(|batch| batch.past.is_empty())
    }

    /// Reads to the end without importing anything.
    pub async fn discard(mut self) -> Result<ImportReport, ImportError> {
        let mut imported = ImportReport::default();
        let mut batch = self.first.take();
        while let Some(ArchiveBatch {
            past,
            skipped,
            named,
        }) = batch
        {
            imported.skipped += skipped + past.len() as u64;
            imported.named.extend(named);
            batch = self.batches.recv().await;
        }
        self.finish(imported).await
    }

    /// Imports everything into a history.
    pub async fn into_history(self, writer: &Writer) -> Result<ImportReport, ImportError> {
        let never = CancellationToken::new();
        self.into_history_until(writer, &never, |_| {}).await
    }

    /// Imports into a history until everything is imported or `stop` is cancelled, and reports the
    /// progress after each batch. A batch that was begun is finished.
    pub async fn into_history_until(
        mut self,
        writer: &Writer,
        stop: &CancellationToken,
        mut told: impl FnMut(&ImportReport),
    ) -> Result<ImportReport, ImportError> {
        let (mut imported, mut recent) = (ImportReport::default(), RecentIds::default());
        let mut batch = self.first.take();
        while let Some(ArchiveBatch {
            mut past,
            skipped,
            named,
        }) = batch
        {
            imported.skipped += skipped;
            imported.named.extend(named);
            past.retain(|one| {
                let stray =
                    matches!(one, ImportedRecord::Attempt(attempt) if !recent.has(attempt.event));
                imported.skipped += u64::from(stray);
                !stray
            });
            let events = past
                .iter()
                .filter(|one| matches!(one, ImportedRecord::Event(_)));
            let events = events.count() as u64;
            match writer.import(past).await {
                Ok(new) => {
                    imported.new += new.len() as u64;
                    imported.known += events - new.len() as u64;
                    recent.add(new);
                }
                Err(error) => {
                    let problem = error.into();
                    return Err(ImportError { problem, imported });
                }
            }
            told(&imported);
            batch = tokio::select! {
                biased;
                // The reading thread ends with the receiver; it may be waiting for a pipe.
                () = stop.cancelled() => return Ok(imported),
                batch = self.batches.recv() => batch,
            };
        }
        self.finish(imported).await
    }

    async fn finish(self, mut imported: ImportReport) -> Result<ImportReport, ImportError> {
        let read = self.reading.await.map_err(problem_of_panic);
        match read.and_then(|read| read) {
            Ok(()) => Ok(imported),
            Err(problem @ Problem::BrokenOff { .. }) => {
                imported.broken_off = Some(problem.to_string());
                Ok(imported)
            }
            Err(problem) => Err(ImportError { problem, imported }),
        }
    }
}

fn problem_of_panic(error: tokio::task::JoinError) -> Problem {
    Problem::Read(io::Error::other(error))
}

/// The last events that this import has added.
#[derive(Debug, Default)]
struct RecentIds {
    order: VecDeque<EventId>,
    ids: HashSet<EventId>,
}

impl RecentIds {
    fn has(&self, id: EventId) -> bool {
        self.ids.contains(&id)
    }

    fn add(&mut self, new: Vec<EventId>) {
        for id in new {
            self.order.push_back(id);
            self.ids.insert(id);
        }
        while self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}
