//! Stores every event and attempt on stable storage, in one SQLite file.
//!
//! [`History`] reads, [`Writer`] writes; each has its own threads and connections, and several
//! processes may share the file. The link appends events, delivery and replay record attempts, and
//! the user interfaces read. This module does not depend on relays or local services.

mod aftercare;
mod ages;
mod answered;
mod arrivals;
mod burst;
mod calls;
mod change;
mod cjk;
mod clock_set;
mod commit;
mod connection;
mod damage;
mod error;
mod event;
mod fact;
mod failures;
mod fault;
pub mod filter;
mod finding;
mod findings;
mod fold;
mod follow;
mod found;
mod gaps;
mod handover;
mod hook_news;
mod imported;
mod inbox;
mod incident;
mod index;
mod insight;
mod job;
mod known_item;
mod later;
mod losses;
mod made_hooks;
mod mend;
mod page;
mod places;
mod position;
#[cfg(test)]
mod prepared;
mod reader;
mod reading;
mod rebuild;
mod recent;
mod repaired;
mod retention;
mod row;
mod same_key;
mod schema;
mod searchable;
mod seen_ids;
mod select;
mod sql;
mod store;
mod tally;
mod tidy;
mod timeline;
mod values;
mod watch;
mod words;
mod write;
mod writer;

pub(crate) use aftercare::{Aftercare, after_a_cut, check_beside};
pub(crate) use ages::last_run;
pub use arrivals::Arrivals;
pub(crate) use calls::{AttemptCursor, ServiceCall};
pub use change::HistoryChange;
pub use clock_set::{ClockSet, Machine};
pub(crate) use commit::WriterSide;
pub use connection::is_history;
pub use damage::Damage;
pub use error::HistoryError;
pub(crate) use error::unknown_event;
#[cfg(test)]
pub(crate) use event::tests::fresh_event;
pub use event::{
    Attempt, AttemptSummary, Burst, DeliveryState, EditedRequest, Event, EventRow, FoundEvent,
    Outcome, PASSED_THROUGH,
};
pub use fact::MAX_NOTE;
pub(crate) use fact::{Fact, whole_note};
pub use failures::{FailureGroup, Failures, MAX_FAILURES};
pub use filter::{ArrivalFilter, Filter, FilterError, Mark, SavedError, SavedFilters};
pub use finding::{LoopFinding, LoopShape, Maker};
pub use findings::{Finding, FindingPosition};
pub use fold::FoldedQuery;
pub use follow::{AttemptPosition, HistoryEnds};
pub use gaps::{HistoryGap, HistoryRow};
pub(crate) use handover::{CommittedEvents, Fresh, HandedOver, StoredEvent};
pub use hook_news::{HookCondition, HookNews};
pub use imported::{ImportedEvent, ImportedRecord};
#[cfg(test)]
pub(crate) use inbox::HistoryCommand;
pub use incident::Incident;
pub use insight::{Duplicate, HoldReason, Insight, Verification};
#[cfg(test)]
pub(crate) use job::tests::announced_by;
pub use known_item::KnownItem;
pub(crate) use losses::Loss;
pub(crate) use made_hooks::MadeHook;
pub(crate) use mend::WriteTrouble;
pub use page::{Anchor, MAX_PAGE, Page, PageQuery};
pub(crate) use page::{PendingPage, WaitingEvent};
pub(crate) use position::EventKey;
pub use position::Position;
pub use reading::History;
pub(crate) use reading::PendingReader;
pub(crate) use rebuild::if_damaged;
pub(crate) use recent::{HookSender, RecentCursor, RecentDelivery, RecentEvent};
pub(crate) use repaired::{RepairedEvent, ReportedChange, SeenHook};
pub use retention::Retention;
pub(crate) use row::decode;
pub use tally::Tally;
pub use values::Values;
#[cfg(test)]
pub(crate) use watch::EarlierEvent;
pub(crate) use watch::{Arrival, Neighbour, WatchReader, held_objects};
pub use write::{AppendCounts, NewAttempt, NewEvent};
pub use writer::{Writer, WriterThread};
