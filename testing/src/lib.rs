//! What the tests of several parts need. Nothing that is shipped imports it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test says what went wrong by panicking"
)]

pub mod calls;
mod port;
mod server;

pub use port::own_port;
pub use server::DatabaseServer;
