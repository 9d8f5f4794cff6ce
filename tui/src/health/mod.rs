//! Keeps the state of the health window: the last states of the link, and the size of the history.

mod effect;
mod view;

use std::collections::VecDeque;

use jiff::Timestamp;
use podtap_agent::LinkState;

pub(crate) use effect::{HealthAnswer, HealthEffect, run};
pub(crate) use view::{HealthProps, scroll, window};

use crate::theme::Role;

/// Maximum number of states of the link to keep.
const MOST: usize = 10;

/// The state of the health window.
#[derive(Debug, Clone, Default)]
pub(crate) struct HealthPane {
    /// The states of the link, the latest last, each with its start, colour and description.
    link: VecDeque<(Timestamp, Role, String)>,
    /// Bytes of the history on the disk; `None` until they are known.
    bytes: Option<u64>,
    /// Number of events in the history; `None` until they are counted.
    events: Option<u64>,
}

impl HealthPane {
    /// Creates the state at the start.
    pub(crate) fn of(link: &LinkState, now: Timestamp) -> Self {
        let since = match link {
            LinkState::Up { since } => *since,
            _ => now,
        };
        let mut health = Self::default();
        health.remember(link, since);
        health
    }

    /// Returns the states of the link, the latest first, each with its
    /// start, colour and description.
    pub(crate) fn link(&self) -> impl Iterator<Item = &(Timestamp, Role, String)> {
        self.link.iter().rev()
    }

    /// Returns the bytes of the history on the disk; `None` until they are known.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// Returns the number of events in the history; `None` until they are counted.
    pub(crate) fn events(&self) -> Option<u64> {
        self.events
    }

    /// Stores the size of the history. A size that could not be read keeps its former value.
    pub(crate) fn on_answer(&mut self, answer: HealthAnswer) {
        let HealthAnswer::Measured { bytes, events } = answer;
        self.bytes = bytes.or(self.bytes);
        self.events = events.or(self.events);
    }

    /// Records the state of the link at `now`. A state with the same description as the last one is
    /// not recorded, because each attempt to reconnect would add one.
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
