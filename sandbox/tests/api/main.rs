//! The client and the sandbox against each other, over loopback sockets.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod calls;
mod client;
mod control;
mod delivery;
mod events;
mod flows;
mod hooks;
mod support;
mod tokens;
