//! Podtap: a development tunnel and inspector for Podio webhooks.
//!
//! This file is the table of contents of a run: what was typed, what it means, where logs go, and
//! the one place where an error reaches the person.

mod answer;
mod cli;
mod commands;
mod completion;
mod config;
mod core_dumps;
mod demo;
mod failure;
mod file;
mod hang_up;
mod log_file;
mod logging;
mod output;
mod parts;
mod printable;
mod running;
mod runtime;
mod shutdown;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;
use crate::failure::Failure;

fn main() -> ExitCode {
    if completion::answered() {
        return ExitCode::SUCCESS;
    }
    let words = cli::sorted(std::env::args_os());
    let cli = match Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(answer) => return answer::print(&answer, &words),
    };
    match run(cli) {
        Ok(code) => code,
        Err(failure) => failure.report(answer::coloured(&words, true)),
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    if let Some(outcome) = commands::without_settings(&cli.command) {
        return outcome;
    }
    let settings = config::resolve(&cli)?;
    settings.warn()?;
    logging::start(&settings, cli.command.takes_the_screen(settings.is_dumb()))?;
    core_dumps::off();
    let runtime = runtime::of(&cli.command)?;
    let outcome = runtime.block_on(commands::run(cli.command, settings));
    // Nothing is left that matters: every task was joined by the command that started it.
    runtime.shutdown_background();
    outcome
}
