//! Reads and writes the file beside a history that describes its
//! running agent, and finds the process that holds the history.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use podtap_agent::history::SavedFilters;
use podtap_agent::routes::{Route, Routes};
use podtap_agent::{AgentHandle, Target};
use podtap_disk::lock::{Lock, LockError};
use podtap_disk::private;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::state::RunningState;
use crate::failure::Failure;

/// Suffix of the file's name.
const FILE: &str = ".run";

/// Minimum time between two writes, unless the URL or the targets have changed.
const WRITE_EVERY: Duration = Duration::from_millis(300);

/// The agent's description of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunState {
    /// The tunnel's public URL, known once the relay has sent it.
    pub(crate) url: Option<String>,
    /// The local service.
    pub(crate) forwards_to: Option<String>,
    /// Routes of events that do not go to `forwards_to`.
    #[serde(default)]
    pub(crate) routes: Vec<String>,
    /// Id of the process that wrote this.
    #[serde(default)]
    pub(super) pid: Option<u32>,
    #[serde(default)]
    pub(super) state: RunningState,
}

/// The process that listens for a history's tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AgentProcess {
    /// Process id, if known.
    pub(crate) pid: Option<u32>,
}

/// Returns the process that listens for the tunnel of this history now.
pub(crate) fn holder(history: &Path) -> Option<AgentProcess> {
    match Lock::check(&private::beside(history, ".lock")) {
        Err(LockError::Taken(pid)) => Some(AgentProcess { pid }),
        Ok(()) | Err(LockError::Io(_)) => None,
    }
}

impl RunState {
    /// Reads the last description, even if its agent has ended.
    pub(crate) fn last(history: &Path) -> Option<Self> {
        let text = std::fs::read(private::beside(history, FILE)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Reads the description if an agent runs now.
    pub(crate) fn now(history: &Path) -> Option<Self> {
        holder(history).and_then(|_| Self::last(history))
    }

    /// Returns where the agent delivers events; `saved` resolves `@name`.
    pub(crate) fn parse_routes(&self, saved: &SavedFilters) -> Routes {
        let now = Timestamp::now();
        let routes = self.routes.iter();
        let routes = routes.filter_map(|text| Route::parse(text, now, saved).ok());
        let rest = self.forwards_to.as_deref();
        let rest = rest.and_then(|to| Target::from_setting(to).ok());
        Routes::new(routes.collect(), rest).unwrap_or_default()
    }

    /// Returns the target of events that match no route; without one, the target of the last route.
    pub(crate) fn target(&self, saved: &SavedFilters) -> Option<Target> {
        let routes = self.parse_routes(saved);
        routes.rest().or_else(|| routes.targets().last()).cloned()
    }

    fn of(handle: &AgentHandle) -> Self {
        let status = handle.status();
        let status = status.borrow();
        Self {
            url: status.public_url.clone(),
            forwards_to: status.routes.rest().map(ToString::to_string),
            routes: status
                .routes
                .list()
                .iter()
                .map(ToString::to_string)
                .collect(),
            pid: Some(std::process::id()),
            state: RunningState::of(&status),
        }
    }
}

/// Writes the description when it changes, until cancelled: at
/// once if the URL or the targets change, otherwise at intervals.
pub(crate) async fn publish(
    history: std::path::PathBuf,
    handle: AgentHandle,
    token: CancellationToken,
) -> Result<(), Failure> {
    let path = private::beside(&history, FILE);
    let mut status = handle.status();
    // The URL of an earlier run is valid until the relay sends another.
    let mut told = RunState::last(&history).unwrap_or_default();
    let mut due = Instant::now();
    loop {
        let mut now = RunState::of(&handle);
        now.url = now.url.or_else(|| told.url.clone());
        let ways = |of: &RunState| (of.url.clone(), of.forwards_to.clone(), of.routes.clone());
        let leads_elsewhere = ways(&now) != ways(&told);
        if now != told && (leads_elsewhere || due <= Instant::now()) {
            let (path, text) = (path.clone(), serde_json::to_vec(&now).unwrap_or_default());
            // The disk may be slow, and deliveries must not wait for it.
            let written = spawn_blocking(move || private::write(&path, &text)).await;
            if let Ok(Err(error)) = written {
                tracing::debug!(%error, "other commands cannot find this process");
            }
            told = now.clone();
            due = Instant::now() + WRITE_EVERY;
        }
        tokio::select! {
            () = token.cancelled() => return Ok(()),
            () = sleep_until(due), if now != told => {}
            changed = status.changed() => if changed.is_err() {
                token.cancelled().await;
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(routes: &[&str], forwards_to: Option<&str>) -> Option<String> {
        let running = RunState {
            routes: routes.iter().map(ToString::to_string).collect(),
            forwards_to: forwards_to.map(ToOwned::to_owned),
            ..RunState::default()
        };
        let target = running.target(&SavedFilters::default());
        target.map(|target| target.to_string())
    }

    #[test]
    fn the_target_is_that_of_events_that_match_no_route() {
        let (first, second) = ("http://localhost:3001", "http://localhost:3002");
        let routes = ["type:task.*=3001", "type:item.*=3002"];
        assert_eq!(
            target(&routes, Some("3000")).unwrap(),
            "http://localhost:3000"
        );
        assert_eq!(
            target(&routes, Some("3001")).unwrap(),
            first,
            "shared with a route"
        );
        assert_eq!(target(&routes, None).unwrap(), second);
        assert_eq!(target(&[], None), None);
    }
}
