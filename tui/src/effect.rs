//! What the shell shall do: plain data, returned by `update` and carried out by the runtime and
//! the executor. Every question to the history carries a generation, so that an answer that comes
//! too late is recognised.

use std::path::PathBuf;

use jiff::Timestamp;
use podtap_agent::export::archive::{Format, Selection};
use podtap_agent::history::{EditedRequest, EventRow, Filter, PageQuery, Position};
use podtap_agent::{EventId, PlaceRef, Target, Trigger};
use podtap_podio::{EventType, ObjectRef};

use crate::detail::Look;
use crate::modal::copy::Form;

/// Counts the questions of one asker; an answer of an older one is dropped.
pub(crate) type Generation = u64;

/// Something to be done outside the pure part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Draw a frame, soon.
    Draw,
    /// Read a page of the history.
    LoadPage {
        /// Which question this is.
        generation: Generation,
        /// The page.
        query: PageQuery,
        /// How bursts are to be folded, where they are.
        folding: Option<Folding>,
    },
    /// Write a note on an event, or take it away.
    Annotate {
        /// Where the event is.
        position: Position,
        /// The event.
        id: EventId,
        /// What to write; empty to take away what is there.
        note: String,
    },
    /// Count what the tunnel brought.
    CountArrivals {
        /// After this place,
        after: Option<Position>,
        /// or, where that is not known, since this time.
        since: Timestamp,
    },
    /// Count the events that the filter lets through.
    Count {
        /// The filter.
        filter: Filter,
    },
    /// Find the places of all events that a filter wants, the newest first.
    FindAll {
        /// The filter.
        filter: Filter,
        /// So many at most.
        most: usize,
        /// What for.
        wanted: Wanted,
    },
    /// Read what is remembered of Podio's answers about these rows, and ask Podio ahead for others.
    Remember {
        /// The rows in sight of which nothing is known yet.
        rows: Vec<EventRow>,
    },
    /// Read an event with its attempts and lay it out.
    LoadEvent {
        /// Which question this is.
        generation: Generation,
        /// The event.
        id: EventId,
        /// How.
        look: Look,
    },
    /// Read an event that the detail does not hold, to do something with all of it.
    Read {
        /// The event.
        id: EventId,
        /// What then.
        then: Read,
    },
    /// Find out what values the history holds, for the filter line to offer.
    FindValues,
    /// Send an event to the local service again.
    Replay {
        /// The event.
        id: EventId,
        /// Where to, instead of the configured local service.
        target: Option<Target>,
        /// What to send, instead of the event as it came.
        edited: Option<Box<EditedRequest>>,
    },
    /// Send an event that Podio did not send to the local service.
    Trigger(Box<Trigger>),
    /// Read two events and compare their requests.
    Compare {
        /// What is compared with, and what that is called.
        one: (EventId, String),
        /// What is compared, and what that is called.
        other: (EventId, String),
    },
    /// Compare the answer to an attempt with the one to the attempt before it.
    CompareAnswers {
        /// The event.
        id: EventId,
        /// The attempt.
        number: u32,
    },
    /// Ask Podio no longer.
    StopExplaining,
    /// Import no more; what was taken over stays.
    StopImporting,
    /// Ask Podio what an event was about.
    Explain {
        /// The event.
        id: EventId,
    },
    /// Find out where an event's object has its page.
    FindLink {
        /// The event.
        id: EventId,
    },
    /// Open this page in the person's browser.
    Browse(String),
    /// See how large the history is.
    Measure,
    /// Write events into a file.
    Export {
        /// Which.
        selection: Box<Selection>,
        /// As what.
        format: Format,
        /// What the URLs of events that went nowhere name.
        target: Target,
        /// The file, which must not be there.
        file: PathBuf,
    },
    /// Take over what an archive holds.
    Import {
        /// The archive's file.
        file: PathBuf,
    },
    /// Read the hooks as Podio has them, and how each would stand.
    LoadHooks {
        /// Which question this is.
        generation: Generation,
    },
    /// Ask Podio to make, verify or delete a hook.
    ChangeHook(HookChange),
    /// Deliver this object's next events again, after a loop.
    Release {
        /// The object.
        object: ObjectRef,
    },
    /// Give the terminal to the person's editor with this file; `before` comes back with what it
    /// has become.
    Edit {
        /// The event that is edited.
        id: EventId,
        /// What is in the file.
        file: String,
        /// The file of the event as it came.
        before: String,
    },
    /// Put this into the clipboard of the person's terminal.
    Copy(Vec<u8>),
    /// Give the terminal back and stop until the shell continues this process.
    Suspend,
    /// End.
    Quit,
}

impl Effect {
    /// Whether the runtime carries it out, who has the terminal.
    pub(crate) fn is_for_the_terminal(&self) -> bool {
        matches!(
            self,
            Self::Draw | Self::Suspend | Self::Edit { .. } | Self::Copy(_) | Self::Quit
        )
    }
}

/// What an event is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// To be copied like this.
    Copy(Form),
    /// To be edited.
    Edit,
}

/// How bursts are folded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Folding {
    /// Those that are not, each by one of its events.
    pub(crate) opened: Vec<Position>,
    /// The event that stays a row of its own.
    pub(crate) kept: Option<Position>,
}

/// What shall become of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HookChange {
    /// It shall be made.
    Create {
        /// On what.
        place: PlaceRef,
        /// For which events.
        event: EventType,
        /// Where it leads.
        url: String,
    },
    /// It shall get another `hook.verify`.
    Verify {
        /// The hook.
        hook_id: u64,
    },
    /// It shall go.
    Delete {
        /// The hook.
        hook_id: u64,
    },
}

/// What all events that pass a filter are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// To be marked.
    Marks,
    /// To be replayed.
    Replay {
        /// What they are part of, in words.
        of: Option<String>,
        /// Where to, instead of the configured local service.
        target: Option<Target>,
        /// So many a second.
        rate: Option<usize>,
    },
}
