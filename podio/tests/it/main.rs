//! Podio's answers, also odd ones, and how they read.
#![expect(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

mod answers;
mod wording;
