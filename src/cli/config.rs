//! `podtap url`, `config` and `man`: commands that describe this installation.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::listen::TunnelArgs;

#[derive(Debug, Args)]
pub(crate) struct Url {
    /// Name of the tunnel [default: name of the working folder]
    #[arg(value_name = "NAME", conflicts_with = "name")]
    pub(crate) of: Option<String>,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting, its value and its origin
    Show {
        /// Name of the tunnel, to include its `[[tunnel]]` table [default: name of the working folder]
        #[arg(short, long, value_name = "NAME")]
        name: Option<String>,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Check the settings of all commands
    Check,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Command, such as `relay token create` [default: podtap itself]
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// Write the pages of all commands to this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) out: Option<PathBuf>,
}
