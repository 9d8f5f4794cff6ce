//! `podtap ui`: shows a history in the terminal UI, with or without a running agent.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::sync::Arc;

use podtap_agent::AgentHandle;
use podtap_connect::reason::chain;
use podtap_tui::SeveralTunnels;
use podtap_web::PageTunnels;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::history::{browser, run_browser};
use crate::config::{Settings, default_keys};
use crate::failure::{Code, Failure};
use crate::output::print;
use crate::running::RunningAgent;
use crate::shutdown::Shutdown;
use crate::tasks::Tasks;

/// Browses until `q` or a signal.
pub(crate) async fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::register()?;
    let mut config = settings.tui()?;
    config.tunnel = Some(settings.tunnel()?.to_string());
    if settings.is_dumb() {
        return Err(
            Failure::usage("this terminal cannot show the terminal UI: TERM is dumb")
                .hint("`podtap events` lists the history"),
        );
    }
    // Replays go to the targets in the settings, or else where the running agent delivers.
    let own = Arc::new(settings.all_routes()?);
    let (agent, handle) = browser(settings, &own)?;
    let seen = handle.status().borrow().clone();
    let beside = RunningAgent::new(settings, own, seen)?;
    let (told, status) = watch::channel(beside.status());
    let handle = handle.with_status_of_another(status);
    let mut tasks = Tasks::new(shutdown.token().clone());
    let tunnels = PageTunnels::one(settings.tunnel()?.to_string(), handle.clone());
    let page = super::web::serve(&mut tasks, settings, tunnels).await?;
    config.web = page.as_ref().map(super::web::on_screen);
    tasks.start(run_browser(agent, tasks.token()));
    tasks.start(beside.follow(told, tasks.token()));
    let token = tasks.token();
    tasks.start(on_screen(handle, config, token));
    tasks.finish().await?;
    Ok(shutdown.exit_code())
}

/// Prints the default keys as a table for the configuration file.
pub(super) fn print_keys() -> Result<ExitCode, Failure> {
    print(default_keys().trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the terminal UI as a part of a command.
pub(super) async fn on_screen(
    handle: AgentHandle,
    config: podtap_tui::UiConfig,
    token: CancellationToken,
) -> Result<(), Failure> {
    check_terminal()?;
    let ended = podtap_tui::run(handle, config, token).await;
    ended.map_err(|error| Failure::new(Code::Failed, chain(&error)))
}

/// Runs the terminal UI with several tunnels.
pub(super) async fn several_on_screen(
    tunnels: SeveralTunnels,
    config: podtap_tui::UiConfig,
    token: CancellationToken,
) -> Result<(), Failure> {
    check_terminal()?;
    let ended = podtap_tui::run_several(tunnels, config, token).await;
    ended.map_err(|error| Failure::new(Code::Failed, chain(&error)))
}

fn check_terminal() -> Result<(), Failure> {
    if std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage("the terminal UI needs a terminal")
        .hint("`podtap events` lists the history; `podtap listen --no-tui` prints lines"))
}
