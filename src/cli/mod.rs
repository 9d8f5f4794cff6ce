//! The command line as typed: clap types, without any decisions.
//!
//! A value that is also a setting (a flag, a `PODTAP_*` variable, a
//! key of the configuration file) stays text here. `config` parses
//! it once, from any of these sources, and names the source in its errors.

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
mod doctor;
mod history;
mod hook_targets;
mod listen;
mod mcp;
mod podio;
mod relay;
mod repair;
mod sandbox;
mod terms;
mod trigger;
mod tunnels;
mod wait;
mod why;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub(crate) use config::{ConfigCommand, Man, Url};
pub(crate) use doctor::Doctor;
pub(crate) use history::{
    DeleteEvents, Events, EventsCommand, ExplainArgs, ImportArgs, ReplayArgs, Show, Ui,
};
pub(crate) use hook_targets::HookTargets;
pub(crate) use listen::{Demo, HooksArgs, Listen, UiMode, Up, WEB_ADDRESS};
pub(crate) use mcp::McpArgs;
pub(crate) use podio::{AdoptHooks, HooksCommand, LoginArgs, MoveHooks};
pub(crate) use relay::{RelayArgs, RelayCommand, RelayServe, TokenCommand};
pub(crate) use repair::RepairArgs;
pub(crate) use sandbox::{
    RuleName, SandboxAction, SandboxArgs, SandboxServe, SandboxSubcommand, Switch,
};
pub(crate) use terms::separate_terms;
pub(crate) use trigger::TriggerArgs;
pub(crate) use tunnels::{RelayAddress, TunnelsCommand};
pub(crate) use wait::Wait;
pub(crate) use why::WhyArgs;

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

/// A parsed command line, with the source of each value.
#[derive(Debug)]
pub(crate) struct CommandLine {
    pub(crate) cli: Cli,
    /// The definition of all commands and flags.
    pub(crate) command: clap::Command,
    pub(crate) matches: ArgMatches,
}

impl CommandLine {
    /// Parses the command line.
    ///
    /// # Errors
    /// Clap's answer if no command runs: help, the version, or an error.
    pub(crate) fn parse(words: &[OsString]) -> Result<Self, clap::Error> {
        let mut command = Cli::command();
        let matches = command.try_get_matches_from_mut(words)?;
        let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        Ok(Self {
            cli,
            command,
            matches,
        })
    }
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Read this configuration file instead of $XDG_CONFIG_HOME/podtap/config.toml
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Keep the history and the queue in this folder [default: $XDG_DATA_HOME/podtap]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
    /// When to use colour: auto, always or never; NO_COLOR works too [default: auto]
    #[arg(long, global = true, value_name = "WHEN")]
    pub(crate) color: Option<String>,
    /// Format of the log: text or json [default: text]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// Log more to stderr; use -vv for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything on this machine: sandbox, relay, sample service, agent and UI
    Demo(Demo),
    /// Give a local service a public URL and show every webhook that arrives
    #[command(after_help = "\
Without --relay, a relay runs inside this process, on loopback. Podio can call it only through \
something that has a public URL, such as `cloudflared tunnel --url`; name that URL with --public-url.

Without a local service, events are recorded and held. `podtap replay` delivers them later.")]
    Listen(Box<Listen>),
    /// Run all tunnels of the configuration file in one process
    #[command(after_help = "\
Each [[tunnel]] table of the configuration file is a tunnel: a name, and any settings of `podtap \
listen`. They have a URL and a history of their own. One that ends does not end the others. --on creates \
hooks for each, on its own app unless --app names one. --web serves one page for all.

In the UI, ctrl-r switches to another tunnel. Lines begin with the tunnel's name, and JSON objects have \
the field `tunnel`.")]
    Up(Box<Up>),
    /// Browse the history and replay events in the terminal UI
    Ui(Ui),
    /// List the newest events of the history, in the order in which they arrived
    Events(Events),
    /// Add the events of an archive to the history without delivering them
    #[command(
        after_help = "Reads the output of `podtap events --json`, `events --har` and `listen \
         --json`, and HTTP archives of browsers and proxies. The format is detected from the \
         content, not from the file's name. An event that is already in the history is not \
         changed. Imported events are never delivered, validated or held; use `podtap replay` to \
         send them. Of the retention settings, only keep-events applies to them."
    )]
    Import(ImportArgs),
    /// Show an event and its attempts
    Show(Show),
    /// Wait until events that match have arrived, for scripts and tests
    #[command(after_help = "\
Looks at events that are already in the history first, then at those that arrive. It does not matter \
which comes first: the event, this command, or the agent.")]
    Wait(Wait),
    /// Find out why an event arrived, or why it did not
    #[command(after_help = "\
Asks Podio for the change and its hooks, the history for what arrived, and the running agent for \
the rest. The answer is printed first, then each link on the way from Podio to the local service.

Costs up to two API calls, and one per known app or space. The URL of an item has only its number in \
the app: looking it up costs one more call per known app, and one for the item.")]
    Why(WhyArgs),
    /// Find events of items that never arrived, and rebuild them from Podio's revisions
    #[command(after_help = "\
Asks Podio which items were changed and compares their revisions with the history. An event that never \
arrived is added to it with the mark `repaired`. It is not delivered unless you use --deliver.

Events of comments, tasks, files and deletions cannot be found. A change that a program made with \
hook=false looks the same as a lost event. Events that you deleted count as lost.

Costs one API call per app and per changed item, and stops when a fifth of the hour's calls is left. \
Another `podtap repair` adds nothing twice.")]
    Repair(RepairArgs),
    /// Print the public URL of a tunnel
    Url(Url),
    /// Serve the history to a coding assistant, by the Model Context Protocol on stdin and stdout
    #[command(
        after_help = "The tools read: list_events, get_event, explain_event, wait_for_event, list_hooks, link_state and why. With --allow-write there are also replay_event and trigger_event, which send only to services on this machine.

Configuration of a client: command `podtap`, arguments `mcp --name NAME`."
    )]
    Mcp(McpArgs),
    /// Ask Podio what an event is about and what changed
    Explain(ExplainArgs),
    /// Send events to the local service again
    Replay(ReplayArgs),
    /// Send an event of any type to the local service without Podio
    Trigger(TriggerArgs),
    /// List, create, move, verify and delete Podio's hooks
    #[command(subcommand)]
    Hooks(HooksCommand),
    /// Log in to Podio in the browser, so that podtap can use the API as you
    Login(LoginArgs),
    /// Run a local stand-in for Podio's API that sends real webhooks
    #[command(args_conflicts_with_subcommands = true)]
    Sandbox(Box<SandboxArgs>),
    /// Run the public server that Podio calls
    #[command(args_conflicts_with_subcommands = true)]
    Relay(Box<RelayArgs>),
    /// List tunnels on a relay, give one a new URL, or delete one
    #[command(
        subcommand,
        after_help = "\
With --relay and a token, these commands work on your own tunnels. On the relay's machine, use \
--data-dir to work on the tunnels of all owners; the relay may be running. Where relays share a \
database, use --database on any machine."
    )]
    Tunnels(TunnelsCommand),
    /// Find the link between Podio and the local service that does not work
    Doctor(Doctor),
    /// Show or check the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a shell completion script, which also completes tunnels, event types and ids
    #[command(after_help = "Where each shell finds it:
  Bash  podtap completions bash > ~/.local/share/bash-completion/completions/podtap
  zsh   podtap completions zsh > _podtap, in a folder of $fpath, before compinit
  fish  podtap completions fish > ~/.config/fish/completions/podtap.fish")]
    Completions {
        /// Shell for which to print it
        shell: clap_complete::Shell,
    },
    /// Print a manual page
    Man(Man),
}

impl Command {
    /// Returns whether the terminal UI may use the terminal, so that the log must go to a file.
    pub(crate) fn takes_the_screen(&self, is_dumb: bool) -> bool {
        match self {
            Self::Demo(demo) => demo.display.wants_ui(is_dumb),
            Self::Listen(listen) => listen.display.wants_ui(is_dumb),
            Self::Up(up) => up.display.wants_ui(is_dumb),
            Self::Ui(ui) => !ui.print_keys,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that begin a sentence, but not a help text.
    const SENTENCES: [&str; 8] = [
        "The ", "Where ", "What ", "Whether ", "It ", "Its ", "Them ", "This ",
    ];

    fn check(command: &clap::Command) {
        let name = command.get_name();
        let about = command.get_about().map(ToString::to_string);
        let helps = command.get_arguments().filter_map(clap::Arg::get_help);
        for help in helps.map(ToString::to_string).chain(about) {
            let begins = help.starts_with(|c: char| c.is_uppercase() || c == '`');
            let sentence = SENTENCES.iter().any(|word| help.starts_with(word));
            let is_help = begins && !sentence && !help.ends_with('.');
            assert!(is_help || name == "help", "{name}: {help}");
        }
        command.get_subcommands().for_each(check);
    }

    #[test]
    fn a_help_text_begins_with_what_to_do_or_a_noun() {
        let root = Cli::command();
        root.get_subcommands().for_each(check);
    }

    /// The options that belong under some of the headings, for all commands. A heading also
    /// applies to arguments of later groups, so an option may appear under it by mistake.
    const GROUPS: [(&str, &[&str]); 3] = [
        ("Web page", &["web", "web-password-file"]),
        (
            "Podio",
            &["podio-url", "no-verify", "forward-verify", "break-loops"],
        ),
        ("Output", &["ui", "json", "no-tui", "notify", "no-mouse"]),
    ];

    #[test]
    fn a_heading_stands_above_its_own_options_only() {
        fn check(command: &clap::Command) {
            for (heading, names) in GROUPS {
                let all = command.get_arguments();
                let under = all.filter(|arg| arg.get_help_heading() == Some(heading));
                for option in under.filter_map(clap::Arg::get_long) {
                    assert!(
                        names.contains(&option),
                        "{}: --{option} stands under {heading}",
                        command.get_name()
                    );
                }
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
