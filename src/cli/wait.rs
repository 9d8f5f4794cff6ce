//! `podtap wait`: waits for events, for scripts and tests.

use clap::Args;

use super::listen::TunnelArgs;

#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// Terms as for `podtap events`, such as type:item.update item:4711 [default: any event]
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Vec<String>,
    /// Number of events to wait for
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) count: u32,
    /// Also count events that the relay accepted within this time, or since this time of day or date;
    /// 0s counts only new ones
    #[arg(long, value_name = "TIME", default_value = "5m")]
    pub(crate) since: String,
    /// Exit with code 6 after this time
    #[arg(long = "timeout", value_name = "DURATION", default_value = "60s")]
    pub(crate) within: String,
    /// Count an event only once the local service has answered it, with any status
    #[arg(long)]
    pub(crate) delivered: bool,
    /// Count only a hook.verify, once the hook is active
    #[arg(long)]
    pub(crate) verified: bool,
    /// Print one JSON object per event, with its attempts
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
}
