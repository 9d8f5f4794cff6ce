//! `podtap tunnels`: an owner's tunnels on a relay.

use clap::{Args, Subcommand};

use super::listen::RelayLink;

/// The relay or its storage, and the way to access it.
#[derive(Debug, Args)]
pub(crate) struct RelayAddress {
    #[command(flatten)]
    pub(crate) link: RelayLink,
    /// PostgreSQL database of the relays; prefer PODTAP_DATABASE or --database-file, which `ps` does
    /// not show
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// Read the URL of the database from a file
    #[arg(long, value_name = "FILE")]
    pub(crate) database_file: Option<String>,
    /// With --data-dir or --database, only the tunnels of this owner
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TunnelsCommand {
    /// List tunnels with their URL, queued events, last event and agent
    List {
        #[command(flatten)]
        at: RelayAddress,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Give a tunnel a new URL and print it
    #[command(
        after_help = "A running agent switches to the new URL immediately. Move the hooks \
         that call the old URL (`podtap hooks move`); --grace gives you time for that."
    )]
    Rotate {
        /// Name of the tunnel
        name: String,
        /// How long the old URL continues to work, such as 1h; at most 30d [default: not at all]
        #[arg(long, value_name = "DURATION")]
        grace: Option<String>,
        #[command(flatten)]
        at: RelayAddress,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Delete a tunnel and its queued events; its URL then answers 404
    Delete {
        /// Name of the tunnel
        name: String,
        /// Do not ask for confirmation
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        at: RelayAddress,
    },
}
