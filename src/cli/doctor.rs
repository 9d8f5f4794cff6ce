//! `podtap doctor`: what to check, and the format of the report.

use std::path::PathBuf;

use clap::Args;

use super::listen::{Certificates, PodioUrl, RelayLink, TunnelArgs};

#[derive(Debug, Args)]
#[command(
    after_help = "Checks each link between Podio and the local service: settings, data folder, the relay's name, proxy, connection, TLS, relay, clock, token, websocket, tunnel, local service, Podio's API, hooks, last event. It explains the first one that fails, and skips those that depend on it. Use the options of `podtap listen`; both may run at once, as it takes no tunnel and delivers nothing.

Exits with code 1 if a link is broken."
)]
pub(crate) struct Doctor {
    /// Local service: 3000, :3000, host:port/path or a URL [default: that of the running `listen`]
    #[arg(short, long, value_name = "PORT|URL", alias = "target")]
    pub(crate) forward_to: Option<String>,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
    #[command(flatten)]
    pub(crate) relay: RelayLink,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    #[command(flatten)]
    pub(crate) podio: PodioUrl,
    /// Print one JSON object per link
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write a bug report without secrets to this file: version, settings, links, end of the log
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
}
