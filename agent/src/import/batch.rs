//! Collects what was read into batches of a bounded size for the history's writer.

use std::collections::HashMap;
use std::fmt;

use podtap_wire::EventId;
use tokio::sync::mpsc;

use super::check::UnusableEntry;
use crate::history::{Attempt, ImportedRecord, Outcome};

/// Maximum number of events and attempts per batch,
/// which is one transaction with one sync of the disk.
const MAX_COUNT: usize = 512;

/// Bytes of bodies after which a batch is full.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Maximum number of unusable entries whose error is reported. The others are counted.
const MAX_NAMED: usize = 5;

/// Maximum length of one such error, in characters.
const MAX_NAMED_CHARS: usize = 200;

/// The number of a piece of an archive, from 1.
#[derive(Debug, Clone, Copy)]
pub(super) enum ArchivePlace {
    Line(u64),
    Entry(u64),
}

impl fmt::Display for ArchivePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Entry(number) => write!(f, "entry {number}"),
        }
    }
}

/// Part of an archive.
#[derive(Debug, Default)]
pub(super) struct ArchiveBatch {
    pub(super) past: Vec<ImportedRecord>,
    /// Number of lines or entries that are not events.
    pub(super) skipped: u64,
    /// The first unusable ones, with their errors.
    pub(super) named: Vec<String>,
}

/// Collects batches and sends them.
#[derive(Debug)]
pub(super) struct Batches {
    sender: mpsc::Sender<ArchiveBatch>,
    batch: ArchiveBatch,
    bytes: usize,
    /// Index of each event in the batch.
    events: HashMap<EventId, usize>,
    /// Number of reported errors in all batches.
    named: usize,
}

/// The receiver has been dropped.
#[derive(Debug)]
pub(super) struct ReceiverGone;

impl Batches {
    pub(super) fn new(sender: mpsc::Sender<ArchiveBatch>) -> Self {
        Self {
            sender,
            batch: ArchiveBatch::default(),
            bytes: 0,
            events: HashMap::new(),
            named: 0,
        }
    }

    /// Adds a record. Without one, only counts the entry, and reports its error. Waits while the
    /// writer is behind.
    pub(super) fn add(
        &mut self,
        place: ArchivePlace,
        past: Result<Option<ImportedRecord>, UnusableEntry>,
    ) -> Result<(), ReceiverGone> {
        match past {
            Err(wrong) => {
                self.batch.skipped += 1;
                self.name(place, &wrong);
            }
            Ok(None) => self.batch.skipped += 1,
            Ok(Some(ImportedRecord::Event(event))) => {
                let (index, attempts) = (self.batch.past.len(), &event.attempts);
                self.bytes += event.request.body.len() + event.request.headers.bytes();
                self.bytes += attempts.iter().map(size).sum::<usize>();
                self.events.entry(event.id).or_insert(index);
                self.batch.past.push(ImportedRecord::Event(event));
            }
            Ok(Some(ImportedRecord::Attempt(attempt))) => self.add_attempt(attempt),
        }
        if self.batch.past.len() < MAX_COUNT && self.bytes < MAX_BYTES {
            return Ok(());
        }
        self.send()
    }

    fn name(&mut self, place: ArchivePlace, wrong: &UnusableEntry) {
        if self.named < MAX_NAMED {
            self.named += 1;
            let text = format!("{place}: {wrong}");
            let text = text.chars().take(MAX_NAMED_CHARS).collect();
            self.batch.named.push(text);
        }
    }

    /// Adds an attempt to its event if that is in this batch, otherwise as a separate record.
    fn add_attempt(&mut self, attempt: Attempt) {
        self.bytes += size(&attempt);
        let index = self.events.get(&attempt.event);
        match index.and_then(|index| self.batch.past.get_mut(*index)) {
            Some(ImportedRecord::Event(event)) => {
                let through = event.attempts.last().map_or(0, |last| last.number);
                if attempt.number > through {
                    event.attempts.push(attempt);
                }
            }
            _ => self.batch.past.push(ImportedRecord::Attempt(attempt)),
        }
    }

    /// Sends the collected batch.
    pub(super) fn flush(&mut self) {
        if !self.batch.past.is_empty() || self.batch.skipped > 0 {
            // A missing receiver is not an error at the end.
            let _ = self.send();
        }
    }

    fn send(&mut self) -> Result<(), ReceiverGone> {
        self.bytes = 0;
        self.events.clear();
        let batch = std::mem::take(&mut self.batch);
        self.sender.blocking_send(batch).map_err(|_| ReceiverGone)
    }
}

fn size(attempt: &Attempt) -> usize {
    let edited = attempt
        .edited
        .as_ref()
        .map_or(0, |edited| edited.body.len());
    let answer = match &attempt.outcome {
        Outcome::Answered { body, .. } => body.len(),
        Outcome::Failed { error } => error.len(),
    };
    attempt.url.len() + edited + answer
}
