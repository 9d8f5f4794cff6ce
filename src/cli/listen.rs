//! `podtap demo`, `podtap listen` and `podtap up`: long-running commands and their shared flags.

use clap::{Args, ValueEnum};

use super::hook_targets::HookTargets;

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Exit after this many deliveries
    #[arg(long, value_name = "N")]
    pub(crate) events: Option<u64>,
    /// Average number of changes per second; nearly every change makes an event
    #[arg(long, value_name = "N", default_value_t = 2.0)]
    pub(crate) rate: f64,
    #[command(flatten)]
    pub(crate) display: Display,
}

#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// Local service: 3000, :3000, host:port/path or a URL; without one, events are only recorded
    #[arg(value_name = "PORT|URL")]
    pub(crate) target: Option<String>,
    /// Same as the positional argument
    #[arg(
        short,
        long,
        value_name = "PORT|URL",
        alias = "target",
        conflicts_with = "target"
    )]
    pub(crate) forward_to: Option<String>,
    /// Run a command for each event instead of calling a service: the body is its stdin, and exit
    /// status 0 counts as 200, any other as 500
    #[arg(long, value_name = "CMD", conflicts_with_all = ["target", "forward_to"])]
    pub(crate) exec: Option<String>,
    /// Send events that match a filter to another service, such as 'type:task.*=3001'; repeatable,
    /// the first match wins, and `+` in front also leaves the event to the next ones
    #[arg(long, value_name = "FILTER=TARGET")]
    pub(crate) route: Vec<String>,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
    /// URL of the relay [default: a relay inside this process]
    #[arg(short, long, value_name = "URL", alias = "server")]
    pub(crate) relay: Option<String>,
    #[command(flatten)]
    pub(crate) token: RelayToken,
    /// Who answers the sender: `stored` (the relay, immediately) or `local` (the local service)
    /// [default: stored]
    #[arg(long, value_name = "WHO")]
    pub(crate) respond: Option<String>,
    /// Maximum concurrent deliveries; events of the same object are sent one by one [default: 8]
    #[arg(long, value_name = "N")]
    pub(crate) concurrency: Option<String>,
    /// Maximum time for one attempt [default: 60s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<String>,
    /// Maximum number of unacknowledged events [default: 1024]
    #[arg(long, value_name = "N")]
    pub(crate) window: Option<String>,
    /// Send the sender's Host header instead of the local service's
    #[arg(long)]
    pub(crate) preserve_host: bool,
    /// Send this Host header to the local service, such as the name of a virtual host
    #[arg(long, value_name = "HOST", conflicts_with = "preserve_host")]
    pub(crate) host_header: Option<String>,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    /// Address of the relay inside this process [default: 127.0.0.1:7638, or the next free port]
    #[arg(long, value_name = "ADDR", conflicts_with = "relay")]
    pub(crate) listen: Option<String>,
    /// Public URL of what stands before the relay inside this process, such as a quick tunnel
    /// [default: http:// and the listening address]
    #[arg(long, value_name = "URL", conflicts_with = "relay")]
    pub(crate) public_url: Option<String>,
    /// Take the tunnel even if another agent has just taken it
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Exit with code 4 if the relay cannot be reached, instead of waiting for it
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) hooks: HooksArgs,
    #[command(flatten)]
    pub(crate) podio: Podio,
    #[command(flatten)]
    pub(crate) web: Web,
    #[command(flatten)]
    pub(crate) display: Display,
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Take the tunnels even if other agents have just taken them
    #[arg(long)]
    pub(crate) take_over: bool,
    #[command(flatten)]
    pub(crate) hooks: HooksArgs,
    #[command(flatten)]
    pub(crate) web: Web,
    #[command(flatten)]
    pub(crate) display: Display,
}

/// Hooks that exist as long as the command runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Hooks (created at the start, removed at the end)")]
pub(crate) struct HooksArgs {
    /// Event types, such as 'item.*,comment.create', on the app whose credentials are set unless
    /// --app, --field or --space names others
    #[arg(long, value_name = "EVENTS")]
    pub(crate) on: Option<String>,
    #[command(flatten)]
    pub(crate) at: HookTargets,
    /// Path below the public URL that Podio calls [default: /podio/hook]
    #[arg(long, value_name = "PATH")]
    pub(crate) hook_path: Option<String>,
    /// Keep the hooks when the command ends
    #[arg(long)]
    pub(crate) keep_hooks: bool,
    /// Continue without hooks if Podio rejects the credentials, instead of exiting with code 3
    #[arg(long)]
    pub(crate) hooks_optional: bool,
}

/// Options for Podio's hooks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Podio")]
pub(crate) struct Podio {
    #[command(flatten)]
    pub(crate) api: PodioUrl,
    /// Do not answer hook.verify; the local service does
    #[arg(long)]
    pub(crate) no_verify: bool,
    /// Also deliver hook.verify to the local service [default: true]
    #[arg(long, value_name = "BOOL")]
    pub(crate) forward_verify: Option<String>,
    /// Hold the events of an object that is updated in a loop until you release it
    #[arg(long)]
    pub(crate) break_loops: bool,
}

/// The API that is called.
#[derive(Debug, Args)]
pub(crate) struct PodioUrl {
    // No doc comment: rustdoc would ask for a link, and a terminal shows none.
    #[arg(
        long,
        value_name = "URL",
        help = "URL of Podio's API or of a sandbox [default: https://api.podio.com]"
    )]
    pub(crate) podio_url: Option<String>,
}

/// The token for a relay, and whether it may be sent unencrypted.
#[derive(Debug, Args)]
pub(crate) struct RelayToken {
    /// Send the token over plain http, although others on the network can read it
    #[arg(long)]
    pub(crate) allow_plaintext_relay: bool,
    /// Token for the relay; prefer PODTAP_TOKEN or --token-file, which `ps` does not show
    #[arg(long, value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Read the token from a file
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<String>,
}

/// The relay, and the token for it.
#[derive(Debug, Args)]
pub(crate) struct RelayLink {
    /// URL of the relay
    #[arg(short, long, value_name = "URL", alias = "server")]
    pub(crate) relay: Option<String>,
    #[command(flatten)]
    pub(crate) token: RelayToken,
}

/// Default address of the web page; if its port is taken, another one is used.
pub(crate) const WEB_ADDRESS: &str = "127.0.0.1:7640";

/// The web page.
#[derive(Debug, Args)]
#[command(next_help_heading = "Web page")]
pub(crate) struct Web {
    /// Serve a web page of what arrives, at an address of this machine [default: 127.0.0.1:7640, or
    /// the next free port]
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = WEB_ADDRESS)]
    pub(crate) web: Option<String>,
    /// Read the page's password from a file; required if other machines can reach the page
    #[arg(long, value_name = "FILE")]
    pub(crate) web_password_file: Option<String>,
}

/// The certificates that are trusted.
#[derive(Debug, Args)]
pub(crate) struct Certificates {
    /// Trust the certificates in this PEM file, for the local service and the relay
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<String>,
    /// Accept any certificate from a local service on this machine
    #[arg(long)]
    pub(crate) insecure_local: bool,
}

/// The tunnel whose history is used.
#[derive(Debug, Args)]
pub(crate) struct TunnelArgs {
    /// Name of the tunnel [default: name of the working folder]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// How a long-running command shows events.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct Display {
    /// How to show events [default: tui on a terminal, else plain]
    #[arg(long, value_name = "HOW", value_enum)]
    pub(crate) ui: Option<UiMode>,
    /// Same as --ui json
    #[arg(long, conflicts_with = "ui")]
    pub(crate) json: bool,
    /// Same as --ui plain
    #[arg(long, conflicts_with_all = ["ui", "json"])]
    pub(crate) no_tui: bool,
    /// Terminal alert for a failed delivery: off, bell or desktop (a notification) [default: off]
    #[arg(long, value_name = "HOW")]
    pub(crate) notify: Option<String>,
    /// Do not capture the mouse, so that the terminal's own selection works
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
    /// Returns the requested mode, or the one that suits stdout; a dumb terminal gets lines.
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
