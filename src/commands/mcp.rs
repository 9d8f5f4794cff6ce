//! `podtap mcp`: gives a coding assistant access to the history on stdin and stdout.
//!
//! A client starts this command with the editor, often before there is a history.
//! So the history is opened by the first call that finds one, and stays open.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use podtap_agent::AgentHandle;
use podtap_connect::reason::chain;
use podtap_mcp::{AgentSource, McpConfig, McpServer, ToolProblem};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::history::{browser, run_browser};
use crate::cli::McpArgs;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::redact::Redact;
use crate::running::RunningAgent;
use crate::shutdown::Shutdown;

/// Serves one client until the client ends.
pub(crate) async fn run(mcp: &McpArgs, settings: Settings) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::register()?;
    let redact = Redact::of(&settings);
    let config = McpConfig {
        history: settings.history()?,
        tunnel: settings.tunnel()?.to_string(),
        saved: settings.filters(Timestamp::now())?,
        allow_write: mcp.allow_write,
        redact: Box::new(move |text| redact.text(text)),
    };
    let opener = HistoryOpener(Arc::new(OpenHistory {
        settings,
        handle: Mutex::default(),
        tasks: TaskTracker::new(),
        token: CancellationToken::new(),
    }));
    let opened = Arc::clone(&opener.0);
    let server = McpServer::new(config, opener, shutdown.token().clone());
    let ended = server.serve(tokio::io::stdin(), tokio::io::stdout()).await;
    opened.close().await;
    ended.map_err(|error| {
        Failure::new(Code::Failed, chain(&error))
            .hint("a coding assistant starts this command: see the README")
    })?;
    Ok(shutdown.exit_code())
}

/// Opens the history when a call needs it.
struct HistoryOpener(Arc<OpenHistory>);

/// The history, once it is open.
struct OpenHistory {
    settings: Settings,
    handle: Mutex<Option<AgentHandle>>,
    tasks: TaskTracker,
    token: CancellationToken,
}

impl AgentSource for HistoryOpener {
    fn handle(&self) -> Result<AgentHandle, ToolProblem> {
        let mut handle = self.0.handle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = &*handle {
            return Ok(handle.clone());
        }
        let opened = self.0.open().map_err(|failure| {
            let hint = failure.fact_value("try").map(str::to_owned);
            let problem = ToolProblem::new(failure.what());
            hint.into_iter().fold(problem, ToolProblem::hint)
        })?;
        Ok(handle.insert(opened).clone())
    }
}

impl OpenHistory {
    /// Opens the history with the status of the running agent, as `podtap ui` does.
    fn open(self: &Arc<Self>) -> Result<AgentHandle, Failure> {
        let own = Arc::new(self.settings.all_routes()?);
        let (agent, handle) = browser(&self.settings, &own)?;
        let seen = handle.status().borrow().clone();
        let beside = RunningAgent::new(&self.settings, own, seen)?;
        let (told, status) = watch::channel(beside.status());
        let handle = handle.with_status_of_another(status);
        let opened = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Err(failure) = run_browser(agent, opened.token.clone()).await {
                tracing::warn!(%failure, "the history was closed; the next call opens it again");
            }
            let mut handle = opened.handle.lock().unwrap_or_else(PoisonError::into_inner);
            *handle = None;
        });
        let token = self.token.clone();
        self.tasks.spawn(async move {
            if let Err(failure) = beside.follow(told, token).await {
                tracing::warn!(%failure, "the state of the agent is no longer followed");
            }
        });
        Ok(handle)
    }

    /// Closes the history.
    async fn close(&self) {
        self.token.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
