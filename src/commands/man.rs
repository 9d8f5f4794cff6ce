//! `podtap man`: generates manual pages from the description of the
//! command line and from the documents about the filter and the settings.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory as _};
use clap_mangen::roff::{Roff, bold, roman};
use podtap_disk::private;

use crate::cli::{Cli, Man};
use crate::config::reference;
use crate::failure::Failure;

/// The document that describes the filter language.
const UI: &str = include_str!("../../docs/UI.md");

/// The files that Podtap uses.
const FILES: [(&str, &str); 4] = [
    (
        "$XDG_CONFIG_HOME/podtap/config.toml",
        "The configuration, unless --config or PODTAP_CONFIG names another file.",
    ),
    (
        "$XDG_DATA_HOME/podtap/tunnels/NAME.db",
        "The history of the tunnel NAME.",
    ),
    (
        "$XDG_DATA_HOME/podtap/relay.db",
        "The tunnels, tokens and queued events of a relay.",
    ),
    (
        "$XDG_DATA_HOME/podtap/podio-tokens.json",
        "The login of `podtap login`.",
    ),
];

/// The exit codes.
const STATUS: [(&str, &str); 9] = [
    ("0", "done"),
    ("1", "failed"),
    ("2", "wrong usage or a wrong setting"),
    ("3", "the token was refused"),
    ("4", "the relay cannot be reached (with --no-wait)"),
    ("5", "the local service failed"),
    ("6", "nothing matched, or it timed out"),
    ("7", "another agent has the tunnel"),
    ("129, 130, 143", "ended by a signal"),
];

/// Prints the requested page, or writes all pages.
pub(crate) fn run(man: &Man) -> Result<ExitCode, Failure> {
    let mut root = Cli::command();
    root.build();
    if let Some(folder) = &man.out {
        private::folder(folder)?;
        write_all(&root, &root, folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut command = &root;
    for word in &man.command {
        command = command.find_subcommand(word).ok_or_else(|| {
            let names = command.get_subcommands().map(Command::get_name);
            let names: Vec<&str> = names.filter(|name| *name != "help").collect();
            Failure::usage(format!("there is no command `{}`", man.command.join(" ")))
                .fact("known", names.join(" "))
        })?;
    }
    std::io::stdout().lock().write_all(&page(&root, command)?)?;
    Ok(ExitCode::SUCCESS)
}

fn write_all(root: &Command, command: &Command, folder: &Path) -> Result<(), Failure> {
    let page = page(root, command)?;
    private::write(&folder.join(format!("{}.1", name(command))), &page)?;
    for subcommand in command.get_subcommands() {
        if subcommand.get_name() != "help" {
            write_all(root, subcommand, folder)?;
        }
    }
    Ok(())
}

/// Returns a name such as `podtap-relay-token-create`.
fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

fn page(root: &Command, command: &Command) -> Result<Vec<u8>, Failure> {
    let title = name(command).to_owned();
    let is_root = title == root.get_name();
    let man = clap_mangen::Man::new(command.clone()).title(title);
    let mut page = Vec::new();
    man.render(&mut page)?;
    let mut more = Roff::new();
    let takes_filter = command
        .get_arguments()
        .any(|flag| flag.get_id() == "filter");
    if is_root || takes_filter {
        pairs(&mut more, "FILTER", filter_terms());
    }
    if is_root {
        let text = "`podtap man COMMAND` prints the page of a command, such as `podtap man relay`.";
        more.control("SH", ["PAGES"]).text([roman(text)]);
        let variables = reference::entries().map(|entry| {
            let name = format!("{} ({})", entry.key.variable(), entry.key.name());
            let default = entry
                .default
                .map_or(String::new(), |default| format!(" Default: {default}."));
            (name, format!("{}{default}", entry.text))
        });
        pairs(&mut more, "ENVIRONMENT AND SETTINGS", variables);
        pairs(&mut more, "FILES", to_owned_pairs(&FILES));
        pairs(&mut more, "EXIT STATUS", to_owned_pairs(&STATUS));
    } else {
        let text = "podtap(1) has the settings, the files and the exit status.";
        more.control("SH", ["SEE ALSO"]).text([roman(text)]);
    }
    more.to_writer(&mut page)?;
    Ok(page)
}

fn to_owned_pairs(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    pairs.iter().map(own)
}

fn pairs(roff: &mut Roff, heading: &str, pairs: impl Iterator<Item = (String, String)>) {
    roff.control("SH", [heading]);
    for (name, text) in pairs {
        roff.control("TP", [])
            .text([bold(name)])
            .text([roman(text)]);
    }
}

/// Returns the rows of the table that describes the filter's terms.
fn filter_terms() -> impl Iterator<Item = (String, String)> {
    let rows = UI.split("\n## The filter\n").nth(1).unwrap_or_default();
    let rows = rows.split("\n## ").next().unwrap_or_default().lines();
    rows.filter(|row| row.starts_with("| `")).map(|row| {
        let mut cells = row.trim_matches('|').split(" | ").map(str::trim);
        let mut next = || cells.next().unwrap_or_default().replace('`', "");
        (next(), next())
    })
}
