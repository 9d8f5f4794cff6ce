//! What can be asked of the history's writer, as plain data.

use std::time::Duration;

use jiff::Timestamp;
use podtap_disk::age::Now;
use podtap_wire::{EventId, Seq, WebhookRequest};
use tokio::sync::oneshot;

use super::error::HistoryError;
use super::event::{Attempt, DeliveryState, EditedRequest, Outcome, Position};
use super::note::Note;
use super::past::Past;
use crate::config::Retention;

/// A webhook that is to enter the history.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its identity: a second arrival of the same id is the same event.
    pub id: EventId,
    /// Its place in the relay's queue.
    pub seq: Option<Seq>,
    /// The request as it came in.
    pub request: WebhookRequest,
    /// [`DeliveryState::Pending`] where it is to be delivered.
    pub state: DeliveryState,
}

/// An attempt that has ended.
#[derive(Debug, Clone)]
pub struct NewAttempt {
    /// Where the event is.
    pub position: Position,
    /// Its attempt; the number is given by the history.
    pub event: EventId,
    /// Whether somebody asked for it.
    pub replay: bool,
    /// Whether the event still waits for another attempt.
    pub again: bool,
    /// Whether another history had it.
    pub imported: bool,
    /// The URL it went to.
    pub url: String,
    /// What was sent instead of the event itself.
    pub edited: Option<EditedRequest>,
    /// When it began.
    pub started_at: Timestamp,
    /// From start to end.
    pub duration: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

impl NewAttempt {
    /// The attempt as readers see it.
    pub(super) fn numbered(self, number: u32) -> Attempt {
        let Self {
            event,
            replay,
            imported,
            url,
            edited,
            started_at,
            duration,
            outcome,
            ..
        } = self;
        Attempt {
            event,
            number,
            replay,
            imported,
            url,
            edited,
            started_at,
            duration,
            outcome,
        }
    }
}

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// How many were new.
    pub new: usize,
    /// How many were there already.
    pub known: usize,
}

/// What the history holds, kept up to date by its writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// The newest event's place.
    pub newest: Position,
    /// Events not yet offered to the local service.
    pub pending: u64,
}

pub(crate) type Answer<T> = oneshot::Sender<Result<T, HistoryError>>;

/// What the thread may be asked for; a test of the link holds the other end and plays the history.
#[derive(Debug)]
pub(crate) enum Command {
    Append {
        events: Vec<NewEvent>,
        answer: Answer<Appended>,
    },
    Record {
        attempt: Box<NewAttempt>,
        answer: Option<Answer<Attempt>>,
    },
    /// Takes over what comes from elsewhere; answers with the events that were new.
    Import {
        past: Vec<Past>,
        answer: Answer<Vec<EventId>>,
    },
    /// Adds notes: all of them or none.
    Note {
        notes: Vec<Note>,
        answer: Option<Answer<()>>,
    },
    /// One small step of retention; answers whether there is more to do.
    Retain {
        retention: Retention,
        now: Now,
        answer: Answer<bool>,
    },
    /// Removes these events because a person wants them gone; answers how many there were.
    Delete {
        positions: Vec<Position>,
        answer: Answer<u64>,
    },
    /// Removes what was deleted from everything that is on the disk.
    Scrub { answer: Answer<()> },
    /// A reader found damage: the file is to be checked, and rebuilt where that is so.
    Suspect,
    /// Takes an event that cannot be read out of the way.
    SetAside { position: Position, reason: String },
    /// Looks whether another process wrote; answers whether one did since the last look.
    Look { answer: Answer<bool> },
    /// Ends the thread after everything before it.
    Close,
}
