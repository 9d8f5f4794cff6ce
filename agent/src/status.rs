//! What an agent is doing right now: cheap to clone, watched by the terminal UI and `--json`.

use std::sync::Arc;

use jiff::Timestamp;

use crate::routes::Routes;
use crate::target::Target;

/// The agent at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The connection to the relay.
    pub link: LinkState,
    /// The tunnel's public URL, known from the first welcome on.
    pub public_url: Option<String>,
    /// The tunnel's name; `None` without a relay.
    pub tunnel: Option<String>,
    /// Where events are delivered to that no route takes, else the first target.
    pub target: Option<Target>,
    /// The local service; of several targets, one that is away.
    pub service: ServiceState,
    /// Every target, each once.
    pub targets: Vec<TargetStatus>,
    /// Where events go.
    pub routes: Arc<Routes>,
    /// Events that waited on the relay at the last welcome, less those taken since.
    pub backlog: u64,
    /// Events in the history that were not yet offered to the local service.
    pub pending: u64,
    /// Attempts under way.
    pub in_flight: usize,
    /// Objects of which an event waits or is under way: each has a lane of its own.
    pub lanes: usize,
    /// Attempts that found nobody or lost their connection since the agent started; their events
    /// went back to their lanes.
    pub retries: u64,
    /// Connections made after the first one.
    pub reconnects: u64,
    /// Hooks that were wanted and cannot be had, each with the reason and the cure. Podio's words are
    /// among them: escape them before showing them.
    pub failed_hooks: Vec<String>,
}

/// A target at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetStatus {
    pub target: Target,
    pub service: ServiceState,
    /// Attempts under way at it.
    pub in_flight: usize,
    /// Objects of which an event waits or is under way there.
    pub lanes: usize,
}

impl TargetStatus {
    /// One of which nothing is known yet.
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
    /// Events go there from now on; of none of the targets anything is known.
    pub fn set_routes(&mut self, routes: &Arc<Routes>) {
        let targets = routes.targets().iter().cloned();
        self.targets = targets.map(TargetStatus::of).collect();
        self.target = routes.rest().or(routes.targets().first()).cloned();
        self.routes = Arc::clone(routes);
        self.service = ServiceState::Unknown;
        (self.in_flight, self.lanes) = (0, 0);
    }

    /// Sums up the targets: away where one of them is, which the reason then names.
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

/// The connection to the relay. Words only from a confirmed handshake.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LinkState {
    /// No relay is configured.
    #[default]
    Off,
    /// Dialling, or waiting to dial again.
    Connecting {
        /// Attempts since the last connection.
        attempt: u32,
        /// Why the last one ended, in words; `None` at the first.
        reason: Option<String>,
        /// When the next attempt is due; `None` while one is under way.
        retry_at: Option<Timestamp>,
    },
    /// The relay has said welcome.
    Up { since: Timestamp },
    /// Ended for good: a refused or revoked token, a refused version, taken over.
    Stopped { reason: String },
}

impl LinkState {
    /// The state as one word, and why it is so.
    pub fn word_and_reason(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Off => ("off", None),
            Self::Connecting { reason, .. } => ("connecting", reason.as_deref()),
            Self::Up { .. } => ("up", None),
            Self::Stopped { reason } => ("stopped", Some(reason)),
        }
    }
}

/// The local service as the last attempt or probe found it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ServiceState {
    /// Nothing was sent yet.
    #[default]
    Unknown,
    /// It answered.
    Up { since: Timestamp },
    /// It cannot be reached; lanes wait and probe.
    Down {
        since: Timestamp,
        /// Why, in words, such as `connection refused`.
        reason: String,
    },
}
