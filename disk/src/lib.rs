//! What relay and agent have in common on disk: files that only their owner can read, SQLite opened
//! the same way on both sides, one process per folder, which hears when others write, damage found
//! and cut out, ages that no wall clock decides.
//!
//! Nothing here knows what an event, a tunnel or a queue is.

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
