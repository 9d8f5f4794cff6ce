//! `podtap repair`.

use clap::Args;

use super::listen::{Certificates, TunnelArgs};

#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    /// Look at changes made within this time, or since this time of day or date
    #[arg(long, value_name = "TIME", default_value = "24h")]
    pub(crate) since: String,
    /// Leave out changes made within this time, or since this time of day or date, because their
    /// events may still arrive; 0s leaves out none
    #[arg(long, value_name = "TIME", default_value = "1m")]
    pub(crate) until: String,
    /// Print what never came, and add nothing to the history
    #[arg(long, conflicts_with = "deliver")]
    pub(crate) dry_run: bool,
    /// Send repaired events to the local service, also those of earlier repairs that were never sent
    #[arg(long)]
    pub(crate) deliver: bool,
    /// Send them here instead of to where the running agent delivers
    #[arg(long, value_name = "PORT|URL", requires = "deliver")]
    pub(crate) to: Option<String>,
    /// Print a JSON object, and one per attempt
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
}
