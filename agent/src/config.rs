//! The configuration of an agent, complete and checked.

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;
use podtap_connect::{Proxy, Trust};
use podtap_podio::client;
use podtap_podio::wording::Locale;
use podtap_wire::{Respond, TunnelName, limits};
use secrecy::SecretString;
use url::Url;

use crate::history::Retention;
use crate::place::{PlaceRef, WantedHook};
use crate::routes::Route;
use crate::target::Target;

/// The configuration of an agent.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// Path of the history's SQLite file, which is created if it does not exist.
    pub history: PathBuf,
    /// The relay that sends the events. `None`: only browse and replay the events of the history.
    pub link: Option<LinkConfig>,
    /// The local service for events that match no route. `None` without routes: store and show
    /// events, and deliver nothing.
    pub target: Option<Target>,
    /// The routes of events that go elsewhere.
    pub routes: Vec<Route>,
    /// Settings of delivery.
    pub delivery: DeliveryConfig,
    /// Limits of the history.
    pub retention: Retention,
    /// Settings for Podio's hooks.
    pub podio: PodioConfig,
    /// Certificates to accept from the relay and the local service.
    pub trust: Trust,
}

impl AgentConfig {
    /// Creates the configuration of an agent that only browses and replays this history.
    pub fn new(history: impl Into<PathBuf>) -> Self {
        Self {
            history: history.into(),
            link: None,
            target: None,
            routes: Vec::new(),
            delivery: DeliveryConfig::default(),
            retention: Retention::default(),
            podio: PodioConfig::default(),
            trust: Trust::default(),
        }
    }
}

/// How to reach the relay.
#[derive(Debug, Clone)]
pub struct LinkConfig {
    /// The relay's URL, `https://` or `http://`.
    pub relay: Url,
    /// The owner's token.
    pub token: SecretString,
    /// The tunnel to serve.
    pub tunnel: TunnelName,
    /// Number of unacknowledged events to request.
    pub window: u32,
    /// Whether the relay or the local service answers the sender.
    pub respond: Respond,
    /// The proxy for `relay`, if one is used.
    pub proxy: Option<Proxy>,
    /// Name of this machine, shown to the person at another agent of the tunnel.
    pub host: Option<String>,
    /// Whether to take the tunnel even from an agent that has just taken it over.
    pub take_over: bool,
    /// Whether the relay runs in this process, so that
    /// it accepted no webhooks while the agent was off.
    pub is_own: bool,
}

impl LinkConfig {
    /// Creates a link with the default window and without a proxy; the relay answers.
    pub fn new(relay: Url, token: SecretString, tunnel: TunnelName) -> Self {
        let (window, respond) = (limits::DEFAULT_WINDOW, Respond::Stored);
        Self {
            relay,
            token,
            tunnel,
            window,
            respond,
            proxy: None,
            host: None,
            take_over: false,
            is_own: false,
        }
    }
}

/// How events are delivered to the local service.
#[derive(Debug, Clone)]
pub struct DeliveryConfig {
    /// Maximum number of running attempts, over all lanes.
    pub concurrency: usize,
    /// Maximum time for one attempt, from connecting to the end of the answer.
    pub timeout: Duration,
    /// Maximum bytes of an answer's body that the history stores; the rest is read and dropped.
    pub max_response_bytes: usize,
    /// The `Host` header for the local service.
    pub host: HostHeader,
    /// Pause between two probes of an unreachable local service.
    pub probe_every: Duration,
    /// Environment variables that a command, run instead of a local service, does not get.
    pub hidden_variables: Vec<String>,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            concurrency: 8,
            // Podio gives up after 15 s (podio.md, section
            // 1.3); a debugger may stop the service for longer.
            timeout: Duration::from_mins(1),
            max_response_bytes: 256 * 1024,
            host: HostHeader::default(),
            probe_every: Duration::from_millis(500),
            hidden_variables: Vec::new(),
        }
    }
}

/// The `Host` header for the local service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HostHeader {
    /// The name in the service's own URL.
    #[default]
    Service,
    /// The sender's header.
    Sender,
    /// A fixed value, such as the name of a virtual host.
    Fixed(HeaderValue),
}

/// What the agent does for Podio's hooks. The default answers `hook.verify` without credentials.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch that a person sets"
)]
pub struct PodioConfig {
    /// The API and the credentials for it.
    pub client: client::PodioClientConfig,
    /// Whether to answer each `hook.verify` by validating the hook.
    pub verify: bool,
    /// Whether to deliver each `hook.verify` to the local service, too, so that its own handler can
    /// be tested. Both then send the same code, and Podio may refuse the later one.
    pub forward_verify: bool,
    /// Whether to explain the newest events without a request, within a share of the calls.
    pub enrich: bool,
    /// Whether to hold the events of an object once it was found in a loop.
    pub break_loops: bool,
    /// Apps, fields and spaces whose hooks are listed, to learn their names.
    pub places: Vec<PlaceRef>,
    /// The locale of the reader, for numbers.
    pub locale: Locale,
    /// Hooks to create at the start and remove at the end.
    pub hooks: Option<HooksConfig>,
    /// Pause between two requests for the hooks of the known places.
    pub hooks_read_every: Duration,
}

/// Hooks that live as long as the agent.
#[derive(Debug, Clone, Default)]
pub struct HooksConfig {
    /// The hooks to create; see [`crate::hooks::plan`].
    pub wanted: Vec<WantedHook>,
    /// The path below the tunnel's public URL, such as `/podio/hook`.
    pub path: String,
    /// Whether they stay at the end.
    pub keep: bool,
    /// Whether the agent continues if Podio refuses the credentials. No hook can be created then,
    /// and waiting does not help.
    pub optional: bool,
}

impl Default for PodioConfig {
    fn default() -> Self {
        Self {
            client: client::PodioClientConfig::default(),
            verify: true,
            forward_verify: true,
            enrich: true,
            break_loops: false,
            places: Vec::new(),
            locale: Locale::NONE,
            hooks: None,
            // Twelve calls per place of the 1,000 per hour.
            hooks_read_every: Duration::from_mins(5),
        }
    }
}
