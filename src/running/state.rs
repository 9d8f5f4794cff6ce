//! The state of an agent in its file: what the terminal UI shows about the link, the local
//! service and the queued events. A reader ignores fields and states that it does not know.

use jiff::Timestamp;
use podtap_agent::status::TargetStatus;
use podtap_agent::{LinkState, ServiceState, Status};
use serde::{Deserialize, Serialize};

/// Maximum length of a reason, in characters.
const REASON: usize = 300;

/// Maximum number of failed hooks in the file.
const FAILED_HOOKS: usize = 20;

/// The state of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RunningState {
    tunnel: Option<String>,
    link: LinkNow,
    service: ServiceNow,
    targets: Vec<TargetState>,
    on_relay: u64,
    waiting: u64,
    in_flight: usize,
    lanes: usize,
    retries: u64,
    reconnects: u64,
    failed_hooks: Vec<String>,
}

/// The state of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TargetState {
    target: String,
    #[serde(default)]
    service: ServiceNow,
    #[serde(default)]
    in_flight: usize,
    #[serde(default)]
    lanes: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum LinkNow {
    Connecting {
        attempt: u32,
        reason: Option<String>,
        retry_at: Option<Timestamp>,
    },
    Up {
        since: Timestamp,
    },
    Stopped {
        reason: String,
    },
    #[default]
    #[serde(other)]
    Off,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum ServiceNow {
    Up {
        since: Timestamp,
    },
    Down {
        since: Timestamp,
        reason: String,
    },
    #[default]
    #[serde(other)]
    Unknown,
}

impl RunningState {
    /// Builds the state from an agent's status.
    pub(super) fn of(status: &Status) -> Self {
        let failed_hooks = status.failed_hooks.iter().take(FAILED_HOOKS);
        Self {
            tunnel: status.tunnel.clone(),
            link: LinkNow::of(&status.link),
            service: ServiceNow::of(&status.service),
            targets: status.targets.iter().map(TargetState::of).collect(),
            on_relay: status.backlog,
            waiting: status.pending,
            in_flight: status.in_flight,
            lanes: status.lanes,
            retries: status.retries,
            reconnects: status.reconnects,
            failed_hooks: failed_hooks.map(|hook| short(hook)).collect(),
        }
    }

    /// Rebuilds the status, without the public URL and the routes.
    pub(super) fn into_status(self) -> Status {
        Status {
            tunnel: self.tunnel,
            link: self.link.into_state(),
            service: self.service.into_state(),
            targets: self
                .targets
                .into_iter()
                .filter_map(TargetState::into_status)
                .collect(),
            backlog: self.on_relay,
            pending: self.waiting,
            in_flight: self.in_flight,
            lanes: self.lanes,
            retries: self.retries,
            reconnects: self.reconnects,
            failed_hooks: self.failed_hooks,
            ..Status::default()
        }
    }
}

impl TargetState {
    fn of(status: &TargetStatus) -> Self {
        Self {
            target: status.target.to_string(),
            service: ServiceNow::of(&status.service),
            in_flight: status.in_flight,
            lanes: status.lanes,
        }
    }

    fn into_status(self) -> Option<TargetStatus> {
        Some(TargetStatus {
            target: self.target.parse().ok()?,
            service: self.service.into_state(),
            in_flight: self.in_flight,
            lanes: self.lanes,
        })
    }
}

impl LinkNow {
    fn of(state: &LinkState) -> Self {
        match state {
            LinkState::Off => Self::Off,
            LinkState::Connecting {
                attempt,
                reason,
                retry_at,
            } => Self::Connecting {
                attempt: *attempt,
                reason: reason.as_deref().map(short),
                retry_at: *retry_at,
            },
            LinkState::Up { since } => Self::Up { since: *since },
            LinkState::Stopped { reason } => Self::Stopped {
                reason: short(reason),
            },
        }
    }

    fn into_state(self) -> LinkState {
        match self {
            Self::Off => LinkState::Off,
            Self::Connecting {
                attempt,
                reason,
                retry_at,
            } => LinkState::Connecting {
                attempt,
                reason,
                retry_at,
            },
            Self::Up { since } => LinkState::Up { since },
            Self::Stopped { reason } => LinkState::Stopped { reason },
        }
    }
}

impl ServiceNow {
    fn of(state: &ServiceState) -> Self {
        match state {
            ServiceState::Unknown => Self::Unknown,
            ServiceState::Up { since } => Self::Up { since: *since },
            ServiceState::Down { since, reason } => Self::Down {
                since: *since,
                reason: short(reason),
            },
        }
    }

    fn into_state(self) -> ServiceState {
        match self {
            Self::Unknown => ServiceState::Unknown,
            Self::Up { since } => ServiceState::Up { since },
            Self::Down { since, reason } => ServiceState::Down { since, reason },
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_comes_back_as_it_was() {
        let since = Timestamp::UNIX_EPOCH;
        let reason = || "connection refused".to_owned();
        let links = [
            LinkState::Off,
            LinkState::Up { since },
            LinkState::Stopped { reason: reason() },
            LinkState::Connecting {
                attempt: 3,
                reason: Some(reason()),
                retry_at: Some(since),
            },
        ];
        let services = [
            ServiceState::Unknown,
            ServiceState::Up { since },
            ServiceState::Down {
                since,
                reason: reason(),
            },
            ServiceState::Unknown,
        ];
        for (link, service) in links.into_iter().zip(services) {
            let status = Status {
                link,
                service,
                backlog: 1,
                pending: 2,
                in_flight: 3,
                lanes: 4,
                retries: 5,
                reconnects: 6,
                tunnel: Some("crm".to_owned()),
                failed_hooks: vec!["app 9".to_owned()],
                targets: vec![TargetStatus::of("3000".parse().unwrap())],
                ..Status::default()
            };
            let text = serde_json::to_string(&RunningState::of(&status)).unwrap();
            let read: RunningState = serde_json::from_str(&text).unwrap();
            assert_eq!(read.into_status(), status, "{text}");
        }
    }

    #[test]
    fn what_is_not_known_costs_only_itself() {
        let text =
            r#"{"link":{"state":"asleep","for":3},"service":{"state":"odd"},"on_relay":7,"new":1}"#;
        let status = serde_json::from_str::<RunningState>(text)
            .unwrap()
            .into_status();
        assert_eq!((status.link, status.backlog), (LinkState::Off, 7));
    }

    #[test]
    fn reasons_and_failed_hooks_are_bounded() {
        let status = Status {
            link: LinkState::Stopped {
                reason: "é".repeat(REASON + 1),
            },
            failed_hooks: vec!["x".repeat(REASON + 1); FAILED_HOOKS + 1],
            ..Status::default()
        };
        let told = RunningState::of(&status).into_status();
        assert_eq!(told.failed_hooks, vec!["x".repeat(REASON); FAILED_HOOKS]);
        let reason = "é".repeat(REASON);
        assert_eq!(told.link, LinkState::Stopped { reason });
    }
}
