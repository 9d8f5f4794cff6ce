//! What the sandbox does where Podio's behaviour is a choice, unknown, or in the way of a test.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use podtap_podio::standing::{ANSWER_LIMIT, Rule};

use super::fault::Fault;
use super::rate::CallRates;
use super::seed::Seed;

/// Settings of a [`super::Sandbox`]. The defaults are those of podio.md 8.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Where the API listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Names that it answers to, beside `localhost` and its own addresses.
    pub hosts: Vec<String>,
    /// What exists at the start.
    pub seed: Seed,
    /// Seeds every choice by chance: codes, tokens, the order of parameters, disorder.
    pub random_seed: u64,
    /// How long access tokens last; 8 hours at Podio.
    pub token_lifetime: Duration,
    /// Calls an hour.
    pub rates: CallRates,
    /// Which event types hooks may have.
    pub hook_types: HookTypes,
    /// Whether hooks must be on port 80 or 443, as Podio demands.
    pub enforce_ports: bool,
    /// Whether validating a hook needs a token; at Podio not settled.
    pub validate_requires_auth: bool,
    /// When a hook is suspended or disabled.
    pub rule: Rule,
    /// Whether the list shows a suspended hook as inactive; at Podio unknown.
    pub suspended_shows_inactive: bool,
    /// How webhooks are sent.
    pub delivery: WebhookSending,
    /// How the API misbehaves, from the start; [`super::Handle::set_fault`] changes it.
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

/// Where documentation and the live API disagree on a hook's type (podio.md 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookTypes {
    /// As the live API of 2026: no `item.create` and `item.delete` on a field, no `task.delete`.
    AsObserved,
    /// The whole catalogue.
    AsDocumented,
}

/// How webhooks are sent.
#[derive(Debug, Clone)]
pub struct WebhookSending {
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// Waits before each re-send after a 5xx, a time-out or a failed connection. That Podio
    /// re-sends is reported, how often and when is not: these numbers are invented.
    pub retry_gaps: Vec<Duration>,
    /// How long an unanswered webhook holds up the next one to the same receiver. Podio sends in
    /// parallel and promises no order; a receiver that answers at once sees the order of events,
    /// so that tests can speak of it. Invented.
    pub head_start: Duration,
    /// Misfortunes of the way.
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

/// Misfortunes that were seen at Podio (podio.md 1.3), each by its chance from 0 to 1; off by
/// default.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Disorder {
    /// An event is sent two to five times within two seconds.
    pub duplicates: f64,
    /// An event is late by up to five seconds, so that others overtake it.
    pub reordering: f64,
    /// Every event is late by up to this much, as when Podio's queues back up.
    pub delay: Duration,
}
