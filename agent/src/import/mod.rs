//! Import: an archive, of ours or of another tool, becomes events of a history.
//!
//! What is imported is on record only. It has no `seq` and never waits for a delivery, so that
//! nothing is sent, validated, held or concluded because of it; a person may replay it. The same id
//! is the same event: importing twice adds nothing, and an event that is known keeps what it has.
//!
//! A thread reads and parses, a batch at a time, and the writer commits each batch in one
//! transaction: memory stays bounded whatever the archive's size.
//!
//! A word that is null, missing or of an unknown shape costs that word, a line or an entry that
//! cannot be used costs itself, and a file that breaks off costs its rest.

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

/// The largest line, or entry of a HAR, in bytes: the largest body with every byte of it escaped
/// (`\u0000`), the headers likewise, and as much again as headers for the attempts.
const MAX_PIECE_BYTES: u64 = 6 * (limits::MAX_BODY_BYTES + 2 * limits::MAX_HEADER_BYTES) as u64;

/// Batches that wait for the writer.
const QUEUED_BATCHES: usize = 1;

/// New events to which later attempt lines may still belong. Such a line follows its event as soon
/// as the local service has answered; so many events later it is taken for a stray.
const REMEMBERED: usize = 65_536;

/// What an import has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// Events that are in the history now and were not before.
    pub new: u64,
    /// Events that were there already.
    pub known: u64,
    /// Lines or entries that are no events: other objects, attempts of unknown events, requests of
    /// other protocols, and those that cannot be used.
    pub skipped: u64,
    /// The first that cannot be used: which, and what is wrong with it. The text is of the file.
    pub named: Vec<String>,
    /// What is wrong where the archive breaks off; what came after that is not imported.
    pub broken_off: Option<String>,
}

impl ImportReport {
    /// Events that were found.
    pub const fn events(&self) -> u64 {
        self.new + self.known
    }
}

/// Why an import ended before its source did. What came before stays imported.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct ImportError {
    pub problem: Problem,
    /// What was imported before it.
    pub imported: ImportReport,
}

#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It is no archive.
    #[error("it holds neither JSON lines of podtap nor an HTTP archive (HAR)")]
    Unrecognized,
    /// A HAR ends within its JSON, or goes on with something else.
    #[error("after entry {entries}: {what}")]
    BrokenOff {
        /// How many entries came before.
        entries: u64,
        what: String,
    },
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(io::Error),
    /// The history cannot take it.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// An archive that is being read. Opened first and imported then, so that a source that holds
/// nothing makes no history.
#[derive(Debug)]
pub struct ArchiveImport {
    format: ArchiveFormat,
    first: Option<ArchiveBatch>,
    batches: mpsc::Receiver<ArchiveBatch>,
    reading: JoinHandle<Result<(), Problem>>,
}

impl ArchiveImport {
    /// Begins to read an archive, of which its first bytes tell the form.
    ///
    /// # Errors
    /// When it is no archive. What is wrong later is told by [`ArchiveImport::into_history`].
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
            // What was whole before a mistake is imported.
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

    /// Whether there is nothing in it to import, as far as was read.
    pub fn is_empty(&self) -> bool {
        self.first
            .as_ref()
            .is_none_or(|batch| batch.past.is_empty())
    }

    /// Reads to the end, and nothing of it goes anywhere.
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

    /// Takes all of it over into a history.
    pub async fn into_history(self, writer: &Writer) -> Result<ImportReport, ImportError> {
        let never = CancellationToken::new();
        self.into_history_until(writer, &never, |_| {}).await
    }

    /// Takes it over into a history until all of it is, or `stop` is cancelled; says after each
    /// batch what is done. A batch that was begun is finished.
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
                // The thread that reads ends with the receiver; it may be waiting for a pipe.
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

/// The events that this import has added last.
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
