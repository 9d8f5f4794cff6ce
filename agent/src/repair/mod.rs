//! Rebuilds item events that did not arrive. It uses Podio's data: which items were changed
//! recently, and which revisions each has.
//!
//! `seeker` asks Podio through `asker` as long as `purse` has calls left.
//! `expected` decides which events hooks must have sent, and `compose`
//! builds the requests that Podio would have sent; both are pure.
//!
//! Podio keeps revisions only of items, so that no other events can be
//! found, and returns nothing about a deleted item. Nor does it show
//! which changes were made with `hook=false`: they look like lost events.

mod asker;
mod compose;
mod expected;
mod purse;
mod seeker;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use podtap_podio::EventType;
use podtap_wire::EventId;

use crate::history::HistoryError;
pub(crate) use seeker::Seeker;

/// What no repair can find, as text for people.
pub const CANNOT_BE_FOUND: &str = "events of comments, tasks, files and deletions cannot be found: \
     Podio keeps no revisions of them";

/// Why a found event may not be a lost one, as text for people.
pub const MAY_BE_HOOK_FALSE: &str =
    "a change that a program made with hook=false looks the same as a lost event";

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repair {
    /// Start of the period of changes.
    pub since: Timestamp,
    /// End of the period: newer events may still arrive.
    pub until: Timestamp,
    /// Whether to leave the history unchanged.
    pub dry_run: bool,
}

/// The result of a repair. Texts contain names of people
/// and Podio's words: escape them before showing them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairReport {
    /// Start of the searched period: later than requested if the history does not go back that far.
    pub since: Timestamp,
    /// End of the searched period.
    pub until: Timestamp,
    /// Events that did not arrive, in the order of their changes. Unless it was a dry run, they are
    /// now in the history.
    pub lost: Vec<LostEvent>,
    /// Number of items that were checked.
    pub items: u64,
    /// Number of hooks of this tunnel that report items.
    pub hooks: usize,
    /// What was not checked, and why; empty if everything was.
    pub unfinished: Vec<String>,
}

impl RepairReport {
    /// Returns, as text for people, which changes were too new to be searched.
    pub fn left_out(&self, zone: &TimeZone) -> String {
        let until = self.until.to_zoned_datetime(zone.clone());
        let until = until.strftime("%Y-%m-%d %H:%M:%S");
        format!("changes after {until} were left out, because their events may still arrive")
    }
}

/// An event that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostEvent {
    /// Its id in the history.
    pub id: EventId,
    pub event: EventType,
    pub item_id: u64,
    pub revision: u64,
    pub hook_id: u64,
    /// Time of the change.
    pub made_at: Timestamp,
    /// Who made the change, and through which client.
    pub by: String,
    /// Whether it was made in Podio itself, where
    /// `hook=false` cannot be set: then the event was lost.
    pub by_hand: bool,
}

/// Why nothing could be searched.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// There are no credentials.
    #[error(
        "Podio credentials are required to look for lost events: set them, or run `podtap login`"
    )]
    NoCredentials,
    /// No app, field or space is known.
    #[error("no app is known")]
    NoPlaces,
    /// It is not known which hooks are this tunnel's.
    #[error("the URL of this tunnel is not known")]
    NoTunnel,
    #[error(transparent)]
    History(#[from] HistoryError),
}
