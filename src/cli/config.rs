//! `podtap url`, `config` and `man`: commands that tell how things are here.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::listen::Tunnel;

#[derive(Debug, Args)]
pub(crate) struct Url {
    /// The tunnel [default: the working folder's]
    #[arg(value_name = "NAME", conflicts_with = "name")]
    pub(crate) of: Option<String>,
    #[command(flatten)]
    pub(crate) tunnel: Tunnel,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting with its value and where it comes from
    Show {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Check every setting, whichever command it is for
    Check,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The command, such as `relay token create` [default: podtap itself]
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// Write the pages of all commands into this folder instead
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) out: Option<PathBuf>,
}
