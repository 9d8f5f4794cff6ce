//! Watches an agent that runs in another process: its
//! status, as its file reports it, and whether it runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use podtap_agent::history::SavedFilters;
use podtap_agent::routes::Routes;
use podtap_agent::{LinkState, Status};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::run_file::{RunState, holder};
use crate::config::Settings;
use crate::failure::Failure;

/// Time between two reads of the agent's file.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The state of a history's agent, read from its file.
#[derive(Debug)]
pub(crate) struct RunningAgent {
    history: PathBuf,
    /// The routes of this process's replays. If they
    /// are empty, replays go where the agent delivers.
    own: Arc<Routes>,
    saved: SavedFilters,
    /// The status at the last read.
    seen: Status,
    /// Whether an agent has run since the watch began.
    has_run: bool,
}

impl RunningAgent {
    /// Begins to watch; `seen` is what this process knows without the agent.
    pub(crate) fn new(
        settings: &Settings,
        own: Arc<Routes>,
        seen: Status,
    ) -> Result<Self, Failure> {
        let saved = settings.filters(Timestamp::now())?;
        Ok(Self::of(settings.history()?, own, saved, seen))
    }

    fn of(history: PathBuf, own: Arc<Routes>, saved: SavedFilters, seen: Status) -> Self {
        let mut beside = Self {
            history,
            own,
            saved,
            seen,
            has_run: false,
        };
        beside.refresh();
        beside
    }

    /// Returns the status at the last read.
    pub(crate) fn status(&self) -> Status {
        self.seen.clone()
    }

    /// Reads the file once per second and sends each changed status, until cancelled.
    pub(crate) async fn follow(
        mut self,
        told: watch::Sender<Status>,
        token: CancellationToken,
    ) -> Result<(), Failure> {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while token.run_until_cancelled(ticks.tick()).await.is_some() {
            self.refresh();
            told.send_if_modified(|status| {
                let is_new = *status != self.seen;
                if is_new {
                    status.clone_from(&self.seen);
                }
                is_new
            });
        }
        Ok(())
    }

    fn refresh(&mut self) {
        let Some(holder) = holder(&self.history) else {
            self.seen = self.without_agent();
            return;
        };
        self.has_run = true;
        match RunState::last(&self.history) {
            Some(running) if running.pid == holder.pid => self.seen = self.told_by(running),
            // An earlier agent wrote the file: the present one is starting.
            Some(running) => {
                let link = LinkState::Connecting {
                    attempt: 1,
                    reason: None,
                    retry_at: None,
                };
                let begun = self.told_by(running);
                let mut seen = Status {
                    link,
                    public_url: begun.public_url,
                    ..Status::default()
                };
                seen.set_routes(&begun.routes);
                self.seen = seen;
            }
            // The file is being written: the last status stays until the next read.
            None => {}
        }
    }

    fn without_agent(&self) -> Status {
        let link = if self.has_run {
            LinkState::Stopped {
                reason: "the agent has ended".to_owned(),
            }
        } else {
            LinkState::Off
        };
        let mut status = Status {
            link,
            pending: self.seen.pending,
            ..Status::default()
        };
        status.set_routes(&self.own);
        status
    }

    fn told_by(&self, running: RunState) -> Status {
        let theirs = Arc::new(running.parse_routes(&self.saved));
        let is_own = !self.own.targets().is_empty();
        let routes = if is_own { &self.own } else { &theirs };
        let told = running.state.into_status();
        let mut status = told.clone();
        status.set_routes(routes);
        if *routes == theirs {
            // The agent knows the service's state only for its own targets.
            status.service = told.service;
            for (target, told) in status.targets.iter_mut().zip(told.targets) {
                *target = told;
            }
        }
        (status.in_flight, status.lanes) = (told.in_flight, told.lanes);
        status.public_url = running.url;
        status
    }
}

#[cfg(test)]
mod tests {
    use podtap_agent::Target;
    use podtap_disk::lock::Lock;
    use podtap_disk::private;

    use super::*;

    const UP: &str = r#"{"state":"up","since":"2026-11-26T05:00:00Z"}"#;

    fn write_run_file(history: &std::path::Path, pid: u32) {
        let text = format!(
            r#"{{"url":"https://x/","forwards_to":"http://localhost:3000","pid":{pid},
                "state":{{"link":{UP},"service":{UP}}}}}"#
        );
        private::write(&private::beside(history, ".run"), text.as_bytes()).unwrap();
    }

    fn beside(history: PathBuf, own: Option<Target>) -> RunningAgent {
        let own = Arc::new(Routes::to(own));
        RunningAgent::of(history, own, SavedFilters::default(), Status::default())
    }

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn an_agent_that_begins_runs_and_ends_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let history = folder.path().join("crm.db");
        // The file of a killed process: no process holds the lock.
        write_run_file(&history, 7);
        let mut beside = beside(history.clone(), None);
        assert_eq!(beside.status(), Status::default());

        let lock = Lock::take(&private::beside(&history, ".lock")).unwrap();
        beside.refresh();
        let begun = beside.status();
        assert!(
            matches!(begun.link, LinkState::Connecting { .. }),
            "{begun:?}"
        );
        assert_eq!(begun.target, Some(target("3000")));

        write_run_file(&history, std::process::id());
        beside.refresh();
        let running = beside.status();
        assert!(matches!(running.link, LinkState::Up { .. }), "{running:?}");
        assert_eq!(running.public_url.as_deref(), Some("https://x/"));

        // Half a file means that it is being written.
        private::write(&private::beside(&history, ".run"), b"{\"url\":").unwrap();
        beside.refresh();
        assert_eq!(beside.status(), running);

        drop(lock);
        beside.refresh();
        let ended = beside.status();
        assert!(matches!(ended.link, LinkState::Stopped { .. }), "{ended:?}");
        assert_eq!(ended.target, None);
    }

    #[test]
    fn a_local_service_of_ones_own_stays_and_is_not_taken_for_the_agents() {
        let folder = tempfile::tempdir().unwrap();
        let history = folder.path().join("crm.db");
        let _lock = Lock::take(&private::beside(&history, ".lock")).unwrap();
        write_run_file(&history, std::process::id());
        let seen = |own| beside(history.clone(), Some(own)).status();

        let unknown = podtap_agent::ServiceState::Unknown;
        assert_ne!(seen(target("3000")).service, unknown);
        let other = seen(target("4000"));
        assert_eq!(
            (other.target, other.service),
            (Some(target("4000")), unknown)
        );
    }
}
