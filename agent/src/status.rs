//! The current state of an agent: cheap to clone, watched by the terminal UI and `--json`.

use std::sync::Arc;

use jiff::Timestamp;

use crate::routes::Routes;
use crate::target::Target;

/// The state of an agent at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The connection to the relay.
    pub link: LinkState,
    /// The tunnel's public URL, known after the first welcome.
    pub public_url: Option<String>,
    /// The tunnel's name; `None` without a relay.
    pub tunnel: Option<String>,
    /// The target of events that match no route, else the first target.
    pub target: Option<Target>,
    /// State of the local service; with several targets, that of an unreachable one.
    pub service: ServiceState,
    /// All targets, without duplicates.
    pub targets: Vec<TargetStatus>,
    /// The routes of events.
    pub routes: Arc<Routes>,
    /// Number of events that waited on the relay at the last welcome, minus those received since.
    pub backlog: u64,
    /// Number of events in the history that were not yet offered to the local service.
    pub pending: u64,
    /// Number of running attempts.
    pub in_flight: usize,
    /// Number of objects that have a waiting or running event: each has its own lane.
    pub lanes: usize,
    /// Number of attempts since the agent started that found no service or lost their connection;
    /// their events went back to their lanes.
    pub retries: u64,
    /// Number of connections after the first one.
    pub reconnects: u64,
    /// Configured hooks that cannot be created, each with the reason and the cure. Contains Podio's
    /// words: escape them before showing them.
    pub failed_hooks: Vec<String>,
}

/// The state of a target at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetStatus {
    pub target: Target,
    pub service: ServiceState,
    /// Number of running attempts at this target.
    pub in_flight: usize,
    /// Number of objects that have a waiting or running event for this target.
    pub lanes: usize,
}

impl TargetStatus {
    /// Returns the status of a target about which nothing is known yet.
    pub fn of(target: Target) -> Self {
        Self {
            target,
            service: ServiceState::Unknown,
            in_flight: 0,
            lanes: 0,
        }
    }
}

impl Status {
    /// Sets the routes; nothing is known yet about their targets.
    pub fn set_routes(&mut self, routes: &Arc<Routes>) {
        let targets = routes.targets().iter().cloned();
        self.targets = targets.map(TargetStatus::of).collect();
        self.target = routes.rest().or(routes.targets().first()).cloned();
        self.routes = Arc::clone(routes);
        self.service = ServiceState::Unknown;
        (self.in_flight, self.lanes) = (0, 0);
    }

    /// Sums up the targets: down if one of them is, which the reason then names.
    pub(crate) fn judge_service(&mut self) {
        let is_one = self.targets.len() == 1;
        let down = self.targets.iter().find_map(|of| match &of.service {
            ServiceState::Down { since, reason } => Some(ServiceState::Down {
                since: *since,
                reason: if is_one {
                    reason.clone()
                } else {
                    format!("{}: {reason}", of.target)
                },
            }),
            _ => None,
        });
        let up = self.targets.iter().filter_map(|of| match &of.service {
            ServiceState::Up { since } => Some(*since),
            _ => None,
        });
        let up = up.max().map(|since| ServiceState::Up { since });
        self.service = down.or(up).unwrap_or_default();
    }
}

/// The state of the connection to the relay. Its words come only from a confirmed handshake.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LinkState {
    /// No relay is configured.
    #[default]
    Off,
    /// Dialling, or waiting to dial again.
    Connecting {
        /// Number of attempts since the last connection.
        attempt: u32,
        /// Why the last connection or attempt ended, in words; `None` at the first.
        reason: Option<String>,
        /// Time of the next attempt; `None` while one is running.
        retry_at: Option<Timestamp>,
    },
    /// The relay has sent its welcome.
    Up { since: Timestamp },
    /// Ended for good: the token was refused or revoked,
    /// the version was refused, or another agent took over.
    Stopped { reason: String },
}

impl LinkState {
    /// Returns the state as one word, and its reason.
    pub fn word_and_reason(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Off => ("off", None),
            Self::Connecting { reason, .. } => ("connecting", reason.as_deref()),
            Self::Up { .. } => ("up", None),
            Self::Stopped { reason } => ("stopped", Some(reason)),
        }
    }
}

/// The state of the local service according to the last attempt or probe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ServiceState {
    /// Nothing was sent yet.
    #[default]
    Unknown,
    /// It answered.
    Up { since: Timestamp },
    /// It cannot be reached; the lanes wait and probe.
    Down {
        since: Timestamp,
        /// The reason, in words, such as `connection refused`.
        reason: String,
    },
}
