//! `podtap trigger`: an event without Podio.

use std::path::PathBuf;

use clap::Args;
use podtap_agent::Target;

use super::listen::{Certificates, Tunnel};

#[derive(Debug, Args)]
pub(crate) struct Trigger {
    /// Its type, such as item.update; not with --from, which has one
    #[arg(required_unless_present_any = ["list", "from", "body_file"])]
    pub(crate) event: Option<String>,
    /// Parameters: each is added, or takes the place of the default
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) params: Vec<String>,
    /// List the types with their parameters, and end
    #[arg(long, exclusive = true)]
    pub(crate) list: bool,
    /// Take an event of the history as the template: its id, or the beginning or end of it
    #[arg(long, value_name = "ID")]
    pub(crate) from: Option<String>,
    /// Send the bytes of this file as the body; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["event", "from"])]
    pub(crate) body_file: Option<PathBuf>,
    /// Where the local service listens
    #[arg(short, long, value_name = "PORT|URL")]
    pub(crate) to: Option<String>,
    /// Send it to this public URL of a tunnel, as Podio would
    #[arg(long, value_name = "URL", conflicts_with = "to")]
    pub(crate) through_relay: Option<Target>,
    /// The path at the receiver [default: /podio/hook, with --from that of the event]
    #[arg(long, value_parser = path)]
    pub(crate) path: Option<String>,
    /// Send it so often
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) repeat: u32,
    /// At most this many per second [default: each once the one before is answered]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// One JSON object a request
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    #[command(flatten)]
    pub(crate) tunnel: Tunnel,
}

fn path(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') {
        Ok(text.to_owned())
    } else {
        Err("a path begins with /")
    }
}

pub(super) fn rate(text: &str) -> Result<f64, &'static str> {
    text.parse()
        .ok()
        .filter(|rate| *rate > 0.0 && *rate <= 10_000.0)
        .ok_or("a rate is above 0 and at most 10000 a second")
}
