//! Opens a history and finds events by a short id, for the commands that read it.

use std::path::Path;
use std::sync::Arc;

use podtap_agent::history::{Event, History, HistoryError};
use podtap_agent::routes::Routes;
use podtap_agent::{Agent, AgentConfig, AgentHandle, OpenError};
use podtap_wire::EventId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::running::{AgentProcess, RunningAgent, holder};

/// What to do if the history's disk is full.
pub(super) const FREE_SPACE: &str =
    "free some space on that disk; the relay keeps new events until then";

/// Returns the path of the tunnel's history, which must exist.
pub(super) fn existing(settings: &Settings) -> Result<std::path::PathBuf, Failure> {
    let path = settings.history()?;
    if path.exists() {
        return Ok(path);
    }
    Err(Failure::new(
        Code::NothingMatched,
        format!("the tunnel {} has no history yet", settings.tunnel()?),
    )
    .fact("file", path.display().to_string())
    .hint("`podtap listen 3000` creates one; --name chooses another tunnel"))
}

/// Opens an agent that only browses and replays: it neither receives nor delivers events.
pub(super) fn browser(
    settings: &Settings,
    routes: &Routes,
) -> Result<(Agent, AgentHandle), Failure> {
    let mut config = AgentConfig::new(existing(settings)?);
    config.target = routes.rest().cloned();
    config.routes = routes.list().to_vec();
    config.delivery = super::delivery::delivery(settings)?;
    config.podio = super::podio::agent_config(settings)?;
    config.trust = settings.trust()?;
    let path = config.history.clone();
    Agent::open(config).map_err(|error| open_failure(&path, &error))
}

/// Opens such an agent with the current status of the running agent, if there is one.
pub(super) fn beside(settings: &Settings) -> Result<(Agent, AgentHandle), Failure> {
    let own = Arc::new(Routes::default());
    let (agent, handle) = browser(settings, &own)?;
    let seen = handle.status().borrow().clone();
    let beside = RunningAgent::new(settings, own, seen)?;
    let (_, status) = watch::channel(beside.status());
    Ok((agent, handle.with_status_of_another(status)))
}

/// Runs such an agent until `token` is cancelled, then closes the history.
pub(super) async fn run_browser(agent: Agent, token: CancellationToken) -> Result<(), Failure> {
    let ended = agent.run(token).await;
    ended.map_err(|error| Failure::because("the history cannot be used", &error))
}

/// Opens only the history, read-only.
pub(super) fn open(settings: &Settings) -> Result<History, Failure> {
    let path = existing(settings)?;
    History::open_read_only(&path).map_err(Failure::from)
}

/// Finds the event with this id, or with this beginning or end of an id, if exactly one matches.
pub(super) async fn find(history: &History, text: &str) -> Result<EventId, Failure> {
    match history.find(text).await?.as_slice() {
        [id] => Ok(*id),
        [] => Err(Failure::new(
            Code::NothingMatched,
            format!("no event has the id `{text}`"),
        )
        .hint("`podtap events` lists them")),
        several => {
            let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(
                Failure::usage(format!("`{text}` is the id of several events"))
                    .fact("ids", ids.join("\n")),
            )
        }
    }
}

/// Loads an event that was found before; fails if retention has deleted it since.
pub(super) async fn load(history: &History, id: EventId) -> Result<Event, Failure> {
    history.event(id).await?.ok_or_else(|| {
        Failure::new(
            Code::NothingMatched,
            format!("the event {id} is no longer in the history"),
        )
    })
}

/// Refuses a second `listen` for a tunnel, before anything starts.
pub(super) fn refuse_second(settings: &Settings) -> Result<(), Failure> {
    match holder(&settings.history()?) {
        Some(holder) => Err(listens_already(holder, Some(settings.tunnel()?.as_str()))),
        None => Ok(()),
    }
}

fn listens_already(holder: AgentProcess, tunnel: Option<&str>) -> Failure {
    let of = tunnel.map_or(String::new(), |tunnel| format!(" for the tunnel {tunnel}"));
    let failure = Failure::new(
        Code::Failed,
        format!("podtap listen is already running{of}"),
    );
    let failure = match holder.pid {
        Some(pid) => failure.fact("pid", pid.to_string()),
        None => failure,
    };
    failure.hint("`podtap ui` shows its history; --name starts another tunnel beside it")
}

/// Returns the failure for a history that cannot be opened.
pub(super) fn open_failure(path: &Path, error: &OpenError) -> Failure {
    if let OpenError::Taken { pid } = error {
        return listens_already(AgentProcess { pid: *pid }, None);
    }
    let failure = Failure::because("the history cannot be opened", error)
        .fact("file", path.display().to_string());
    match error {
        OpenError::History(HistoryError::Full { .. }) => failure.hint(FREE_SPACE),
        OpenError::History(HistoryError::Newer { .. }) => failure,
        _ => failure.hint("choose another tunnel with --name, or another folder with --data-dir"),
    }
}

impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        Self::because("the history cannot be used", &error)
    }
}
