//! Prints what clap returns if no command runs: help,
//! the version, or a mistake in the command line.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use crate::config::Environment;
use crate::printable::{is_hostile, visible};

/// Prints clap's answer and returns the exit code. A mistake repeats typed words,
/// which may come from elsewhere, so their control characters are made visible.
pub(crate) fn print(answer: &clap::Error, words: &[OsString]) -> ExitCode {
    let is_mistake = answer.use_stderr();
    let hostile = is_mistake && words.iter().any(|word| is_hostile(&word.to_string_lossy()));
    let text = answer.render();
    let text = if is_coloured(words, is_mistake) && !hostile {
        text.ansi().to_string()
    } else {
        visible(&text.to_string()).into_owned()
    };
    // If the reader is gone, a failed write is ignored.
    if is_mistake {
        std::io::stderr().lock().write_all(text.as_bytes()).ok();
    } else {
        std::io::stdout().lock().write_all(text.as_bytes()).ok();
    }
    ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(u8::MAX))
}

/// Returns whether stderr, or stdout, is coloured, as far as this is known without the settings.
pub(crate) fn is_coloured(words: &[OsString], stderr: bool) -> bool {
    let environment = Environment::read().unwrap_or_default();
    let terminal = if stderr {
        std::io::stderr().is_terminal()
    } else {
        std::io::stdout().is_terminal()
    };
    let flag = color_value(words).or(environment.get("PODTAP_COLOR").map(str::to_owned));
    match flag.as_deref() {
        Some("always") => true,
        Some("never") => false,
        _ => environment.colour(terminal),
    }
}

/// Returns the value of `--color`.
fn color_value(words: &[OsString]) -> Option<String> {
    let mut words = words.iter().filter_map(|word| word.to_str());
    let flag = words.find(|word| *word == "--" || word.starts_with("--color"))?;
    match flag.strip_prefix("--color=") {
        Some(value) => Some(value.to_owned()),
        None if flag == "--color" => words.next().map(str::to_owned),
        None => None,
    }
}
