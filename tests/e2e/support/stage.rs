//! A relay, agents and their folders, which are removed at the end of the test.

use std::net::SocketAddr;
use std::path::Path;

use tempfile::TempDir;

use super::own_address;
use super::process::{self, Process};
use super::sender::get;
use super::service::Service;

/// The folders of one test.
pub(crate) struct Stage {
    home: TempDir,
}

/// A running relay.
pub(crate) struct Relay {
    pub(crate) process: Process,
    /// The address that it listens on, `127.0.0.1:PORT`.
    pub(crate) authority: String,
    /// The address of the admin listener.
    pub(crate) admin: String,
    /// The address for webhooks over plain HTTP, if the relay has TLS.
    pub(crate) http: Option<String>,
}

impl Relay {
    /// Returns the relay's URL for agents.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// Returns its metrics in Prometheus's text format.
    pub(crate) async fn metrics(&self) -> String {
        get(&self.admin, "/metrics").await.body
    }

    /// Returns the value of a metric without labels.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let metrics = self.metrics().await;
        let mut lines = metrics.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let value = value.unwrap_or_else(|| panic!("{name}: {metrics}"));
        value.parse().unwrap()
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs `podtap` to its end; returns exit code, stdout and stderr.
    pub(crate) fn run(&self, args: &[&str]) -> (i32, String, String) {
        process::output(self.home(), args)
    }

    /// Runs `podtap`, which must succeed, and returns its stdout.
    pub(crate) fn succeed(&self, args: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(args);
        assert_eq!(code, 0, "podtap {args:?}\nstdout {stdout}\nstderr {stderr}");
        stdout
    }

    /// Starts `podtap` and leaves it running.
    pub(crate) fn start(&self, args: &[&str]) -> Process {
        let mut command = process::podtap(self.home());
        command.args(args);
        Process::spawn(command)
    }

    /// Starts `podtap listen` with a relay of its own, for the tunnel `crm`, with JSON output.
    pub(crate) fn listen(&self, options: &[&str]) -> Process {
        self.start(&listen_alone(options))
    }

    /// Starts a relay on its own port.
    pub(crate) async fn relay(&self) -> Relay {
        self.relay_with(&own_address(), &[]).await
    }

    /// Starts a relay at this address with further options.
    pub(crate) async fn relay_with(&self, listen: &str, options: &[&str]) -> Relay {
        let fixed = [
            "relay",
            "--listen",
            listen,
            "--admin-listen",
            "127.0.0.1:0",
            "--json",
            "--data-dir",
        ];
        let dir = self.relay_dir();
        let process = self.start(&[&fixed[..], &[&dir], options].concat());
        let ready = process.object("ready", |_| true).await;
        let text = |field: &str| ready[field].as_str().unwrap().to_owned();
        Relay {
            authority: text("listen"),
            admin: text("admin"),
            http: ready["http_listen"].as_str().map(str::to_owned),
            process,
        }
    }

    /// Creates a token for `owner`.
    pub(crate) fn token(&self, owner: &str) -> String {
        let dir = self.relay_dir();
        self.succeed(&["relay", "token", "create", owner, "--data-dir", &dir])
            .trim()
            .to_owned()
    }

    /// Returns the relay's data folder.
    pub(crate) fn relay_dir(&self) -> String {
        self.home().join("relay").display().to_string()
    }

    /// Starts all that an event needs on its way to a service: a relay, a token for the
    /// owner `ann`, and an agent with these options. Also returns the agent's public URL.
    pub(crate) async fn way_to(
        &self,
        service: &Service,
        options: &[&str],
    ) -> (Relay, String, Process, String) {
        let relay = self.relay().await;
        let token = self.token("ann");
        let (agent, url) = self
            .agent(&relay.url(), &token, service.address(), options)
            .await;
        (relay, token, agent, url)
    }

    /// Starts an agent for the tunnel `crm` that prints JSON, and waits for its public URL.
    pub(crate) async fn agent(
        &self,
        relay: &str,
        token: &str,
        service: SocketAddr,
        options: &[&str],
    ) -> (Process, String) {
        let process = self.start_agent(relay, token, service, options);
        let ready = process.object("ready", |_| true).await;
        (process, ready["url"].as_str().unwrap().to_owned())
    }

    /// Starts an agent for the tunnel `crm` that prints JSON.
    pub(crate) fn start_agent(
        &self,
        relay: &str,
        token: &str,
        service: SocketAddr,
        options: &[&str],
    ) -> Process {
        let target = service.to_string();
        let fixed = [
            "listen", &target, "--relay", relay, "--name", "crm", "--json",
        ];
        let mut command = process::podtap(self.home());
        command.args(fixed).args(options).env("PODTAP_TOKEN", token);
        Process::spawn(command)
    }

    /// Waits until at least `count` events match and each has an attempt, and
    /// returns the history of the tunnel `crm` as [`events`](Self::events)
    /// does. The local service has an event before the history has its outcome.
    pub(crate) fn wait_until_settled(
        &self,
        filter: &[&str],
        count: usize,
    ) -> Vec<serde_json::Value> {
        let deadline = tokio::time::Instant::now() + super::DEADLINE;
        loop {
            let events = self.events(filter);
            let is_settled = |event: &serde_json::Value| event["attempts"][0].is_object();
            if events.len() >= count && events.iter().all(is_settled) {
                return events;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{count} settled events never came about: {events:#?}"
            );
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Returns the committed events of the tunnel `crm` with their attempts, oldest first.
    pub(crate) fn events(&self, filter: &[&str]) -> Vec<serde_json::Value> {
        let fixed = ["events", "--json", "--name", "crm", "--limit", "1000000"];
        let (code, stdout, stderr) = self.run(&[&fixed[..], filter].concat());
        assert!(code == 0 || code == 6, "{code}: {stderr}");
        stdout
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            // The lines of gaps, which have no attempts, are skipped.
            .filter(|line| line["type"] == "event")
            .collect()
    }
}

/// Returns the arguments of `podtap listen` with a relay of its own, for the tunnel `crm`, with
/// JSON output.
pub(crate) fn listen_alone<'a>(options: &[&'a str]) -> Vec<&'a str> {
    let fixed = [
        "listen",
        "--name",
        "crm",
        "--json",
        "--listen",
        "127.0.0.1:0",
    ];
    [&fixed[..], options].concat()
}
