//! `podtap why`.

use clap::Args;

use super::listen::TunnelArgs;

#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    // No doc comment: rustdoc would ask for a link, and a terminal shows none.
    #[arg(
        value_name = "OBJECT|hook:ID|TYPE|URL",
        help = "Object, hook, event type or URL of an item: item:4711 (or task:9, …), hook:90211, \
                item.update, https://podio.com/ORG/SPACE/apps/APP/items/12"
    )]
    pub(crate) subject: String,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
}
