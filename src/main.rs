//! Podtap: a development tunnel and inspector for Podio webhooks.
//!
//! This file is the table of contents of a run: it parses the arguments, reads the
//! settings, starts the log, runs the command, and is the one place that prints the error.

mod alarm;
mod cli;
mod commands;
mod completion;
mod config;
mod demo;
mod failure;
mod file;
mod guard;
mod log_file;
mod logging;
mod output;
mod parse;
mod printable;
mod redact;
mod running;
mod runtime;
mod shutdown;
mod style;
mod system;
mod tasks;
mod usage;

use std::process::ExitCode;

use crate::cli::CommandLine;
use crate::failure::Failure;

fn main() -> ExitCode {
    if completion::complete() {
        return ExitCode::SUCCESS;
    }
    if guard::is_asked_for() {
        podtap_agent::guard_commands(std::io::stdin());
        return ExitCode::SUCCESS;
    }
    guard::set_program();
    let words = cli::separate_terms(std::env::args_os());
    let typed = match CommandLine::parse(&words) {
        Ok(typed) => typed,
        Err(answer) => return usage::print(&answer, &words),
    };
    match run(typed) {
        Ok(code) => code,
        Err(failure) => failure.report(usage::is_coloured(&words, true)),
    }
}

fn run(typed: CommandLine) -> Result<ExitCode, Failure> {
    if let Some(outcome) = commands::without_settings(&typed.cli.command) {
        return outcome;
    }
    let settings = match config::resolve(&typed) {
        Ok(settings) => settings,
        Err(failure) => return commands::with_unreadable_settings(&typed.cli.command, failure),
    };
    settings.warn()?;
    let command = typed.cli.command;
    let listeners = commands::passed_listeners(&command)?;
    logging::start(&settings, command.takes_the_screen(settings.is_dumb()))?;
    system::forbid_core_dumps();
    let runtime = runtime::of(&command, &settings)?;
    let outcome = runtime.block_on(commands::run(command, settings, listeners));
    podtap_agent::kill_commands();
    // Nothing important still runs: the command has joined every task that it started.
    runtime.shutdown_background();
    outcome
}
