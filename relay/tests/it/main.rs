//! Tests the relay from outside: with real sockets on loopback, raw HTTP, and agents that
//! send single frames.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what went wrong by panicking"
)]

mod crowd;
mod drain;
mod floods;
mod framing;
mod front;
mod gate;
mod ingest;
mod leftovers;
mod odd;
mod overload;
mod owners;
mod pass_through;
mod proxied;
mod refusals;
mod sessions;
mod support;
mod tls;
mod tunnels;
