//! Shell completion. The shell's script runs this program at each completion,
//! so it offers the tunnels, event types, ids and values of that moment.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Arg, Command, CommandFactory as _, ValueHint};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};
use podtap_agent::history::{Anchor, Filter, History, PageQuery};
use podtap_podio::EventType;

use crate::cli::{Cli, CommandLine};
use crate::config::{self, Settings};
use crate::failure::Failure;

/// Environment variable that the script sets when it asks for completions.
const VARIABLE: &str = "PODTAP_COMPLETE";

/// The name of the program, in scripts and as it is typed.
const PROGRAM: &str = "podtap";

/// Maximum number of ids that are offered: those of the newest events.
const IDS: usize = 50;

/// Answers the shell's script if it asked for completions; returns whether it did.
pub(crate) fn complete() -> bool {
    let folder = std::env::current_dir().ok();
    let complete = CompleteEnv::with_factory(|| with_values(Cli::command()))
        .var(VARIABLE)
        .bin(PROGRAM)
        .completer(PROGRAM);
    // A mistake in an unfinished command line needs no error message.
    complete
        .try_complete(std::env::args_os(), folder.as_deref())
        .unwrap_or(true)
}

/// Prints the script of a shell.
pub(crate) fn script(shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    let shells = Shells::builtins();
    let completer = shells
        .completer(&shell.to_string())
        .ok_or_else(|| Failure::usage(format!("no completion for {shell}")))?;
    let mut script = Vec::new();
    completer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    std::io::stdout().lock().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Adds completions to each argument that has no fixed list of values.
fn with_values(command: Command) -> Command {
    command.mut_args(values).mut_subcommands(with_values)
}

fn values(argument: Arg) -> Arg {
    let offers = |argument: Arg, all: fn() -> Vec<CompletionCandidate>| {
        argument.add(ArgValueCandidates::new(all))
    };
    let is_flag = argument.get_long().is_some();
    match argument.get_id().as_str() {
        "of" => offers(argument, tunnels),
        "name" if is_flag => offers(argument, tunnels),
        "id" | "ids" | "from" => offers(argument, ids),
        "event" | "on" | "subject" => offers(argument, types),
        "filter" => offers(argument, fields),
        "color" => offers(argument, || list(&["auto", "always", "never"])),
        "notify" => offers(argument, || list(&["off", "bell", "desktop"])),
        "respond" => offers(argument, || list(&["stored", "local"])),
        "forward_verify" => offers(argument, || list(&["true", "false"])),
        "config" | "token_file" | "files" | "body_file" | "seed" => {
            argument.value_hint(ValueHint::FilePath)
        }
        "data_dir" | "out" => argument.value_hint(ValueHint::DirPath),
        _ => argument,
    }
}

fn list(words: &[&'static str]) -> Vec<CompletionCandidate> {
    words
        .iter()
        .copied()
        .map(CompletionCandidate::new)
        .collect()
}

fn types() -> Vec<CompletionCandidate> {
    let all = EventType::ALL.iter();
    all.map(|event| {
        let summary = event.spec().summary;
        CompletionCandidate::new(event.as_str()).help(Some(summary.into()))
    })
    .collect()
}

fn fields() -> Vec<CompletionCandidate> {
    let words = Filter::words().map(|word| format!("{word}:"));
    words.map(CompletionCandidate::new).collect()
}

fn tunnels() -> Vec<CompletionCandidate> {
    let names = settings().and_then(|settings| settings.tunnels().ok());
    names
        .unwrap_or_default()
        .into_iter()
        .map(CompletionCandidate::new)
        .collect()
}

/// Returns the ids of the newest events, each described by its event.
fn ids() -> Vec<CompletionCandidate> {
    let rows = || {
        let history = History::open_read_only(&settings()?.history().ok()?).ok()?;
        let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
        let newest = history.page(PageQuery {
            filter: Filter::default(),
            anchor: Anchor::Newest,
            limit: IDS,
        });
        runtime.block_on(newest).ok()
    };
    let rows = rows().unwrap_or_default();
    rows.iter()
        .map(|row| {
            let kind = row.event_type.as_deref().unwrap_or(&row.method);
            let object = row
                .object
                .map_or(String::new(), |object| format!(" {object}"));
            let help = crate::printable::printable(&format!("{kind}{object}"));
            CompletionCandidate::new(row.id.to_string()).help(Some(help.into()))
        })
        .collect()
}

/// Returns the settings of this machine, with the words typed so far that choose a history.
fn settings() -> Option<Settings> {
    let typed: Vec<String> = std::env::args().collect();
    let mut words: Vec<OsString> = vec![PROGRAM.into(), "events".into()];
    for pair in typed.windows(2) {
        if let [flag, value] = pair
            && matches!(
                flag.as_str(),
                "-n" | "--name" | "--data-dir" | "-c" | "--config"
            )
            && !value.is_empty()
        {
            words.extend([flag.into(), value.into()]);
        }
    }
    config::resolve(&CommandLine::parse(&words).ok()?).ok()
}
