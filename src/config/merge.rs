//! Which value wins, and where it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::key::Key;
use crate::cli::{
    At, Certificates, Cli, Command, Deed, Events, EventsCommand, HooksCommand, OwnerLimits,
    RelayServe, SandboxCommand, Tunnel,
};

/// Settings from one source.
pub(super) type Layer = BTreeMap<Key, (String, Origin)>;

/// All sources, the strongest first.
pub(super) struct Layers {
    pub(super) flags: Layer,
    pub(super) env: Layer,
    pub(super) file: Layer,
}

impl Layers {
    /// The value that wins.
    pub(super) fn get(&self, key: Key) -> Option<&(String, Origin)> {
        [&self.flags, &self.env, &self.file]
            .into_iter()
            .find_map(|layer| layer.get(&key))
    }
}

/// Where a value came from, for errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag on the command line.
    Flag(&'static str),
    /// An environment variable.
    Variable(String),
    /// The configuration file.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// What was typed, as a layer.
pub(super) fn flags(cli: &Cli) -> Layer {
    let mut typed = Typed(Layer::new());
    typed.text(Key::DATA_DIR, cli.global.data_dir.as_ref());
    typed.text(Key::COLOR, cli.global.color.as_ref());
    match &cli.command {
        Command::Listen(listen) => {
            typed.text(
                Key::FORWARD_TO,
                listen.target.as_ref().or(listen.forward_to.as_ref()),
            );
            typed.text(Key::RELAY, listen.relay.as_ref());
            typed.switch(
                Key::ALLOW_PLAINTEXT_RELAY,
                listen.allow_plaintext_relay,
                true,
            );
            typed.text(Key::TOKEN, listen.token.as_ref());
            typed.text(Key::TOKEN_FILE, listen.token_file.as_ref());
            typed.text(Key::RESPOND, listen.respond.as_ref());
            typed.text(Key::CONCURRENCY, listen.concurrency.as_ref());
            typed.text(Key::TIMEOUT, listen.timeout.as_ref());
            typed.text(Key::WINDOW, listen.window.as_ref());
            typed.text(Key::LISTEN, listen.listen.as_ref());
            typed.switch(Key::PRESERVE_HOST, listen.preserve_host, true);
            typed.certificates(&listen.certificates);
            typed.text(Key::PODIO_URL, listen.podio.podio_url.as_ref());
            typed.switch(Key::VERIFY, listen.podio.no_verify, false);
            typed.text(Key::FORWARD_VERIFY, listen.podio.forward_verify.as_ref());
            typed.switch(Key::BREAK_LOOPS, listen.podio.break_loops, true);
            typed.switch(Key::MOUSE, listen.display.no_mouse, false);
            typed.tunnel(&listen.tunnel);
        }
        Command::Demo(demo) => typed.switch(Key::MOUSE, demo.display.no_mouse, false),
        Command::Ui(ui) => {
            typed.switch(Key::MOUSE, ui.no_mouse, false);
            typed.text(Key::FORWARD_TO, ui.forward_to.as_ref());
            typed.certificates(&ui.certificates);
            typed.tunnel(&ui.tunnel);
        }
        Command::Events(Events {
            command: Some(EventsCommand::Delete(delete)),
            ..
        }) => typed.tunnel(&delete.tunnel),
        Command::Events(events) => typed.tunnel(&events.tunnel),
        Command::Show(show) => typed.tunnel(&show.tunnel),
        Command::Import(import) => typed.tunnel(&import.tunnel),
        Command::Explain(explain) => typed.tunnel(&explain.tunnel),
        Command::Replay(replay) => {
            typed.text(Key::FORWARD_TO, replay.to.as_ref());
            typed.certificates(&replay.certificates);
            typed.tunnel(&replay.tunnel);
        }
        Command::Trigger(trigger) => {
            typed.text(Key::FORWARD_TO, trigger.to.as_ref());
            typed.certificates(&trigger.certificates);
            typed.tunnel(&trigger.tunnel);
        }
        Command::Relay(relay) => typed.relay(&relay.serve),
        Command::Sandbox(sandbox) => {
            typed.text(Key::LISTEN, sandbox.serve.listen.as_ref());
            if let Some(SandboxCommand::Do(Deed { at, .. }) | SandboxCommand::Outage { at, .. }) =
                &sandbox.command
            {
                typed.text(Key::PODIO_URL, at.podio_url.as_ref());
            }
        }
        Command::Hooks(HooksCommand::List { tunnel, .. }) => typed.tunnel(tunnel),
        Command::Hooks(HooksCommand::Adopt(adopt)) => typed.tunnel(&adopt.tunnel),
        Command::Url(url) => {
            typed.tunnel(&url.tunnel);
            typed.text(Key::NAME, url.of.as_ref());
        }
        Command::Tunnels(command) => typed.at(command.at()),
        Command::Hooks(_)
        | Command::Login(_)
        | Command::Completions { .. }
        | Command::Man(_)
        | Command::Config(_) => {}
    }
    typed.0
}

struct Typed(Layer);

impl Typed {
    fn text(&mut self, key: Key, value: Option<&String>) {
        if let Some(value) = value {
            self.0
                .insert(key, (value.clone(), Origin::Flag(key.name())));
        }
    }

    /// A flag that may be given several times.
    fn list(&mut self, key: Key, values: &[String]) {
        if !values.is_empty() {
            self.text(key, Some(&values.join(",")));
        }
    }

    /// A flag that was given sets `key` to `value`.
    fn switch(&mut self, key: Key, given: bool, value: bool) {
        if given {
            self.text(key, Some(&value.to_string()));
        }
    }

    fn certificates(&mut self, certificates: &Certificates) {
        self.text(Key::CA_FILE, certificates.ca_file.as_ref());
        self.switch(Key::INSECURE_LOCAL, certificates.insecure_local, true);
    }

    fn tunnel(&mut self, tunnel: &Tunnel) {
        self.text(Key::NAME, tunnel.name.as_ref());
    }

    fn at(&mut self, at: &At) {
        self.text(Key::RELAY, at.relay.as_ref());
        self.text(Key::TOKEN, at.token.as_ref());
        self.text(Key::TOKEN_FILE, at.token_file.as_ref());
        self.switch(Key::ALLOW_PLAINTEXT_RELAY, at.allow_plaintext_relay, true);
    }

    fn owners(&mut self, owners: &OwnerLimits) {
        self.text(Key::MAX_OWNER_TUNNELS, owners.max_owner_tunnels.as_ref());
        self.text(Key::MAX_OWNER_SESSIONS, owners.max_owner_sessions.as_ref());
        let (events, bytes) = (
            &owners.max_owner_queue_events,
            &owners.max_owner_queue_bytes,
        );
        self.text(Key::MAX_OWNER_QUEUE_EVENTS, events.as_ref());
        self.text(Key::MAX_OWNER_QUEUE_BYTES, bytes.as_ref());
        self.text(Key::MAX_SESSION_MEMORY, owners.max_session_memory.as_ref());
    }

    fn relay(&mut self, relay: &RelayServe) {
        self.text(Key::LISTEN, relay.listen.as_ref());
        self.text(Key::PUBLIC_URL, relay.public_url.as_ref());
        self.text(Key::ADMIN_LISTEN, relay.admin_listen.as_ref());
        self.text(Key::MAX_BODY, relay.max_body.as_ref());
        self.text(Key::MAX_QUEUE_EVENTS, relay.max_queue_events.as_ref());
        self.text(Key::MAX_QUEUE_BYTES, relay.max_queue_bytes.as_ref());
        self.text(Key::MAX_AGE, relay.max_age.as_ref());
        self.text(Key::MAX_RATE, relay.max_rate.as_ref());
        self.text(Key::MAX_CONNECTIONS, relay.max_connections.as_ref());
        self.text(
            Key::MAX_CONNECTIONS_PER_ADDRESS,
            relay.max_connections_per_address.as_ref(),
        );
        self.text(Key::MAX_BODY_MEMORY, relay.max_body_memory.as_ref());
        self.text(Key::MIN_BODY_RATE, relay.min_body_rate.as_ref());
        self.text(Key::MAX_HEAD, relay.max_head.as_ref());
        self.text(Key::MAX_HEAD_MEMORY, relay.max_head_memory.as_ref());
        self.text(
            Key::MAX_RATE_PER_ADDRESS,
            relay.max_rate_per_address.as_ref(),
        );
        self.text(Key::HEAD_TIMEOUT, relay.head_timeout.as_ref());
        self.text(Key::BODY_TIMEOUT, relay.body_timeout.as_ref());
        self.text(Key::IDLE_TIMEOUT, relay.idle_timeout.as_ref());
        self.list(Key::METHODS, &relay.methods);
        self.text(Key::MAX_SESSIONS, relay.max_sessions.as_ref());
        self.text(Key::MAX_RESPONSE, relay.max_response.as_ref());
        self.owners(&relay.owners);
        self.list(Key::TRUSTED_PROXY, &relay.trusted_proxy);
        self.text(Key::RESPOND_TIMEOUT, relay.respond_timeout.as_ref());
    }
}
