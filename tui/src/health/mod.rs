//! How the agent is, and was: the link's last states are kept here as they change.

mod effect;
mod view;

use std::collections::VecDeque;

use jiff::Timestamp;
use podtap_agent::LinkState;

pub(crate) use effect::{HealthAnswer, HealthEffect, run};
pub(crate) use view::{HealthProps, scroll, window};

use crate::theme::Role;

/// States of the link that are remembered.
const MOST: usize = 10;

/// What is remembered for the health window.
#[derive(Debug, Clone, Default)]
pub(crate) struct HealthPane {
    /// The link's states in words, the latest last, each since when.
    link: VecDeque<(Timestamp, Role, String)>,
    /// Bytes of the history on the disk, once that is known.
    bytes: Option<u64>,
    /// Events of the history, once they were counted.
    events: Option<u64>,
}

impl HealthPane {
    /// What there is to remember at the start.
    pub(crate) fn of(link: &LinkState, now: Timestamp) -> Self {
        let since = match link {
            LinkState::Up { since } => *since,
            _ => now,
        };
        let mut health = Self::default();
        health.remember(link, since);
        health
    }

    /// The link's states in words, the latest first, each since when.
    pub(crate) fn link(&self) -> impl Iterator<Item = &(Timestamp, Role, String)> {
        self.link.iter().rev()
    }

    /// Bytes of the history on the disk, once that is known.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// Events of the history, once they were counted.
    pub(crate) fn events(&self) -> Option<u64> {
        self.events
    }

    /// The size of the history is known; one that cannot be read stays what it was.
    pub(crate) fn on_answer(&mut self, answer: HealthAnswer) {
        let HealthAnswer::Measured { bytes, events } = answer;
        self.bytes = bytes.or(self.bytes);
        self.events = events.or(self.events);
    }

    /// The link is in this state at `now`. A state that says the same as the last is no news:
    /// each try to connect again would be one.
    pub(crate) fn remember(&mut self, state: &LinkState, now: Timestamp) {
        let (role, words) = match state {
            LinkState::Off => return,
            LinkState::Up { .. } => (Role::Ok, "up".to_owned()),
            LinkState::Stopped { reason } => (Role::Failed, format!("stopped: {reason}")),
            LinkState::Connecting {
                reason: Some(reason),
                ..
            } => (Role::Failed, reason.clone()),
            LinkState::Connecting { .. } => (Role::Waiting, "connecting".to_owned()),
        };
        let last = self.link.back();
        if last.is_some_and(|(_, _, last)| *last == words) {
            return;
        }
        self.link.push_back((now, role, words));
        if self.link.len() > MOST {
            self.link.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn away(attempt: u32) -> LinkState {
        LinkState::Connecting {
            attempt,
            reason: Some("connection refused".to_owned()),
            retry_at: None,
        }
    }

    #[test]
    fn states_are_remembered_once_and_only_the_last_few() {
        let mut health = HealthPane::default();
        health.remember(&LinkState::Off, now(0));
        for attempt in 1..5 {
            health.remember(&away(attempt), now(i64::from(attempt)));
        }
        let told: Vec<_> = health.link().map(|(at, ..)| *at).collect();
        assert_eq!(told, [now(1)], "one, from its first try on");

        for second in 10..40 {
            let up = LinkState::Up { since: now(second) };
            health.remember(&up, now(second));
            health.remember(&away(1), now(second));
        }
        assert_eq!(health.link().count(), MOST);
        assert_eq!(health.link().next().map(|(at, ..)| *at), Some(now(39)));
    }
}
