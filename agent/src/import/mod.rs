//! Import: an archive, of ours or of another tool, becomes events of a history.
//!
//! What is imported is on record only. It has no `seq` and never waits for a delivery, so that
//! nothing is sent, validated, held or concluded because of it; a person may replay it. The same id
//! is the same event: importing twice adds nothing, and an event that is known keeps what it has.
//!
//! A thread reads and parses, a batch at a time, and the writer commits each batch in one
//! transaction: memory stays bounded whatever the archive's size, and what was read before a
//! mistake in it stays imported.

mod batch;
mod check;
mod har;
mod ndjson;
mod recognize;

use std::collections::{HashSet, VecDeque};
use std::io::{self, BufReader, Read};

use podtap_wire::{EventId, limits};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::export::archive::Format;
use crate::history::{HistoryError, Past, Writer};
use batch::{Batch, Batches};
pub use check::Wrong;

/// The largest line, or entry of a HAR, in bytes: the largest body with every byte of it escaped
/// (`\u0000`), the headers likewise, and as much again as headers for the attempts.
const MAX_PIECE_BYTES: u64 = 6 * (limits::MAX_BODY_BYTES + 2 * limits::MAX_HEADER_BYTES) as u64;

/// Batches that wait for the writer.
const QUEUED_BATCHES: usize = 1;

/// New events to which later attempt lines may still belong. Such a line follows its event as soon
/// as the local service has answered; so many events later it is taken for a stray.
const REMEMBERED: usize = 65_536;

/// What an import has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Events that are in the history now and were not before.
    pub new: u64,
    /// Events that were there already.
    pub known: u64,
    /// Lines or entries that are no events: other objects, attempts of unknown events, requests of
    /// other protocols.
    pub skipped: u64,
}

impl Report {
    /// Events that were found.
    pub const fn events(&self) -> u64 {
        self.new + self.known
    }
}

/// Why an import ended before its source did. What came before stays imported.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct ImportError {
    /// What was wrong.
    pub problem: Problem,
    /// What was imported before it.
    pub imported: Report,
}

/// What was wrong.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It is no archive.
    #[error("it holds neither JSON lines of podtap nor an HTTP archive (HAR)")]
    Unrecognized,
    /// One line of JSON lines cannot be taken over.
    #[error("line {line}: {wrong}")]
    Line {
        /// Which, from 1.
        line: u64,
        /// Why not.
        wrong: Wrong,
    },
    /// One entry of a HAR cannot be taken over.
    #[error("entry {entry}: {wrong}")]
    Entry {
        /// Which, from 1.
        entry: u64,
        /// Why not.
        wrong: Wrong,
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
pub struct Import {
    format: Format,
    first: Option<Batch>,
    batches: mpsc::Receiver<Batch>,
    reading: JoinHandle<Result<(), Problem>>,
}

impl Import {
    /// Begins to read an archive, of which its first bytes tell the form.
    ///
    /// # Errors
    /// When it is no archive. What is wrong later is told by [`Import::into_history`].
    pub async fn open(source: impl Read + Send + 'static) -> Result<Self, Problem> {
        let recognized = tokio::task::spawn_blocking(|| recognize::recognize(source));
        let (format, source) = recognized.await.map_err(panicked)??;
        let (sender, mut batches) = mpsc::channel(QUEUED_BATCHES);
        let reading = tokio::task::spawn_blocking(move || {
            let (source, mut batches) = (BufReader::new(source), Batches::new(sender));
            let read = match format {
                Format::Har => har::read(source, &mut batches),
                Format::Ndjson => ndjson::read(source, &mut batches),
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

    /// The archive's form.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether there is nothing in it to import, as far as was read.
    pub fn is_empty(&self) -> bool {
        self.first
            .as_ref()
            .is_none_or(|batch| batch.past.is_empty())
    }

    /// Reads to the end, and nothing of it goes anywhere.
    pub async fn discard(mut self) -> Result<Report, ImportError> {
        let mut imported = Report::default();
        let mut batch = self.first.take();
        while let Some(Batch { past, skipped }) = batch {
            imported.skipped += skipped + past.len() as u64;
            batch = self.batches.recv().await;
        }
        self.finish(imported).await
    }

    /// Takes all of it over into a history.
    pub async fn into_history(mut self, writer: &Writer) -> Result<Report, ImportError> {
        let (mut imported, mut recent) = (Report::default(), Recent::default());
        let mut batch = self.first.take();
        while let Some(Batch { mut past, skipped }) = batch {
            imported.skipped += skipped;
            past.retain(|one| {
                let stray = matches!(one, Past::Attempt(attempt) if !recent.has(attempt.event));
                imported.skipped += u64::from(stray);
                !stray
            });
            let events = past.iter().filter(|one| matches!(one, Past::Event(_)));
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
            batch = self.batches.recv().await;
        }
        self.finish(imported).await
    }

    async fn finish(self, imported: Report) -> Result<Report, ImportError> {
        let read = self.reading.await.map_err(panicked);
        match read.and_then(|read| read) {
            Ok(()) => Ok(imported),
            Err(problem) => Err(ImportError { problem, imported }),
        }
    }
}

fn panicked(error: tokio::task::JoinError) -> Problem {
    Problem::Read(io::Error::other(error))
}

/// The events that this import has added last.
#[derive(Debug, Default)]
struct Recent {
    order: VecDeque<EventId>,
    ids: HashSet<EventId>,
}

impl Recent {
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
