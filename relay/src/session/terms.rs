//! Defines what a relay offers to all its agents and sends in each welcome.

use std::time::Duration;

use podtap_wire::limits::PING_PERIOD;
use podtap_wire::{RelayLimits, Welcome};
use tokio::time::Instant;
use url::Url;

use super::account::max_answer_bytes;
use crate::admin::SERVER;
use crate::config::Limits;
use crate::tunnel::directory::Tunnel;

/// Pings are sent at multiples of this period. So the pings of thousands of agents, and
/// their answers, wake the relay ten times per second and not once each.
const PINGS_TOGETHER: Duration = Duration::from_millis(100);

/// The terms of a session.
#[derive(Debug)]
pub(crate) struct SessionTerms {
    public_url: Url,
    /// Limits as sent to agents; `window` is different for each agent.
    told: RelayLimits,
    /// Time from the upgrade to the hello.
    pub(super) hello_timeout: Duration,
    /// Maximum size of a message of an agent that sends answers.
    pub(super) max_answer_bytes: usize,
    /// Maximum number of bytes sent and not acknowledged yet.
    pub(super) max_unacknowledged_bytes: usize,
    /// Start of the ping periods.
    began: Instant,
}

impl SessionTerms {
    pub(crate) fn new(limits: &Limits, public_url: Url) -> Self {
        Self {
            public_url,
            told: RelayLimits {
                window: 0,
                max_body_bytes: limits.max_body_bytes as u64,
                max_queue_events: limits.max_queue_events,
                max_queue_bytes: limits.max_queue_bytes,
                max_age_s: limits.max_age.as_secs(),
                max_response_bytes: limits.max_response_bytes as u64,
            },
            hello_timeout: limits.hello_timeout,
            max_answer_bytes: max_answer_bytes(limits),
            max_unacknowledged_bytes: limits.max_unacknowledged_bytes,
            began: Instant::now(),
        }
    }

    /// Returns the time of the first ping for an agent that arrives now: within one period,
    /// together with other agents.
    pub(super) fn first_ping(&self) -> Instant {
        let passed = (self.began.elapsed() + PING_PERIOD).as_millis();
        let together = passed / PINGS_TOGETHER.as_millis();
        let multiple = u32::try_from(together).unwrap_or(u32::MAX);
        self.began + PINGS_TOGETHER * multiple
    }

    /// Returns the welcome for one agent.
    pub(super) fn welcome(
        &self,
        tunnel: &Tunnel,
        window: u32,
        backlog: u64,
        epoch: u64,
    ) -> Welcome {
        Welcome {
            url: tunnel.url(&self.public_url),
            tunnel: tunnel.name.clone(),
            backlog,
            limits: RelayLimits {
                window,
                ..self.told.clone()
            },
            server: SERVER.to_owned(),
            epoch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn agents_that_come_one_after_the_other_are_pinged_together() {
        let terms = SessionTerms::new(&Limits::default(), "http://127.0.0.1".parse().unwrap());
        tokio::time::advance(Duration::from_millis(1_234)).await;
        let first = terms.first_ping();
        tokio::time::advance(Duration::from_millis(50)).await;
        assert_eq!(terms.first_ping(), first);
        tokio::time::advance(Duration::from_millis(50)).await;
        assert_eq!(terms.first_ping(), first + PINGS_TOGETHER);

        let wait = terms.first_ping() - Instant::now();
        assert!(wait <= PING_PERIOD && wait + PINGS_TOGETHER > PING_PERIOD);
    }
}
