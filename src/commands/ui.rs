//! `podtap ui`: the terminal UI on a history, beside a running agent or without one.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use podtap_agent::AgentHandle;
use tokio_util::sync::CancellationToken;

use super::history::{browser, run_browser};
use crate::config::{Settings, default_keys};
use crate::failure::{Code, Failure, chain};
use crate::output::print;
use crate::parts::Parts;
use crate::shutdown::Shutdown;

/// Browses until `q` or a signal.
pub(crate) async fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::watch()?;
    let config = settings.tui()?;
    let (agent, handle) = browser(settings, settings.target()?)?;
    let mut parts = Parts::new(shutdown.token().clone());
    parts.start(run_browser(agent, parts.token()));
    let token = parts.token();
    parts.start(on_screen(handle, config, token));
    parts.finish().await?;
    Ok(shutdown.exit_code())
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
