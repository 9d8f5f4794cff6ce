//! What a relay offers its agents: the same for all of them, and told in each welcome.

use std::time::Duration;

use podtap_wire::{RelayLimits, Welcome};
use url::Url;

use super::account::max_answer_bytes;
use crate::admin::SERVER;
use crate::config::Limits;
use crate::tunnel::directory::Tunnel;

/// The terms of a session.
#[derive(Debug)]
pub(crate) struct SessionTerms {
    public_url: Url,
    /// Those that agents are told; `window` is each agent's own.
    told: RelayLimits,
    /// From the upgrade to the hello.
    pub(super) hello_timeout: Duration,
    /// The largest message of an agent that sends answers.
    pub(super) max_answer_bytes: usize,
    /// Bytes sent and not acknowledged yet.
    pub(super) max_unacknowledged_bytes: usize,
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
        }
    }

    /// The welcome of one agent.
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
