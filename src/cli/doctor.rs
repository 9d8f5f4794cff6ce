//! `podtap doctor`: what to look at, and how to tell it.

use std::path::PathBuf;

use clap::Args;

use super::listen::{Certificates, Tunnel};

#[derive(Debug, Args)]
#[command(after_help = "\
Looks at each link of the way from Podio to the local service: settings, data folder, the relay's name, \
proxy, connection, TLS, relay, clock, token, websocket, tunnel, local service, Podio's API, hooks, last \
event. The first one that fails is explained; those that depend on it are skipped. Give it the options \
of `podtap listen`, beside which it may run: it takes no tunnel and delivers nothing.

Exits with code 1 if a link is broken.")]
pub(crate) struct Doctor {
    /// Local service: 3000, :3000, host:port/path or a URL [default: that of the running `listen`]
    #[arg(short, long, value_name = "PORT|URL", alias = "target")]
    pub(crate) forward_to: Option<String>,
    #[command(flatten)]
    pub(crate) tunnel: Tunnel,
    /// URL of the relay
    #[arg(short, long, value_name = "URL", alias = "server")]
    pub(crate) relay: Option<String>,
    /// Send the token over plain http, although others on the network can read it
    #[arg(long)]
    pub(crate) allow_plaintext_relay: bool,
    /// Token for the relay; prefer PODTAP_TOKEN or --token-file, which `ps` does not show
    #[arg(long, value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Read the token from a file
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<String>,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    // No doc comment: rustdoc would ask for a link, and a terminal shows none.
    #[arg(
        long,
        value_name = "URL",
        help = "URL of Podio's API or of a sandbox [default: https://api.podio.com]"
    )]
    pub(crate) podio_url: Option<String>,
    /// Print one JSON object per link
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write a bug report without secrets to this file: version, settings, links, end of the log
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
}
