//! The agent that runs in another process, seen from beside: its status as its file tells it, that
//! it has begun, and that it has ended.

use std::path::PathBuf;
use std::time::Duration;

use podtap_agent::{LinkState, Status, Target};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::run_file::{Running, holder};
use crate::failure::Failure;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is known of the agent of a history.
#[derive(Debug)]
pub(crate) struct RunningAgent {
    history: PathBuf,
    /// Where replays go whatever the agent does.
    own: Option<Target>,
    /// What was seen last.
    seen: Status,
    /// Whether there was an agent since this began to look.
    has_run: bool,
}

impl RunningAgent {
    /// Begins to look; `seen` is what this process knows by itself.
    pub(crate) fn new(history: PathBuf, own: Option<Target>, seen: Status) -> Self {
        let mut beside = Self {
            history,
            own,
            seen,
            has_run: false,
        };
        beside.refresh();
        beside
    }

    /// What was seen last.
    pub(crate) fn status(&self) -> Status {
        self.seen.clone()
    }

    /// Looks about once a second and tells what has changed, until cancelled.
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
        match Running::last(&self.history) {
            Some(running) if running.pid == holder.pid => self.seen = self.told_by(running),
            // Another agent wrote it: this one begins.
            Some(running) => {
                let link = LinkState::Connecting {
                    attempt: 1,
                    reason: None,
                    retry_at: None,
                };
                let begun = self.told_by(running);
                self.seen = Status {
                    link,
                    target: begun.target,
                    public_url: begun.public_url,
                    ..Status::default()
                };
            }
            // It is being written: what was seen holds until the next look.
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
        Status {
            link,
            target: self.own.clone(),
            pending: self.seen.pending,
            ..Status::default()
        }
    }

    fn told_by(&self, running: Running) -> Status {
        let delivers_to = running.forwards_to.and_then(|target| target.parse().ok());
        let mut status = running.state.into_status();
        status.public_url = running.url;
        if self.own.is_some() && self.own != delivers_to {
            // Of another local service the agent knows nothing.
            status.service = podtap_agent::ServiceState::Unknown;
        }
        status.target = self.own.clone().or(delivers_to);
        status
    }
}

#[cfg(test)]
mod tests {
    use podtap_disk::lock::Lock;
    use podtap_disk::private;

    use super::*;

    const UP: &str = r#"{"state":"up","since":"2026-11-26T05:00:00Z"}"#;

    fn written(history: &std::path::Path, pid: u32) {
        let text = format!(
            r#"{{"url":"https://x/","forwards_to":"http://localhost:3000","pid":{pid},
                "state":{{"link":{UP},"service":{UP}}}}}"#
        );
        private::write(&private::beside(history, ".run"), text.as_bytes()).unwrap();
    }

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn an_agent_that_begins_runs_and_ends_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let history = folder.path().join("crm.db");
        // What a process that was killed has left: nobody holds the lock.
        written(&history, 7);
        let mut beside = RunningAgent::new(history.clone(), None, Status::default());
        assert_eq!(beside.status(), Status::default());

        let lock = Lock::take(&private::beside(&history, ".lock")).unwrap();
        beside.refresh();
        let begun = beside.status();
        assert!(
            matches!(begun.link, LinkState::Connecting { .. }),
            "{begun:?}"
        );
        assert_eq!(begun.target, Some(target("3000")));

        written(&history, std::process::id());
        beside.refresh();
        let running = beside.status();
        assert!(matches!(running.link, LinkState::Up { .. }), "{running:?}");
        assert_eq!(running.public_url.as_deref(), Some("https://x/"));

        // Half a file is one that is being written.
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
        written(&history, std::process::id());
        let seen = |own| RunningAgent::new(history.clone(), Some(own), Status::default()).status();

        let unknown = podtap_agent::ServiceState::Unknown;
        assert_ne!(seen(target("3000")).service, unknown);
        let other = seen(target("4000"));
        assert_eq!(
            (other.target, other.service),
            (Some(target("4000")), unknown)
        );
    }
}
