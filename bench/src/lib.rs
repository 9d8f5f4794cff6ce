//! The shared parts of the programs for benchmarks and pictures: a clock that two processes agree
//! on, a histogram, a history, a terminal.
//!
//! `bench/run.py` builds and starts the programs. Only tests of the product import this crate.

mod histogram;
pub mod history;
pub mod mark;
pub mod picture;
pub mod pty;
pub mod usage;

pub use histogram::Histogram;

/// Returns nanoseconds since 1970, by the clock that sender and sink share on one machine.
pub fn now_ns() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or_default()
}
