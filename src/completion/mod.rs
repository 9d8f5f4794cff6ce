//! Shell completion. The shell's script runs this program at each completion,
//! so it offers the tunnels, event types, ids and values of that moment.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Arg, Command, CommandFactory as _, ValueHint};
use clap_complete::engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{CompleteEnv, Shells};
use jiff::Timestamp;
use podtap_agent::history::{Anchor, Filter, History, PageQuery};
use podtap_podio::{EventType, ObjectKind};

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

/// Scripts of our own: in Bash, clap's does not complete after `=` and `:`, and in zsh it ends a word
/// after `status:`.
const BASH: &str = include_str!("podtap.bash");
const ZSH: &str = include_str!("podtap.zsh");

/// Prints the script of a shell.
pub(crate) fn script(shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    match shell {
        clap_complete::Shell::Bash => script.extend(BASH.bytes()),
        clap_complete::Shell::Zsh => script.extend(ZSH.bytes()),
        other => {
            let shells = Shells::builtins();
            let completer = shells
                .completer(&other.to_string())
                .ok_or_else(|| Failure::usage(format!("no completion for {other}")))?;
            completer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
        }
    }
    std::io::stdout().lock().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Adds candidates to every argument that has no list of possible values.
fn with_values(command: Command) -> Command {
    let names_a_tunnel = matches!(command.get_name(), "rotate" | "delete");
    command
        .mut_args(|argument| values(argument, names_a_tunnel))
        .mut_subcommands(with_values)
}

/// `names_a_tunnel`: whether the positional argument `name` of this command is a tunnel's.
fn values(argument: Arg, names_a_tunnel: bool) -> Arg {
    let offers = |argument: Arg, all: fn() -> Vec<CompletionCandidate>| {
        argument.add(ArgValueCandidates::new(all))
    };
    let is_flag = argument.get_long().is_some();
    match argument.get_id().as_str() {
        "of" => offers(argument, tunnels),
        "name" if is_flag || names_a_tunnel => offers(argument, tunnels),
        "id" | "ids" | "from" => offers(argument, ids),
        "event" => offers(argument, types),
        "on" => argument.add(ArgValueCompleter::new(type_list)),
        "subject" => offers(argument, subjects),
        "filter" => argument.add(ArgValueCompleter::new(filter_term)),
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

/// Completes the last of several event types, separated by commas.
fn type_list(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let (before, last) = current.rsplit_once(',').unwrap_or(("", &current));
    let before = current.strip_suffix(last).unwrap_or(before);
    beginning(last, types(), before)
}

/// What `why` explains: an event type, an object or a hook.
fn subjects() -> Vec<CompletionCandidate> {
    let objects = ObjectKind::BY_PRECEDENCE.iter().map(|kind| kind.as_str());
    let objects = objects.chain(["hook"]);
    let objects = objects.map(|object| CompletionCandidate::new(format!("{object}:")));
    types().into_iter().chain(objects).collect()
}

/// Completes one term of a filter: its field, the type after `type:`, or the name of a saved filter.
fn filter_term(current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    let (sign, term) = match current.strip_prefix('-') {
        Some(term) => ("-", term),
        None => ("", &*current),
    };
    if let Some(event) = term.strip_prefix("type:") {
        return beginning(event, types(), &format!("{sign}type:"));
    }
    if term.starts_with('@') {
        return beginning(term, saved_filters(), sign);
    }
    let fields = Filter::words().map(|word| CompletionCandidate::new(format!("{word}:")));
    beginning(term, fields.collect(), sign)
}

/// Keeps what begins with `text`, and puts `before` in front of it.
fn beginning(
    text: &str,
    candidates: Vec<CompletionCandidate>,
    before: &str,
) -> Vec<CompletionCandidate> {
    let begins = |candidate: &CompletionCandidate| {
        let value = candidate.get_value().to_string_lossy();
        value.starts_with(text)
    };
    let candidates = candidates.into_iter().filter(begins);
    candidates
        .map(|candidate| candidate.add_prefix(before))
        .collect()
}

fn saved_filters() -> Vec<CompletionCandidate> {
    let saved = settings().and_then(|settings| settings.filters(Timestamp::now()).ok());
    let saved = saved.unwrap_or_default();
    let names = saved.iter().map(|(name, text)| {
        let help = crate::printable::printable(text);
        CompletionCandidate::new(format!("@{name}")).help(Some(help.into()))
    });
    names.collect()
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
    for (n, word) in typed.iter().enumerate() {
        let value = typed.get(n + 1).filter(|value| !value.is_empty());
        if HISTORY_FLAGS.contains(&word.as_str()) {
            words.extend(value.map(|_| word.into()));
            words.extend(value.map(Into::into));
        } else if HISTORY_FLAGS.iter().any(|flag| has_value(word, flag)) {
            words.push(word.into());
        }
    }
    config::resolve(&CommandLine::parse(&words).ok()?).ok()
}

/// Flags that choose a history.
const HISTORY_FLAGS: [&str; 5] = ["-n", "--name", "--data-dir", "-c", "--config"];

/// Whether a word is this flag with its value, such as `--name=crm` or `-ncrm`.
fn has_value(word: &str, flag: &str) -> bool {
    word.strip_prefix(flag).is_some_and(|rest| {
        let value = rest.strip_prefix('=');
        let is_long = flag.starts_with("--");
        !value
            .or((!is_long).then_some(rest))
            .unwrap_or_default()
            .is_empty()
    })
}
