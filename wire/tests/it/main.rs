//! The frames on the wire: what they are made of, and that any of them comes through.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what went wrong by panicking"
)]

mod golden;
mod roundtrip;
