//! `podtap ui`, `events`, `import`, `show` and `replay`: commands on a history.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::listen::{Certificates, Tunnel};

#[derive(Debug, Args)]
pub(crate) struct Ui {
    /// Where replays go
    #[arg(short, long, value_name = "PORT|URL", alias = "target")]
    pub(crate) forward_to: Option<String>,
    /// Print the default keys as the table `keys` of the configuration file, and end
    #[arg(long)]
    pub(crate) print_keys: bool,
    /// Leave the mouse to the terminal, whose own selection then works
    #[arg(long)]
    pub(crate) no_mouse: bool,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    #[command(flatten)]
    pub(crate) tunnel: Tunnel,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(crate) struct Events {
    #[command(subcommand)]
    pub(crate) command: Option<EventsCommand>,
    /// Such as: type:item.* item:4711 status:5xx after:10m path:/podio -type:hook.verify "text";
    /// @name means a saved filter of the configuration file
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Vec<String>,
    /// At most this many, the newest [default: 50; all with --json or --har]
    #[arg(short = 'l', long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// One JSON object a line, the oldest first; `podtap import` reads it again
    #[arg(long)]
    pub(crate) json: bool,
    /// As an HTTP archive (HAR 1.2) for browsers and proxies; `podtap import` reads it again
    #[arg(long, conflicts_with = "json")]
    pub(crate) har: bool,
    #[command(flatten)]
    pub(crate) tunnel: Tunnel,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// Delete events for good, from everything that is on the disk
    Delete(DeleteEvents),
}

#[derive(Debug, Args)]
pub(crate) struct DeleteEvents {
    /// Which events, as for `podtap events`
    #[arg(value_name = "FILTER", required = true)]
    pub(crate) filter: Vec<String>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) tunnel: Tunnel,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// JSON lines of podtap, or an HTTP archive (HAR) of any tool; `-` reads stdin
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// One JSON object a file
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) tunnel: Tunnel,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The event's id, or the beginning or end of it
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) format: ShowFormat,
    /// With --raw: print bytes that a terminal may obey to a terminal, too
    #[arg(long, requires = "raw")]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) tunnel: Tunnel,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct ShowFormat {
    /// As one JSON object with its attempts
    #[arg(long)]
    pub(crate) json: bool,
    /// As a curl command that sends it to the local service
    #[arg(long)]
    pub(crate) curl: bool,
    /// The body alone, byte for byte
    #[arg(long)]
    pub(crate) raw: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The event's id, or the beginning or end of it
    pub(crate) id: String,
    /// As one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) tunnel: Tunnel,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Ids of events, or the beginning or end of each
    #[arg(required_unless_present = "filter")]
    pub(crate) ids: Vec<String>,
    /// Replay all that match, the oldest first; @name means a saved filter
    #[arg(
        long,
        value_name = "FILTER",
        conflicts_with = "ids",
        allow_hyphen_values = true
    )]
    pub(crate) filter: Option<String>,
    /// Send them here instead of where they went first
    #[arg(long, value_name = "PORT|URL")]
    pub(crate) to: Option<String>,
    /// Change the request in $EDITOR first
    #[arg(long, conflicts_with = "filter")]
    pub(crate) edit: bool,
    /// At most this many per second [default: each once the one before is answered]
    #[arg(long, value_name = "N", value_parser = super::trigger::rate)]
    pub(crate) rate: Option<f64>,
    /// Say what would be sent where, and send nothing
    #[arg(long, conflicts_with = "edit")]
    pub(crate) dry_run: bool,
    /// Do not ask: neither before more than 100 events nor before an edited one
    #[arg(long)]
    pub(crate) yes: bool,
    /// One JSON object an attempt
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) certificates: Certificates,
    #[command(flatten)]
    pub(crate) tunnel: Tunnel,
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::{Cli, Command, sorted};

    fn events(words: &[&str]) -> (Vec<String>, bool, Option<usize>) {
        let typed = ["podtap", "events"].iter().chain(words);
        let typed = sorted(typed.map(Into::into));
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
