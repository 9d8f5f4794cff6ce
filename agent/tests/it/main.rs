//! Tests the agent as the binary and the terminal UI use it: real relays, local services and the
//! sandbox of Podio on loopback, histories in temporary folders. All are one binary, so that SQLite
//! and hyper are linked once.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what went wrong by panicking, and why it was skipped on stderr"
)]

mod browsing;
mod bursts;
mod copied_lines;
mod delivery;
mod evidence;
#[cfg(unix)]
mod exec;
mod figures;
mod history;
mod hook_health;
mod hooks;
mod import;
mod insights;
mod link;
mod managed_hooks;
mod notes;
mod odd_answers;
mod odd_relays;
mod once;
mod proxies;
mod replay;
mod routes;
mod storage;
mod support;
mod tls;
mod trigger;
mod verify;
