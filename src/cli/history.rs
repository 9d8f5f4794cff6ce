//! `podtap ui`, `events`, `import`, `show` and `replay`: commands on a history.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::listen::{Certificates, TunnelArgs, Web};

#[derive(Debug, Args)]
pub(crate) struct Ui {
    /// Send replays to this local service
    #[arg(short, long, value_name = "PORT|URL", alias = "target")]
    pub(crate) forward_to: Option<String>,
    /// Print the default keys in the format of the configuration file, and exit
    #[arg(long)]
    pub(crate) print_keys: bool,
    /// Do not capture the mouse, so that the terminal's own selection works
    #[arg(long)]
    pub(crate) no_mouse: bool,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
    #[command(flatten)]
    pub(crate) web: Web,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(crate) struct Events {
    #[command(subcommand)]
    pub(crate) command: Option<EventsCommand>,
    /// Terms such as type:item.* item:4711 status:5xx after:10m path:/podio -type:hook.verify
    /// "text"; @name is a saved filter
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Vec<String>,
    /// Maximum number of events [default: 50; all with --json or --har]
    #[arg(short = 'l', long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Print one JSON object per line; `podtap import` can read it
    #[arg(long)]
    pub(crate) json: bool,
    /// Print an HTTP archive (HAR 1.2) for browsers and proxies; `podtap import` can read it
    #[arg(long, conflicts_with = "json")]
    pub(crate) har: bool,
    /// List failed deliveries by their cause: how many, the answer, and what is probably wrong
    #[arg(long, conflicts_with = "har")]
    pub(crate) group: bool,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// Delete events permanently, from every file on the disk
    Delete(DeleteEvents),
}

#[derive(Debug, Args)]
pub(crate) struct DeleteEvents {
    /// Events to delete, as for `podtap events`
    #[arg(value_name = "FILTER", required = true)]
    pub(crate) filter: Vec<String>,
    /// Do not ask for confirmation
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// JSON lines of podtap, or an HTTP archive (HAR) of any tool; `-` reads from stdin
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Print one JSON object per file
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Id of the event, or its beginning or end
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) format: ShowFormat,
    /// With --raw, print control characters even to a terminal
    #[arg(long, requires = "raw")]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct ShowFormat {
    /// Print a JSON object with the attempts
    #[arg(long)]
    pub(crate) json: bool,
    /// Print a curl command that sends the event to the local service
    #[arg(long)]
    pub(crate) curl: bool,
    /// Print only the body, byte for byte
    #[arg(long)]
    pub(crate) raw: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Id of the event, or its beginning or end
    pub(crate) id: String,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Ids of the events, or their beginnings or ends
    #[arg(required_unless_present = "filter")]
    pub(crate) ids: Vec<String>,
    /// Replay all events that match, oldest first; @name is a saved filter
    #[arg(
        long,
        value_name = "FILTER",
        conflicts_with = "ids",
        allow_hyphen_values = true
    )]
    pub(crate) filter: Option<String>,
    /// Send them here instead of to where they were delivered first
    #[arg(long, value_name = "PORT|URL")]
    pub(crate) to: Option<String>,
    /// Edit the request in $EDITOR before it is sent
    #[arg(long, conflicts_with = "filter")]
    pub(crate) edit: bool,
    /// Maximum requests per second [default: send the next one after the answer]
    #[arg(long, value_name = "N", value_parser = super::trigger::rate)]
    pub(crate) rate: Option<f64>,
    /// Print what would be sent, and send nothing
    #[arg(long, conflicts_with = "edit")]
    pub(crate) dry_run: bool,
    /// Do not ask for confirmation before sending more than 100 events or an edited one
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print one JSON object per attempt
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    #[command(flatten)]
    pub(crate) tunnel: TunnelArgs,
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::{Cli, Command, separate_terms};

    fn events(words: &[&str]) -> (Vec<String>, bool, Option<usize>) {
        let typed = ["podtap", "events"].iter().chain(words);
        let typed = separate_terms(typed.map(Into::into));
        match Cli::try_parse_from(typed).map(|cli| cli.command) {
            Ok(Command::Events(events)) => (events.filter, events.json, events.limit),
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn flags_are_flags_wherever_they_stand_and_terms_are_terms() {
        let terms = |terms: &[&str]| terms.iter().map(|&term| term.to_owned()).collect();
        for (words, filter, json, limit) in [
            (
                &["--json", "-l", "5", "item:1"][..],
                &["item:1"][..],
                true,
                Some(5),
            ),
            (&["item:1", "--json", "-l", "5"], &["item:1"], true, Some(5)),
            (
                &["item:1", "-l5", "status:5xx"],
                &["item:1", "status:5xx"],
                false,
                Some(5),
            ),
            (
                &["-type:hook.verify", "--json"],
                &["-type:hook.verify"],
                true,
                None,
            ),
            (
                &["--json", "-type:hook.verify"],
                &["-type:hook.verify"],
                true,
                None,
            ),
            (
                &["-label:x", "-vendor"],
                &["-label:x", "-vendor"],
                false,
                None,
            ),
            (
                &["a", "-\"free text\""],
                &["a", "-\"free text\""],
                false,
                None,
            ),
            (
                &["-path:/podio -item:4", "--json"],
                &["-path:/podio -item:4"],
                true,
                None,
            ),
            (&["--", "--json"], &["--json"], false, None),
        ] {
            assert_eq!(events(words), (terms(filter), json, limit), "{words:?}");
        }
    }
}
