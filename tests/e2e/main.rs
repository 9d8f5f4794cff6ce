//! End-to-end tests: the built binary as separate
//! processes, with real sockets and a real local service.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by panicking"
)]

mod acme;
mod alarm;
mod bad_input;
mod beside;
mod browser;
mod bytes;
mod capture;
mod cli;
mod commands;
mod completions;
mod config;
mod crowd;
mod demo;
mod doctor;
#[cfg(unix)]
mod exec;
mod gap;
mod handlers;
mod hang_up;
mod health;
mod history;
mod hold;
mod hooks;
mod hooks_pane;
mod hostile;
mod idle;
mod import;
mod judges;
mod link_states;
mod loops;
mod lossless;
mod mcp;
mod memory;
mod monitoring;
mod names;
mod odd_files;
mod on_disk;
mod order;
mod page_by_page;
mod pass_through;
mod podio_js;
mod podio_python;
mod prometheus;
mod proxy_protocol;
mod public_url;
mod questions;
mod readme;
mod relays;
mod repair;
mod restart;
mod routes;
mod sandbox;
mod sandbox_round_trip;
mod secrets;
mod set_target;
mod shutdown;
mod stalled;
mod story;
mod support;
mod terminal;
mod tls;
mod trigger;
mod trigger_form;
mod tunnels;
mod up;
mod wait;
mod web;
mod why;
mod workflows;
