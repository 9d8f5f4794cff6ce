//! Opens, migrates and locks the one SQLite file of a relay.
//!
//! The queue and the tunnel store read and write through connections that are opened here.
//! The token commands of the command line open the same file from another process (WAL).

mod ends;
mod error;
mod file;
mod lock;
pub(crate) mod postgres;
mod rebuild;
mod schema;
mod worker;

pub(crate) use ends::{ENDS, note as note_ends};
pub use error::DatabaseError;
pub(crate) use file::{Database, RESERVE};
pub(crate) use lock::DataFolderLock;
pub use postgres::{DatabaseUrl, InvalidDatabaseUrl, PostgresError};
pub(crate) use worker::Worker;
