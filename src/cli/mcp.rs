//! `podtap mcp`.

use clap::Args;

use super::listen::{Certificates, TunnelArgs};

#[derive(Debug, Args)]
pub(crate) struct McpArgs {
    /// Also offer replay_event and trigger_event, which send to services on this machine
    #[arg(long)]
    pub(crate) allow_write: bool,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
}
