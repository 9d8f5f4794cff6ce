//! `podtap demo` and `podtap listen`: commands that go on, and what they share.

use clap::{Args, ValueEnum};

use super::podio::HookTargets;

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// End after this many events were delivered
    #[arg(long, value_name = "N")]
    pub(crate) events: Option<u64>,
    /// Changes a second in the sandbox, on average
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    pub(crate) rate: f64,
    #[command(flatten)]
    pub(crate) display: Display,
}

#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// The local service: 3000, :3000, host:port/path or a URL
    #[arg(value_name = "PORT|URL")]
    pub(crate) target: Option<String>,
    /// The same as the positional argument
    #[arg(
        short,
        long,
        value_name = "PORT|URL",
        alias = "target",
        conflicts_with = "target"
    )]
    pub(crate) forward_to: Option<String>,
    #[command(flatten)]
    pub(crate) tunnel: Tunnel,
    /// The relay's URL; without it a relay runs inside this process
    #[arg(short, long, value_name = "URL", alias = "server")]
    pub(crate) relay: Option<String>,
    /// Send the token to a relay over plain http, which everyone on the way can read
    #[arg(long)]
    pub(crate) allow_plaintext_relay: bool,
    /// The relay's token; better in PODTAP_TOKEN or --token-file, where `ps` does not show it
    #[arg(long, value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Read the token from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<String>,
    /// Who answers the sender: `stored` (the relay, at once) or `local` (the local service)
    /// [default: stored]
    #[arg(long, value_name = "WHO")]
    pub(crate) respond: Option<String>,
    /// Attempts under way at once; events of one object always go one by one [default: 8]
    #[arg(long, value_name = "N")]
    pub(crate) concurrency: Option<String>,
    /// Time for one attempt [default: 60s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<String>,
    /// Unacknowledged events to take from the relay [default: 1024]
    #[arg(long, value_name = "N")]
    pub(crate) window: Option<String>,
    /// Pass the sender's Host header on instead of the local service's
    #[arg(long)]
    pub(crate) preserve_host: bool,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    /// Where the relay inside this process listens [default: 127.0.0.1:7638 or the next free port]
    #[arg(long, value_name = "ADDR", conflicts_with = "relay")]
    pub(crate) listen: Option<String>,
    /// Take the tunnel even from an agent that has just taken it from another
    #[arg(long)]
    pub(crate) take_over: bool,
    /// End with exit code 4 when the relay cannot be reached, instead of waiting for it
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) hooks: Hooks,
    #[command(flatten)]
    pub(crate) podio: Podio,
    #[command(flatten)]
    pub(crate) display: Display,
}

/// Hooks that live as long as the command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Hooks made at the start and removed at the end")]
pub(crate) struct Hooks {
    /// What to be called for, such as 'item.*,comment.create'; needs --app, --field or --space
    #[arg(long, value_name = "EVENTS")]
    pub(crate) on: Option<String>,
    #[command(flatten)]
    pub(crate) at: HookTargets,
    /// The path below the public URL that Podio is given [default: /podio/hook]
    #[arg(long, value_name = "PATH")]
    pub(crate) hook_path: Option<String>,
    /// Leave the hooks when the command ends
    #[arg(long)]
    pub(crate) keep_hooks: bool,
    /// Go on without hooks where Podio does not take the credentials, instead of ending with 3
    #[arg(long)]
    pub(crate) hooks_optional: bool,
}

/// What is done for Podio's hooks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Podio")]
pub(crate) struct Podio {
    /// Podio's API, or a sandbox of it [default: api.podio.com]
    #[arg(long, value_name = "URL")]
    pub(crate) podio_url: Option<String>,
    /// Leave the answer to hook.verify to the local service
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Whether hook.verify also goes to the local service [default: true]
    #[arg(long, value_name = "BOOL")]
    pub(crate) forward_verify: Option<String>,
    /// Hold the events of an object that is updated in a loop, until it is let go
    #[arg(long)]
    pub(crate) break_loops: bool,
}

/// Which certificates are taken.
#[derive(Debug, Args)]
pub(crate) struct Certificates {
    /// Trust the certificates in this PEM file, of an https service or the relay
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<String>,
    /// Take any certificate of an https service on this machine or at a private address
    #[arg(long)]
    pub(crate) insecure_local: bool,
}

/// Which history is meant.
#[derive(Debug, Args)]
pub(crate) struct Tunnel {
    /// The tunnel's name [default: the working folder's]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// How a command that goes on shows what happens.
#[derive(Debug, Args)]
pub(crate) struct Display {
    /// `tui` (on a terminal), `plain` (lines), `json` (one object a line) or `quiet`
    #[arg(long, value_name = "HOW", value_enum)]
    pub(crate) ui: Option<UiMode>,
    /// The same as --ui json
    #[arg(long, conflicts_with = "ui")]
    pub(crate) json: bool,
    /// The same as --ui plain
    #[arg(long, conflicts_with_all = ["ui", "json"])]
    pub(crate) no_tui: bool,
    /// Leave the mouse to the terminal, whose own selection then works
    #[arg(long)]
    pub(crate) no_mouse: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UiMode {
    Tui,
    Plain,
    Json,
    Quiet,
}

impl Display {
    /// The way asked for, or the one that suits where stdout goes; a dumb terminal gets lines.
    pub(crate) fn mode(&self, is_dumb: bool) -> UiMode {
        use std::io::IsTerminal as _;
        let terminals = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
        let on_a_terminal = terminals && !is_dumb;
        match self {
            Self { json: true, .. } => UiMode::Json,
            Self { no_tui: true, .. } => UiMode::Plain,
            Self { ui: Some(mode), .. } => *mode,
            _ if on_a_terminal => UiMode::Tui,
            _ => UiMode::Plain,
        }
    }

    pub(super) fn wants_ui(&self, is_dumb: bool) -> bool {
        self.mode(is_dumb) == UiMode::Tui
    }
}
