//! `podtap hooks` and `login`: commands that concern Podio's API.

use clap::{Args, Subcommand};

use super::listen::Tunnel;

/// Objects that take hooks.
#[derive(Debug, Args)]
pub(crate) struct HookTargets {
    /// An app
    #[arg(long, value_name = "ID")]
    pub(crate) app: Vec<u64>,
    /// A field of an app
    #[arg(long, value_name = "ID")]
    pub(crate) field: Vec<u64>,
    /// A space
    #[arg(long, value_name = "ID")]
    pub(crate) space: Vec<u64>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HooksCommand {
    /// List them; without --app, --field or --space those of the app whose credentials are set
    List {
        #[command(flatten)]
        on: HookTargets,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        tunnel: Tunnel,
    },
    /// Make hooks that call this URL; each is inactive until it is verified
    Create {
        /// What to be called for, such as `item.update` or 'item.*,comment.create'
        event: String,
        /// What to call; Podio takes ports 80 and 443 only
        url: String,
        #[command(flatten)]
        on: HookTargets,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Have Podio send hook.verify again
    Verify {
        /// The hooks
        #[arg(required = true)]
        hook_ids: Vec<u64>,
    },
    /// Delete them
    Delete {
        /// The hooks
        #[arg(required = true)]
        hook_ids: Vec<u64>,
    },
    /// Point an app's hooks at another URL: new ones are made and verified, then the old ones deleted
    Move(MoveHooks),
    /// Point an app's hooks at this tunnel until ctrl-c, then back; `listen` must be running
    Adopt(AdoptHooks),
}

#[derive(Debug, Args)]
pub(crate) struct MoveHooks {
    /// The apps whose hooks are moved
    #[arg(value_name = "APP")]
    pub(crate) apps: Vec<u64>,
    #[command(flatten)]
    pub(crate) on: HookTargets,
    /// Where to; path and query of each hook's URL are kept below it
    #[arg(long, value_name = "URL", required_unless_present = "undo")]
    pub(crate) to: Option<String>,
    /// Give every hook exactly the URL of --to
    #[arg(long)]
    pub(crate) exact: bool,
    /// Put back what was moved, of all apps or of those named
    #[arg(long, conflicts_with_all = ["to", "exact"])]
    pub(crate) undo: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AdoptHooks {
    /// The apps whose hooks are moved
    #[arg(value_name = "APP")]
    pub(crate) apps: Vec<u64>,
    #[command(flatten)]
    pub(crate) on: HookTargets,
    /// Leave them here at the end; `hooks move --undo` puts them back
    #[arg(long)]
    pub(crate) keep_hooks: bool,
    #[command(flatten)]
    pub(crate) tunnel: Tunnel,
}

#[derive(Debug, Args)]
pub(crate) struct Login {
    /// The loopback port that Podio redirects to; it may have to be registered [default: any free]
    #[arg(long)]
    pub(crate) port: Option<u16>,
}
