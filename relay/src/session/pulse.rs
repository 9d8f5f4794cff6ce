//! Whether the agent at the other end of a session lives: it is asked, and has a moment to answer.

use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

/// Time for a live agent to answer a ping. Well below the time that an agent waits for its welcome.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Signs of life of one agent.
#[derive(Debug)]
pub(super) struct Pulse {
    /// When something was heard last.
    heard: watch::Sender<Instant>,
    /// Somebody wants to know.
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
    /// Notes that something was heard now.
    pub(super) fn beat(&self) {
        self.heard.send_replace(Instant::now());
    }

    /// Resolves when the agent is to be asked for a sign of life.
    ///
    /// # Cancel safety
    /// Safe: a question that nobody took stays.
    pub(super) async fn wait_for_question(&self) {
        self.asked.notified().await;
    }

    /// Asks the agent. Since when an answer counts.
    pub(super) fn ask(&self) -> Instant {
        self.asked.notify_one();
        Instant::now()
    }

    /// Whether something was heard since then.
    pub(super) fn was_heard_since(&self, since: Instant) -> bool {
        *self.heard.borrow() > since
    }

    /// Asks the agent, and says whether it answered in time.
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
