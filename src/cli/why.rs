//! `podtap why`.

use clap::Args;

use super::listen::Tunnel;

#[derive(Debug, Args)]
pub(crate) struct Why {
    /// Object, hook or event type: item:4711 (or task:9, …), hook:90211, item.update
    #[arg(value_name = "OBJECT|hook:ID|TYPE")]
    pub(crate) subject: String,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) tunnel: Tunnel,
}
