//! Tests the frames: their bytes, and that any frame survives encoding and decoding.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what went wrong by panicking"
)]

mod golden;
mod roundtrip;
