//! What the agent announced since the last frame, merged.

use podtap_agent::history::{self, Incident, LoopFinding, Position};
use podtap_agent::{Change, EventId};

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
    /// What befell the way of the events.
    pub(crate) incidents: Vec<Incident>,
    /// News of hooks, in words.
    pub(crate) hooks: Vec<String>,
    /// Hooks whose validation has ended.
    pub(crate) verified: Vec<u64>,
}

/// Touched events listed one by one; more make [`Changes::everything`].
const MAX_TOUCHED: usize = 1024;

/// Loops kept for one frame; only the latest is shown.
const MAX_LOOPS: usize = 4;

/// Incidents, and news of hooks, told one by one; the history and the log have the rest.
const MAX_TOLD: usize = 8;

/// Verified hooks kept for one frame; more are for a person to reload.
const MAX_VERIFIED: usize = 64;

impl Changes {
    /// Whether nothing changed.
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
                self.hooks.push(news.to_string());
            }
            HistoryChange::Incident(_)
            | HistoryChange::Hook(_)
            | HistoryChange::Held(_)
            | HistoryChange::Released(_) => {}
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
        let room = MAX_TOLD.saturating_sub(self.incidents.len());
        let incidents = other.incidents.iter().take(room);
        self.incidents.extend(incidents.cloned());
        let room = MAX_TOLD.saturating_sub(self.hooks.len());
        self.hooks.extend(other.hooks.iter().take(room).cloned());
        let room = MAX_VERIFIED.saturating_sub(self.verified.len());
        self.verified.extend(other.verified.iter().take(room));
    }

    /// Changes were missed: anything may be different.
    pub(crate) fn note_lag(&mut self) {
        (self.everything, self.named) = (true, true);
    }
}
