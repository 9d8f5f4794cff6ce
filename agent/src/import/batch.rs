//! What was read, gathered into batches of a bounded size, on its way to the history's writer.

use std::collections::HashMap;
use std::fmt;

use podtap_wire::EventId;
use tokio::sync::mpsc;

use super::check::UnusableEntry;
use crate::history::{Attempt, ImportedRecord, Outcome};

/// Events and attempts of one batch: one transaction, one wait for the disk.
const MAX_COUNT: usize = 512;

/// Bytes of bodies after which a batch is full.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Of how many that cannot be used it is said what is wrong. The others are counted.
const MAX_NAMED: usize = 5;

/// The longest that is said of one, in characters.
const MAX_NAMED_CHARS: usize = 200;

/// Which piece of an archive, from 1.
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
    /// Lines or entries that are no events.
    pub(super) skipped: u64,
    /// The first that cannot be used, with what is wrong.
    pub(super) named: Vec<String>,
}

/// Gathers batches and sends them on.
#[derive(Debug)]
pub(super) struct Batches {
    sender: mpsc::Sender<ArchiveBatch>,
    batch: ArchiveBatch,
    bytes: usize,
    /// Where the batch has which event.
    events: HashMap<EventId, usize>,
    /// How many were named, in all batches.
    named: usize,
}

/// Nobody wants the rest.
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

    /// Adds something, or nothing, which counts, and is named where it is wrong. Waits while the
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

    /// To its event, if that is in this batch; else by itself.
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

    /// Sends what has gathered.
    pub(super) fn flush(&mut self) {
        if !self.batch.past.is_empty() || self.batch.skipped > 0 {
            // Nobody who wants it is no error at the end.
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
