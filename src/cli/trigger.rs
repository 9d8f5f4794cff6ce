//! `podtap trigger`: sends an event without Podio.

use std::path::PathBuf;

use clap::Args;
use podtap_agent::Target;

use super::listen::{Certificates, TunnelArgs};

#[derive(Debug, Args)]
pub(crate) struct TriggerArgs {
    /// Event type, such as item.update; not with --from
    #[arg(required_unless_present_any = ["list", "from", "body_file"])]
    pub(crate) event: Option<String>,
    /// Parameters to add or replace
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) params: Vec<String>,
    /// List the event types and their parameters, and exit
    #[arg(long, exclusive = true)]
    pub(crate) list: bool,
    /// Use an event of the history as the template: its id, or its beginning or end
    #[arg(long, value_name = "ID")]
    pub(crate) from: Option<String>,
    /// Send this file as the body; `-` reads from stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["event", "from"])]
    pub(crate) body_file: Option<PathBuf>,
    /// Local service to send it to [default: that of the running agent]
    #[arg(short, long, value_name = "PORT|URL")]
    pub(crate) to: Option<String>,
    /// Send it to the public URL of a tunnel, as Podio would
    #[arg(long, value_name = "URL", conflicts_with = "to")]
    pub(crate) through_relay: Option<Target>,
    /// Path of the request [default: /podio/hook; with --from, the event's]
    #[arg(long, value_parser = path)]
    pub(crate) path: Option<String>,
    /// Number of times to send it
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) repeat: u32,
    /// Maximum requests per second [default: send the next one after the answer]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Print one JSON object per request
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
}

fn path(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') {
        Ok(text.to_owned())
    } else {
        Err("it must begin with /")
    }
}

pub(super) fn rate(text: &str) -> Result<f64, &'static str> {
    text.parse()
        .ok()
        .filter(|rate| *rate > 0.0 && *rate <= 10_000.0)
        .ok_or("it must be above 0 and at most 10000 per second")
}
