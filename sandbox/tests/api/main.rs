//! Tests the client and the sandbox against each other, over loopback sockets.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod attached;
mod client;
mod control;
mod delivery;
mod events;
mod guard;
mod hooks;
mod items;
mod lists;
mod places;
mod proxy;
mod support;
mod tasks;
mod tokens;
