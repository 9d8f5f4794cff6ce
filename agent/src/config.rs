//! What an agent needs to know: complete and checked before it gets here.

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

/// Everything an agent needs.
#[derive(Debug, Clone)]
pub struct AgentConfig {
    /// The history's SQLite file; made where it does not exist.
    pub history: PathBuf,
    /// The relay to take events from. `None`: only browse and replay what the history holds.
    pub link: Option<LinkConfig>,
    /// The local service, for what no route takes. `None`, and no routes: capture and show, deliver
    /// nothing.
    pub target: Option<Target>,
    /// Which events go elsewhere.
    pub routes: Vec<Route>,
    /// How delivery behaves.
    pub delivery: DeliveryConfig,
    /// What the history keeps.
    pub retention: Retention,
    /// What is done for Podio's hooks.
    pub podio: PodioConfig,
    /// Which certificates are taken, of the relay and of the local service.
    pub trust: Trust,
}

impl AgentConfig {
    /// An agent that only browses and replays this history.
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
    /// Who we are.
    pub token: SecretString,
    /// The tunnel to serve.
    pub tunnel: TunnelName,
    /// Unacknowledged events to ask for.
    pub window: u32,
    /// Who answers the sender.
    pub respond: Respond,
    /// The proxy to go through, already chosen for `relay`.
    pub proxy: Option<Proxy>,
    /// What this machine is called, for the person at another agent of the tunnel.
    pub host: Option<String>,
    /// Whether to take the tunnel from an agent that has just taken it from another.
    pub take_over: bool,
    /// Whether the relay runs in this process, so that nothing took webhooks while the agent was off.
    pub is_own: bool,
}

impl LinkConfig {
    /// A link with the default window, answered by the relay, without a proxy.
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

/// How events go to the local service.
#[derive(Debug, Clone)]
pub struct DeliveryConfig {
    /// Attempts under way at once, over all lanes.
    pub concurrency: usize,
    /// Time for one attempt, from connecting to the end of the answer.
    pub timeout: Duration,
    /// Bytes of the answer's body that the history keeps; the rest is read and dropped.
    pub max_response_bytes: usize,
    /// Which `Host` the local service sees.
    pub host: HostHeader,
    /// Pause between two probes of a local service that is away.
    pub probe_every: Duration,
    /// Environment variables that a command in place of a local service does not get.
    pub hidden_variables: Vec<String>,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            concurrency: 8,
            // Podio gives up after 15 s (podio.md, section 1.3); a debugger may hold one longer.
            timeout: Duration::from_mins(1),
            max_response_bytes: 256 * 1024,
            host: HostHeader::default(),
            probe_every: Duration::from_millis(500),
            hidden_variables: Vec::new(),
        }
    }
}

/// Which `Host` header the local service sees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HostHeader {
    /// Its own name, as its URL has it.
    #[default]
    Service,
    /// The one that the sender sent.
    Sender,
    /// This one, such as the name of a virtual host.
    Fixed(HeaderValue),
}

/// What the agent does for Podio's hooks. The default answers `hook.verify` without credentials.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch that a person sets"
)]
pub struct PodioConfig {
    /// The API, and who calls it.
    pub client: client::PodioClientConfig,
    /// Whether a `hook.verify` is answered by validating the hook.
    pub verify: bool,
    /// Whether a `hook.verify` also goes to the local service, so that its own handler can be
    /// tried. Both then send the same code, and Podio may refuse the later one of the two.
    pub forward_verify: bool,
    /// Whether the newest events are explained without anybody asking, within a share of the calls.
    pub enrich: bool,
    /// Whether events of an object in a loop are held from the finding on.
    pub break_loops: bool,
    /// Apps, fields and spaces whose hooks are listed, to learn their names.
    pub places: Vec<PlaceRef>,
    /// How the reader writes numbers.
    pub locale: Locale,
    /// Hooks to make at the start and to remove at the end.
    pub hooks: Option<HooksConfig>,
    /// The pause between two looks at the hooks of the known places.
    pub hooks_read_every: Duration,
}

/// Hooks that live as long as the agent.
#[derive(Debug, Clone, Default)]
pub struct HooksConfig {
    /// Which ones; see [`crate::hooks::plan`].
    pub wanted: Vec<WantedHook>,
    /// The path below the tunnel's public URL, such as `/podio/hook`.
    pub path: String,
    /// Whether they stay at the end.
    pub keep: bool,
    /// Whether the agent goes on though Podio does not take the credentials. None of the hooks can
    /// be made then, and no waiting mends it.
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
            // Twelve calls a place of the hour's 1,000.
            hooks_read_every: Duration::from_mins(5),
        }
    }
}
