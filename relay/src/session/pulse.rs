//! Finds out whether the agent of a session is alive, by asking it and waiting a moment for
//! the answer.

use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

/// Time for a live agent to answer a ping. It is much shorter than the time for which an
/// agent waits for its welcome.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Signs of life of one agent.
#[derive(Debug)]
pub(super) struct Pulse {
    /// Time of the last message from the agent.
    heard: watch::Sender<Instant>,
    /// Notified when the agent must be asked.
    asked: Notify,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            heard: watch::Sender::new(Instant::now()),
            asked: Notify::new(),
        }
    }
}

impl Pulse {
    /// Notes that something was received now.
    pub(super) fn beat(&self) {
        self.heard.send_replace(Instant::now());
    }

    /// Waits until the agent must be asked for a sign of life.
    ///
    /// # Cancel safety
    /// Safe: a question that was not returned stays.
    pub(super) async fn wait_for_question(&self) {
        self.asked.notified().await;
    }

    /// Asks the agent. Returns the time from which an answer counts.
    pub(super) fn ask(&self) -> Instant {
        self.asked.notify_one();
        Instant::now()
    }

    /// Returns whether something was received since then.
    pub(super) fn was_heard_since(&self, since: Instant) -> bool {
        *self.heard.borrow() > since
    }

    /// Asks the agent and returns whether it answered in time.
    pub(super) async fn is_alive(&self) -> bool {
        let mut heard = self.heard.subscribe();
        heard.mark_unchanged();
        self.asked.notify_one();
        timeout(ANSWER_LIMIT, heard.changed())
            .await
            .is_ok_and(|changed| changed.is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_what_is_heard_after_the_question_counts() {
        let pulse = Pulse::default();
        pulse.beat();
        assert!(!pulse.is_alive().await);
        let (alive, ()) = tokio::join!(pulse.is_alive(), async {
            pulse.wait_for_question().await;
            pulse.beat();
        });
        assert!(alive);
    }
}
