//! `podtap hooks` and `login`: commands for Podio's API.

use clap::{Args, Subcommand};

use super::hook_targets::HookTargets;
use super::listen::TunnelArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum HooksCommand {
    /// List hooks [default: those of the app whose credentials are set]
    List {
        #[command(flatten)]
        on: HookTargets,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        tunnel: TunnelArgs,
    },
    /// Create hooks that call a URL; they are inactive until they are verified
    Create {
        /// Event types, such as `item.update` or 'item.*,comment.create'
        event: String,
        /// URL to call; Podio accepts only ports 80 and 443
        url: String,
        #[command(flatten)]
        on: HookTargets,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Ask Podio to send hook.verify again
    Verify {
        /// Ids of the hooks
        #[arg(required = true)]
        hook_ids: Vec<u64>,
    },
    /// Delete hooks
    Delete {
        /// Ids of the hooks
        #[arg(required = true)]
        hook_ids: Vec<u64>,
    },
    /// Move an app's hooks to another URL: create and verify new ones, then delete the old ones
    Move(MoveHooks),
    /// Move an app's hooks to this tunnel until ctrl-c, then back; `listen` must be running
    Adopt(AdoptHooks),
}

#[derive(Debug, Args)]
pub(crate) struct MoveHooks {
    /// Ids of the apps
    #[arg(value_name = "APP")]
    pub(crate) apps: Vec<u64>,
    #[command(flatten)]
    pub(crate) on: HookTargets,
    /// New base URL; the path and query of each hook are kept
    #[arg(long, value_name = "URL", required_unless_present = "undo")]
    pub(crate) to: Option<String>,
    /// Use exactly the URL of --to for every hook
    #[arg(long)]
    pub(crate) exact: bool,
    /// Move hooks back, of the given apps or of all
    #[arg(long, conflicts_with_all = ["to", "exact"])]
    pub(crate) undo: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AdoptHooks {
    /// Ids of the apps
    #[arg(value_name = "APP")]
    pub(crate) apps: Vec<u64>,
    #[command(flatten)]
    pub(crate) on: HookTargets,
    /// Do not move them back at the end; `hooks move --undo` does
    #[arg(long)]
    pub(crate) keep_hooks: bool,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    /// Loopback port for Podio's redirect, which you may have to register [default: any free port]
    #[arg(long)]
    pub(crate) port: Option<u16>,
}
