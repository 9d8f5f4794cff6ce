//! One module per subcommand: each builds the parts, runs them and returns the exit code.

mod alarm;
mod config;
mod damage;
mod delete;
mod delivery;
mod demo;
mod doctor;
mod embedded;
mod events;
mod explain;
mod failures;
mod history;
mod hooks;
mod import;
mod link;
mod listen;
mod login;
mod man;
mod mcp;
mod podio;
mod relay;
mod repair;
mod replay;
mod sandbox;
mod show;
mod targets;
mod token;
mod trigger;
mod tunnels;
mod ui;
mod up;
mod url;
mod view;
mod wait;
mod web;
mod why;

use std::process::ExitCode;

use podtap_relay::Listeners;

use crate::cli::{Command, Events, EventsCommand, RelayCommand};
use crate::completion;
use crate::config::Settings;
use crate::failure::Failure;

/// Runs a command that needs no settings, so an error in
/// them cannot stop it. Returns `None` for other commands.
pub(crate) fn without_settings(command: &Command) -> Option<Result<ExitCode, Failure>> {
    match command {
        Command::Ui(command) if command.print_keys => Some(ui::print_keys()),
        Command::Sandbox(sandbox) if sandbox.serve.print_seed => Some(sandbox::print_seed()),
        Command::Trigger(trigger) if trigger.list => Some(trigger::list()),
        Command::Completions { shell } => Some(completion::script(*shell)),
        Command::Man(man) => Some(man::run(man)),
        _ => None,
    }
}

/// Takes the sockets that were opened for this process; only
/// a relay uses them. Must be called before threads start.
pub(crate) fn passed_listeners(command: &Command) -> Result<Listeners, Failure> {
    match command {
        Command::Relay(relay) if relay.command.is_none() => relay::passed_listeners(),
        _ => Ok(Listeners::default()),
    }
}

/// Runs a command that works even if the settings cannot
/// be read; returns the failure for other commands.
pub(crate) fn with_unreadable_settings(
    command: &Command,
    failure: Failure,
) -> Result<ExitCode, Failure> {
    match command {
        Command::Doctor(doctor) => doctor::without_settings(doctor, &failure),
        _ => Err(failure),
    }
}

/// Runs a command to its end.
pub(crate) async fn run(
    command: Command,
    settings: Settings,
    listeners: Listeners,
) -> Result<ExitCode, Failure> {
    match command {
        Command::Demo(demo) => Box::pin(demo::run(demo, &settings)).await,
        Command::Listen(listen) => Box::pin(listen::run(*listen, &settings)).await,
        Command::Up(up) => Box::pin(up::run(&up, &settings)).await,
        Command::Ui(_) => ui::run(&settings).await,
        Command::Events(Events {
            command: Some(EventsCommand::Delete(delete)),
            ..
        }) => delete::run(delete, &settings).await,
        Command::Events(events) => events::run(events, &settings).await,
        Command::Import(import) => import::run(import, &settings).await,
        Command::Show(show) => show::run(show, &settings).await,
        Command::Explain(explain) => explain::run(explain, &settings).await,
        Command::Repair(repair) => repair::run(repair, &settings).await,
        Command::Replay(replay) => replay::run(replay, &settings).await,
        Command::Trigger(trigger) => trigger::run(trigger, &settings).await,
        Command::Relay(relay) => match relay.command {
            None => relay::run(&relay.serve, &settings, listeners).await,
            Some(RelayCommand::Token(command)) => token::run(command, &settings).await,
        },
        Command::Hooks(command) => hooks::run(command, &settings).await,
        Command::Login(login) => login::run(login, &settings).await,
        Command::Sandbox(sandbox) => sandbox::run(*sandbox, &settings).await,
        Command::Doctor(doctor) => doctor::run(doctor, &settings).await,
        Command::Tunnels(command) => tunnels::run(command, &settings).await,
        // These commands ran before the settings were read.
        Command::Completions { .. } | Command::Man(_) => Ok(ExitCode::SUCCESS),
        Command::Mcp(mcp) => mcp::run(&mcp, settings).await,
        Command::Wait(wait) => wait::run(wait, &settings).await,
        Command::Why(why) => why::run(why, &settings).await,
        Command::Url(_) => url::run(&settings),
        Command::Config(command) => config::run(&command, &settings),
    }
}
