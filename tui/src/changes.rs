//! Merges the changes that the agent announced since the last frame.

use podtap_agent::history::{self, HookNews, Incident, LoopFinding, Position};
use podtap_agent::{Change, EventId};

/// The agent's changes since the last frame, merged into one message per frame,
/// however many changes there were.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Changes {
    /// The position of the newest event that was added.
    pub(crate) appended: Option<Position>,
    /// Events that have changed.
    pub(crate) touched: Vec<(Position, EventId)>,
    /// Whether more events may have changed than `touched` lists.
    pub(crate) everything: bool,
    /// Whether the agent may have learned more names of Podio's objects.
    pub(crate) named: bool,
    /// Loops that were found, the latest last.
    pub(crate) loops: Vec<LoopFinding>,
    /// Incidents on the way of the events, such as gaps.
    pub(crate) incidents: Vec<Incident>,
    /// Hooks whose condition changed.
    pub(crate) hooks: Vec<HookNews>,
    /// Ids of hooks whose verification has ended.
    pub(crate) verified: Vec<u64>,
}

/// Maximum number of touched events to list. Above that, [`Changes::everything`] is set.
const MAX_TOUCHED: usize = 1024;

/// Maximum number of loops to keep per frame. Only the latest is shown.
const MAX_LOOPS: usize = 4;

/// Maximum number of incidents, and of news of hooks, per frame. The
/// history and the log have all of them.
const MAX_TOLD: usize = 8;

/// Maximum number of verified hooks to keep per frame. A person must reload to see more.
const MAX_VERIFIED: usize = 64;

impl Changes {
    /// Returns whether nothing changed.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn add(&mut self, change: Change) {
        match change {
            Change::History(change) => self.add_of_history(change),
            Change::Link(_) => {}
        }
    }

    fn add_of_history(&mut self, change: history::HistoryChange) {
        use history::HistoryChange;
        if let HistoryChange::Verified { hook_id, .. } = &change
            && self.verified.len() < MAX_VERIFIED
        {
            self.verified.extend(*hook_id);
        }
        match change {
            HistoryChange::Appended { through } => self.appended = self.appended.max(Some(through)),
            HistoryChange::Touched { position, event }
            | HistoryChange::Verified {
                position, event, ..
            } if self.touched.len() < MAX_TOUCHED => {
                if self.touched.last() != Some(&(position, event)) {
                    self.touched.push((position, event));
                }
            }
            HistoryChange::Touched { .. } | HistoryChange::Verified { .. } => {
                self.everything = true;
            }
            HistoryChange::Named | HistoryChange::Elsewhere => {
                (self.everything, self.named) = (true, true);
            }
            HistoryChange::Loop(found) => {
                self.loops.push(*found);
                let excess = self.loops.len().saturating_sub(MAX_LOOPS);
                self.loops.drain(..excess);
            }
            HistoryChange::Incident(incident) if self.incidents.len() < MAX_TOLD => {
                self.incidents.push(incident);
            }
            HistoryChange::Hook(news) if self.hooks.len() < MAX_TOLD => {
                self.hooks.push(*news);
            }
            HistoryChange::Incident(_)
            | HistoryChange::Hook(_)
            | HistoryChange::Held(_)
            | HistoryChange::Released(_) => {}
        }
    }

    /// Adds the changes of `other`.
    pub(crate) fn join(&mut self, other: &Self) {
        self.appended = self.appended.max(other.appended);
        let room = MAX_TOUCHED.saturating_sub(self.touched.len());
        self.everything |= other.everything || other.touched.len() > room;
        self.named |= other.named;
        self.touched.extend(other.touched.iter().take(room));
        self.loops.extend(other.loops.last().cloned());
        let excess = self.loops.len().saturating_sub(MAX_LOOPS);
        self.loops.drain(..excess);
        let room = MAX_TOLD.saturating_sub(self.incidents.len());
        let incidents = other.incidents.iter().take(room);
        self.incidents.extend(incidents.cloned());
        let room = MAX_TOLD.saturating_sub(self.hooks.len());
        self.hooks.extend(other.hooks.iter().take(room).cloned());
        let room = MAX_VERIFIED.saturating_sub(self.verified.len());
        self.verified.extend(other.verified.iter().take(room));
    }

    /// Records that changes were missed, so that anything may be different.
    pub(crate) fn note_lag(&mut self) {
        (self.everything, self.named) = (true, true);
    }
}
