//! Tests the terminal UI from outside: scripts through the real loop and a real history,
//! the UI in a real pseudo-terminal, and a rule about its sources. One binary, so that
//! SQLite and hyper are linked only once.

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
