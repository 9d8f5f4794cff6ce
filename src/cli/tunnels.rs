//! `podtap tunnels`: an owner's tunnels on a relay.

use clap::{Args, Subcommand};

/// Which relay, and by what right.
#[derive(Debug, Args)]
pub(crate) struct At {
    /// The relay's URL; with a token its owner's tunnels are meant
    #[arg(short, long, value_name = "URL", alias = "server")]
    pub(crate) relay: Option<String>,
    /// The relay's token; better in PODTAP_TOKEN or --token-file, where `ps` does not show it
    #[arg(long, value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Read the token from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<String>,
    /// Send the token to a relay that has no https, where others may read it on the way
    #[arg(long)]
    pub(crate) allow_plaintext_relay: bool,
    /// With --data-dir: the owner whose tunnels are meant
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TunnelsCommand {
    /// List them: URL, what waits, the last event, and which agent is connected
    List {
        #[command(flatten)]
        at: At,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Give a tunnel a new URL and print it
    #[command(after_help = "\
A running agent goes on with the new URL at once. Hooks that call the old one have to be made again; \
--grace is the time for that.")]
    Rotate {
        /// The tunnel's name
        name: String,
        /// How long the old URL still works, such as 1h; at most 30d [default: not at all]
        #[arg(long, value_name = "DURATION")]
        grace: Option<String>,
        #[command(flatten)]
        at: At,
        /// Print it as a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Delete a tunnel with what waits in it; its URL answers 404 from then on
    Delete {
        /// The tunnel's name
        name: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        at: At,
    },
}

impl TunnelsCommand {
    /// Which relay is meant.
    pub(crate) fn at(&self) -> &At {
        match self {
            Self::List { at, .. } | Self::Rotate { at, .. } | Self::Delete { at, .. } => at,
        }
    }
}
