//! What can happen to the UI: plain data, from the terminal, the agent, the clock, and from
//! effects that were carried out.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;
use podtap_agent::history::{self, Arrivals, Attempt, Event, Filter, LoopFinding, Page, Position};
use podtap_agent::import::Report;
use podtap_agent::{
    Change, EventId, Explanation, HookListing, HookStanding, Remembered, Status, Triggered,
};
use podtap_podio::ObjectRef;
use ratatui::layout::Size;

use crate::detail::Opened;
use crate::effect::{Generation, HookChange, Read, Wanted};
use crate::line::Line;
use crate::search::Seen;

/// Something that happened.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// A key went down.
    Key(KeyEvent),
    /// The mouse moved, clicked or scrolled.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The screen has this size now.
    Resize(Size),
    /// It is this late.
    Tick(Timestamp),
    /// The agent's status is this.
    Status(Box<Status>),
    /// The history is not what it was.
    Changed(Changes),
    /// An effect was carried out.
    Answer(Answer),
}

/// What came of an effect. Errors are words for a person: nothing here can act on more.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// To [`crate::effect::Effect::LoadPage`].
    Page {
        /// The question's.
        generation: Generation,
        /// The rows, newest first, and how far they were looked for.
        result: Result<Page, String>,
    },
    /// To [`crate::effect::Effect::Annotate`].
    Annotated {
        /// Whether it could be.
        result: Result<(), String>,
    },
    /// To [`crate::effect::Effect::CountArrivals`].
    Arrivals {
        /// What arrived.
        result: Result<Arrivals, String>,
    },
    /// To [`crate::effect::Effect::Count`].
    Count {
        /// Which events were counted.
        filter: Filter,
        /// How long it took.
        took: Duration,
        /// How many.
        result: Result<u64, String>,
    },
    /// To [`crate::effect::Effect::FindAll`].
    FoundAll {
        /// What for.
        wanted: Wanted,
        /// Where they are, newest first.
        result: Result<Vec<(Position, EventId)>, String>,
    },
    /// To [`crate::effect::Effect::Remember`].
    Remembered {
        /// What is known of those of which anything is.
        result: Result<HashMap<EventId, Remembered>, String>,
    },
    /// To [`crate::effect::Effect::LoadEvent`].
    Event {
        /// The question's.
        generation: Generation,
        /// The event laid out; `None` where retention has removed it.
        result: Result<Option<Box<Opened>>, String>,
    },
    /// To [`crate::effect::Effect::Replay`].
    Replayed {
        /// The event.
        id: EventId,
        /// The attempt.
        result: Result<Box<Attempt>, String>,
    },
    /// To [`crate::effect::Effect::Trigger`].
    Triggered {
        /// The event and its attempt.
        result: Result<Box<Triggered>, String>,
    },
    /// To [`crate::effect::Effect::Compare`] and [`crate::effect::Effect::CompareAnswers`].
    Compared {
        /// What was compared.
        id: EventId,
        /// The lines that differ.
        result: Result<Vec<Line>, String>,
    },
    /// To [`crate::effect::Effect::Explain`].
    Explained {
        /// The event.
        id: EventId,
        /// What Podio knows.
        result: Result<Box<Explanation>, String>,
    },
    /// To [`crate::effect::Effect::FindLink`].
    Link {
        /// The page.
        result: Result<String, String>,
    },
    /// To [`crate::effect::Effect::Browse`].
    Browsed {
        /// Whether it could be.
        result: Result<(), String>,
    },
    /// To [`crate::effect::Effect::Measure`].
    Measured {
        /// Bytes on the disk, where they can be read.
        bytes: Option<u64>,
        /// Events of the history, where they can be counted.
        events: Option<u64>,
    },
    /// To [`crate::effect::Effect::Export`].
    Exported {
        /// How many events the file holds.
        result: Result<(u64, PathBuf), String>,
    },
    /// To [`crate::effect::Effect::Import`].
    Imported {
        /// What was new.
        result: Result<Report, String>,
    },
    /// To [`crate::effect::Effect::LoadHooks`].
    Hooks {
        /// The question's.
        generation: Generation,
        /// The hooks as Podio has them.
        listing: Result<Box<HookListing>, String>,
        /// Every hook of the last week.
        standings: Result<Vec<HookStanding>, String>,
    },
    /// To [`crate::effect::Effect::ChangeHook`].
    HookChanged {
        /// The change.
        change: HookChange,
        /// The hook.
        result: Result<u64, String>,
    },
    /// To [`crate::effect::Effect::Release`].
    Released {
        /// The object.
        object: ObjectRef,
        /// Whether it was held.
        result: Result<bool, String>,
    },
    /// To [`crate::effect::Effect::Read`].
    Read {
        /// What for.
        then: Read,
        /// The event.
        result: Result<Box<Event>, String>,
    },
    /// To [`crate::effect::Effect::FindValues`].
    Values(Seen),
    /// To [`crate::effect::Effect::Edit`].
    Edited {
        /// The event.
        id: EventId,
        /// The file of the event as it came.
        before: String,
        /// What is in the file now.
        result: Result<String, String>,
    },
}

/// The agent's changes since the last message, merged: however many there were, one of these
/// arrives for each frame.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Changes {
    /// Events were added up to here.
    pub(crate) appended: Option<Position>,
    /// Events that are not what they were.
    pub(crate) touched: Vec<(Position, EventId)>,
    /// More changed than is listed.
    pub(crate) everything: bool,
    /// More may be known of what events are about.
    pub(crate) named: bool,
    /// Loops that were found, the latest last.
    pub(crate) loops: Vec<LoopFinding>,
    /// Events that the relay removed before any agent took them and webhooks that it refused, in
    /// words.
    pub(crate) gaps: Vec<String>,
    /// Hooks whose validation has ended.
    pub(crate) verified: Vec<u64>,
}

/// Touched events listed one by one; more make [`Changes::everything`].
const MAX_TOUCHED: usize = 1024;

/// Loops kept for one frame; only the latest is shown.
const MAX_LOOPS: usize = 4;

/// Gaps told one by one; the log has the rest.
const MAX_GAPS: usize = 8;

/// Verified hooks kept for one frame; more are for a person to reload.
const MAX_VERIFIED: usize = 64;

impl Changes {
    /// Whether nothing changed.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds a change.
    pub(crate) fn add(&mut self, change: Change) {
        match change {
            Change::History(change) => self.add_of_history(change),
            Change::Link(_) => {}
        }
    }

    fn add_of_history(&mut self, change: history::Change) {
        use history::Change;
        if let Change::Verified { hook_id, .. } = &change
            && self.verified.len() < MAX_VERIFIED
        {
            self.verified.extend(*hook_id);
        }
        match change {
            Change::Appended { through } => self.appended = self.appended.max(Some(through)),
            Change::Touched { position, event }
            | Change::Verified {
                position, event, ..
            } if self.touched.len() < MAX_TOUCHED => {
                if self.touched.last() != Some(&(position, event)) {
                    self.touched.push((position, event));
                }
            }
            Change::Touched { .. } | Change::Verified { .. } => self.everything = true,
            Change::Named | Change::Elsewhere => (self.everything, self.named) = (true, true),
            Change::Loop(found) => {
                self.loops.push(*found);
                let excess = self.loops.len().saturating_sub(MAX_LOOPS);
                self.loops.drain(..excess);
            }
            Change::Gap { from, to, reason } if self.gaps.len() < MAX_GAPS => {
                self.gaps
                    .push(format!("events {from} to {to} are lost: {reason}"));
            }
            Change::Refused { count, reason, .. } if self.gaps.len() < MAX_GAPS => {
                let webhooks = if count == 1 { "webhook" } else { "webhooks" };
                let refused = format!("{count} {webhooks} refused by the relay: {reason}");
                self.gaps.push(refused);
            }
            Change::ClockSet(set) if self.gaps.len() < MAX_GAPS => self.gaps.push(set.to_string()),
            Change::Gap { .. }
            | Change::Refused { .. }
            | Change::ClockSet(_)
            | Change::Held(_)
            | Change::Released(_) => {}
        }
    }

    /// Adds what another one holds.
    pub(crate) fn join(&mut self, other: &Self) {
        self.appended = self.appended.max(other.appended);
        let room = MAX_TOUCHED.saturating_sub(self.touched.len());
        self.everything |= other.everything || other.touched.len() > room;
        self.named |= other.named;
        self.touched.extend(other.touched.iter().take(room));
        self.loops.extend(other.loops.last().cloned());
        let excess = self.loops.len().saturating_sub(MAX_LOOPS);
        self.loops.drain(..excess);
        let room = MAX_GAPS.saturating_sub(self.gaps.len());
        self.gaps.extend(other.gaps.iter().take(room).cloned());
        let room = MAX_VERIFIED.saturating_sub(self.verified.len());
        self.verified.extend(other.verified.iter().take(room));
    }

    /// Changes were missed: anything may be different.
    pub(crate) fn lagged(&mut self) {
        (self.everything, self.named) = (true, true);
    }
}
