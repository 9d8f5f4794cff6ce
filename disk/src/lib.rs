//! Contains what relay and agent share on disk: private files, SQLite with common settings,
//! one process per folder, notifications of writes, the repair of damaged databases, and
//! ages that do not depend on the wall clock.
//!
//! This crate does not know what an event, a tunnel or a queue is.

pub mod age;
pub mod bell;
pub mod check;
pub mod clock_watch;
pub mod kept_clock;
pub mod lock;
pub mod private;
pub mod salvage;
pub mod space;
pub mod sqlite;
mod system;
mod trouble;

pub use trouble::{SqliteCause, Trouble, is_unreadable_row, words};
