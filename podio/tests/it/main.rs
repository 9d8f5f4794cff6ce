//! Parses Podio's responses, including odd ones, and formats their values.
#![expect(
    clippy::unwrap_used,
    reason = "a test says what went wrong by panicking"
)]

mod answers;
mod wording;
