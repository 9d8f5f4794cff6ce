//! The terminal UI as a person and the agent see it: scripts through the real loop and a real history,
//! the UI in a real pseudo-terminal, and a rule on its sources. One binary: SQLite and hyper are linked
//! once.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test says what went wrong by panicking"
)]

mod script;
mod sources;
mod support;
#[cfg(unix)]
mod terminal;
mod trigger;
