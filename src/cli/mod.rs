//! The command line as typed: clap types, nothing decided here.
//!
//! What is also a setting (a flag, a `PODTAP_*` variable, a key of the configuration file) is kept
//! as text; `config` parses it once, whichever way it came, and names the origin in its errors.

#![expect(
    clippy::doc_markdown,
    reason = "the comments are help, shown as they are"
)]
#![expect(
    clippy::struct_field_names,
    reason = "fields are named after their flags"
)]
#![expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]

mod config;
mod history;
mod listen;
mod podio;
mod relay;
mod sandbox;
mod terms;
mod trigger;
mod tunnels;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(crate) use config::{ConfigCommand, Man, Url};
pub(crate) use history::{DeleteEvents, Events, EventsCommand, Explain, Import, Replay, Show, Ui};
pub(crate) use listen::{Certificates, Demo, Hooks, Listen, Tunnel, UiMode};
pub(crate) use podio::{AdoptHooks, HookTargets, HooksCommand, Login, MoveHooks};
pub(crate) use relay::{OwnerLimits, Relay, RelayCommand, RelayServe, TokenCommand};
pub(crate) use sandbox::{Deed, RuleName, Sandbox, SandboxCommand, SandboxServe, Switch};
pub(crate) use terms::sorted;
pub(crate) use trigger::Trigger;
pub(crate) use tunnels::{At, TunnelsCommand};

/// A development tunnel and inspector for Podio webhooks.
#[derive(Debug, Parser)]
#[command(
    name = "podtap",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(after_help = "\
Exit codes: 0 done · 1 failed · 2 usage · 3 token refused · 4 relay unreachable · \
5 local service failed · 6 nothing matched or timed out · 7 another agent has the tunnel · 129/130/143 ended by a signal")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Read this configuration file instead of $XDG_CONFIG_HOME/podtap/config.toml
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Keep history and queue here [default: $XDG_DATA_HOME/podtap]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
    /// Colour: auto, always or never; NO_COLOR is honoured too [default: auto]
    #[arg(long, global = true, value_name = "WHEN")]
    pub(crate) color: Option<String>,
    /// Log more to stderr (-v, -vv)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See all of it live on this machine: Podio events, relay, sample service, agent and UI
    Demo(Demo),
    /// Give a local service a public URL, and show every webhook that arrives
    #[command(after_help = "\
Without --relay a relay runs inside this process on loopback: enough to try everything except \
being called by Podio itself.")]
    Listen(Listen),
    /// Browse and replay the history in the terminal UI
    Ui(Ui),
    /// List the newest events of the history, the oldest of them first
    Events(Events),
    /// Add events of an archive to the history, without delivering them
    #[command(after_help = "\
Reads what `podtap events --json`, `events --har` and `listen --json` print, and HTTP archives of \
browsers and proxies; the content tells which, not the name. An event that is in the history \
already stays as it is. What is imported is never delivered, validated or held by itself; \
`podtap replay` sends it. It goes when there are more events than the setting keep-events, however new it is.")]
    Import(Import),
    /// Show one event with its attempts
    Show(Show),
    /// Print the public URL of a tunnel
    Url(Url),
    /// Ask Podio what an event was about, and what changed
    Explain(Explain),
    /// Send events of the history to the local service again
    Replay(Replay),
    /// Send an event of any type to the local service, without Podio
    Trigger(Trigger),
    /// The hooks of apps, fields and spaces, as Podio has them
    #[command(subcommand)]
    Hooks(HooksCommand),
    /// Let podtap use Podio's API as you, in the browser
    Login(Login),
    /// Run a local stand-in for Podio's API that fires real webhooks
    #[command(args_conflicts_with_subcommands = true)]
    Sandbox(Box<Sandbox>),
    /// Run the public server that Podio calls
    #[command(args_conflicts_with_subcommands = true)]
    Relay(Box<Relay>),
    /// The tunnels that a relay has for you: list them, give one a new URL, delete one
    #[command(
        subcommand,
        after_help = "\
With --relay and a token these are your own tunnels. On the relay's machine --data-dir names its \
data folder, and the tunnels of all owners are meant; that works beside a running relay."
    )]
    Tunnels(TunnelsCommand),
    /// Show the settings and where they come from
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the completion script of a shell, which also completes tunnels, types and ids
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print a manual page
    Man(Man),
}

impl Command {
    /// Whether the terminal UI may own the terminal, so that logs must go elsewhere.
    pub(crate) fn takes_the_screen(&self, is_dumb: bool) -> bool {
        match self {
            Self::Demo(demo) => demo.display.wants_ui(is_dumb),
            Self::Listen(listen) => listen.display.wants_ui(is_dumb),
            Self::Ui(ui) => !ui.print_keys,
            _ => false,
        }
    }
}
