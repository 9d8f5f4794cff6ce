//! Configures how the sandbox behaves where Podio's behaviour is configurable, unknown, or
//! inconvenient for a test.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use podtap_podio::standing::{ANSWER_LIMIT, Rule};

use super::fault::Fault;
use super::rate::CallRates;
use super::seed::Seed;

/// Settings of a [`super::Sandbox`]. The defaults are those of podio.md 8.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Address of the API. Port 0 selects a free port.
    pub listen: SocketAddr,
    /// Accepted host names in addition to `localhost` and the sandbox's own addresses.
    pub hosts: Vec<String>,
    /// Objects that exist at the start.
    pub seed: Seed,
    /// Seed of all random choices: codes, tokens, the order of parameters, disorder.
    pub random_seed: u64,
    /// Lifetime of access tokens; 8 hours at Podio.
    pub token_lifetime: Duration,
    /// Maximum numbers of calls per hour.
    pub rates: CallRates,
    /// Which event types hooks may have.
    pub hook_types: HookTypes,
    /// Whether hooks must be on port 80 or 443, as Podio demands.
    pub enforce_ports: bool,
    /// Whether validating a hook needs a token; unknown for Podio.
    pub validate_requires_auth: bool,
    /// Rule for suspending and disabling a hook.
    pub rule: Rule,
    /// Whether the list shows a suspended hook as inactive; unknown for Podio.
    pub suspended_shows_inactive: bool,
    /// How webhooks are sent.
    pub delivery: WebhookSending,
    /// How the API misbehaves from the start; [`super::Handle::set_fault`] changes it.
    pub fault: Option<Fault>,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            hosts: Vec::new(),
            seed: Seed::example(),
            random_seed: 1,
            token_lifetime: Duration::from_hours(8),
            rates: CallRates::default(),
            hook_types: HookTypes::AsObserved,
            enforce_ports: false,
            validate_requires_auth: false,
            rule: Rule::CURRENT,
            suspended_shows_inactive: false,
            delivery: WebhookSending::default(),
            fault: None,
        }
    }
}

/// Which hook types are allowed; documentation and live API disagree (podio.md 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookTypes {
    /// As in the live API of 2026: no `item.create` and `item.delete` on a field, no `task.delete`.
    AsObserved,
    /// All types of the documentation.
    AsDocumented,
}

/// How webhooks are sent.
#[derive(Debug, Clone)]
pub struct WebhookSending {
    /// Maximum time to wait for an answer.
    pub timeout: Duration,
    /// Pauses before each re-send after a 5xx, a time-out or a failed connection. Podio is
    /// reported to re-send, but how often and when is unknown: these numbers are invented.
    pub retry_gaps: Vec<Duration>,
    /// Time for which an unanswered webhook delays the next one to the same receiver. Podio
    /// sends in parallel and promises no order. A receiver that answers at once gets the events
    /// in order, so that tests can rely on it. Invented.
    pub head_start: Duration,
    /// Random disorder on the way to the receiver.
    pub disorder: Disorder,
    /// Whether webhooks are lost on their way from the start; [`super::Handle::set_outage`]
    /// changes it.
    pub outage: bool,
}

impl Default for WebhookSending {
    fn default() -> Self {
        Self {
            timeout: ANSWER_LIMIT,
            retry_gaps: [5, 30, 120].map(Duration::from_secs).to_vec(),
            head_start: Duration::from_millis(250),
            disorder: Disorder::default(),
            outage: false,
        }
    }
}

/// Disorder that was observed at Podio (podio.md 1.3), each with its probability from 0 to
/// 1; off by default.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Disorder {
    /// Probability that an event is sent two to five times within two seconds.
    pub duplicates: f64,
    /// Probability that an event is delayed by up to five seconds, so that others overtake it.
    pub reordering: f64,
    /// Maximum delay of every event, as when Podio's queues are long.
    pub delay: Duration,
}
