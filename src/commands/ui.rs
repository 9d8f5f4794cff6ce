//! `podtap ui`: the terminal UI on a history, beside a running agent or without one.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use podtap_agent::{AgentHandle, Target};
use tokio_util::sync::CancellationToken;

use super::history::{browser, run_browser};
use crate::config::{Settings, default_keys};
use crate::failure::{Code, Failure, chain};
use crate::output::print;
use crate::running::{Running, holder};
use crate::shutdown::Shutdown;
use crate::tasks::Tasks;

/// Browses until `q` or a signal.
pub(crate) async fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::watch()?;
    let mut config = settings.tui()?;
    config.tunnel = Some(settings.tunnel()?.to_string());
    config.beside = holder(&settings.history()?).map(|holder| {
        let process = |pid| format!("process {pid}");
        holder
            .pid
            .map_or_else(|| "another process".to_owned(), process)
    });
    if settings.is_dumb() {
        return Err(
            Failure::usage("this terminal cannot show the terminal UI: TERM is dumb")
                .hint("`podtap events` lists the history"),
        );
    }
    let (agent, handle) = browser(settings, target(settings)?)?;
    let mut tasks = Tasks::new(shutdown.token().clone());
    tasks.start(run_browser(agent, tasks.token()));
    let token = tasks.token();
    tasks.start(on_screen(handle, config, token));
    tasks.finish().await?;
    Ok(shutdown.exit_code())
}

/// Where replays go: as set, else the local service of the agent that runs for this tunnel.
fn target(settings: &Settings) -> Result<Option<Target>, Failure> {
    if let Some(target) = settings.target()? {
        return Ok(Some(target));
    }
    let running = Running::now(&settings.history()?);
    let forwards_to = running.and_then(|running| running.forwards_to);
    Ok(forwards_to.and_then(|target| target.parse().ok()))
}

/// Prints the default keys as a table for the configuration file.
pub(super) fn print_keys() -> Result<ExitCode, Failure> {
    print(default_keys().trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// The terminal UI as a part of any command.
pub(super) async fn on_screen(
    handle: AgentHandle,
    config: podtap_tui::Config,
    token: CancellationToken,
) -> Result<(), Failure> {
    if !std::io::stdout().is_terminal() {
        return Err(Failure::usage("the terminal UI needs a terminal")
            .hint("`podtap events` lists the history; `podtap listen --no-tui` prints lines"));
    }
    let ended = podtap_tui::run(handle, config, token).await;
    ended.map_err(|error| Failure::new(Code::Failed, chain(&error)))
}
