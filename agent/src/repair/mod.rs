//! Events of items that never came, rebuilt from what Podio tells of the items: which were changed
//! lately, and which revisions each has.
//!
//! `seeker` asks Podio through `asker` as long as `purse` has calls left, `expected` decides what hooks must have
//! told and is pure, as is `compose`, which makes an event the request that Podio would have sent.
//!
//! Podio keeps revisions of items alone, so that nothing else can be found, and of a deleted item it
//! shows nothing. Nor does it say which changes were made with `hook=false`: they look like lost ones.

mod asker;
mod compose;
mod expected;
mod purse;
mod seeker;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use podtap_podio::EventType;
use podtap_wire::EventId;

use crate::history::HistoryError;
pub(crate) use seeker::Seeker;

/// What no repair finds, for people.
pub const CANNOT_BE_FOUND: &str = "events of comments, tasks, files and deletions cannot be found: \
     Podio keeps no revisions of them";

/// Why a found event may be none that was lost, for people.
pub const MAY_BE_HOOK_FALSE: &str =
    "a change that a program made with hook=false looks the same as a lost event";

/// What to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repair {
    /// Changes from this moment on.
    pub since: Timestamp,
    /// And up to this one: what is newer may still be on its way.
    pub until: Timestamp,
    /// Whether nothing is to be added to the history.
    pub dry_run: bool,
}

/// What came of it. Names of people and Podio's words are in the texts: escape them before showing
/// them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// The moment from which changes were looked for: later than asked, where the history does not
    /// go back so far.
    pub since: Timestamp,
    /// The moment up to which changes were looked for.
    pub until: Timestamp,
    /// Events that never came, in the order of their changes. Without a dry run they are in the
    /// history now.
    pub lost: Vec<LostEvent>,
    /// Items that were looked at.
    pub items: u64,
    /// Hooks of this tunnel that tell of items.
    pub hooks: usize,
    /// What was not looked at, and why; empty where everything was.
    pub unfinished: Vec<String>,
}

/// An event that never came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostEvent {
    /// The id that it has in the history.
    pub id: EventId,
    pub event: EventType,
    pub item_id: u64,
    pub revision: u64,
    pub hook_id: u64,
    /// When the change was made.
    pub made_at: Timestamp,
    /// Who made it, and through what.
    pub by: String,
    /// Whether it was made in Podio itself, where `hook=false` cannot be set: then it was lost.
    pub by_hand: bool,
}

/// Why nothing could be looked for.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// Nobody may ask.
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
