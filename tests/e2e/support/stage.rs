//! A relay, agents and their folders, all gone at the end of the test.

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
    /// Where it listens, `127.0.0.1:PORT`.
    pub(crate) authority: String,
    /// The admin listener's address.
    pub(crate) admin: String,
    /// Where it takes webhooks over plain http beside https.
    pub(crate) http: Option<String>,
}

impl Relay {
    /// Its URL for agents.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// What it counts, as text for Prometheus.
    pub(crate) async fn metrics(&self) -> String {
        get(&self.admin, "/metrics").await.body
    }

    /// The value of one series without labels.
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

    /// Runs `podtap` to its end: exit code, stdout, stderr.
    pub(crate) fn run(&self, args: &[&str]) -> (i32, String, String) {
        process::output(self.home(), args)
    }

    /// Runs `podtap`, which must succeed, and gives its stdout.
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

    /// A relay on a port of its own.
    pub(crate) async fn relay(&self) -> Relay {
        self.relay_with(&own_address(), &[]).await
    }

    /// A relay at this address with further options.
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

    /// A token for `owner`.
    pub(crate) fn token(&self, owner: &str) -> String {
        let dir = self.relay_dir();
        self.succeed(&["relay", "token", "create", owner, "--data-dir", &dir])
            .trim()
            .to_owned()
    }

    /// The relay's data folder.
    pub(crate) fn relay_dir(&self) -> String {
        self.home().join("relay").display().to_string()
    }

    /// All that an event passes on its way to a service: a relay, a token for the owner `ann`, and an
    /// agent with these options and its public URL.
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

    /// An agent for the tunnel `crm`, printing JSON, once it has its public URL.
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

    /// An agent for the tunnel `crm`, printing JSON.
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

    /// The history of the tunnel `crm`, as [`events`](Self::events) reads it, once at least `count`
    /// events match and each has an attempt: the local service has an event before the history has
    /// what came of it.
    pub(crate) fn settled(&self, filter: &[&str], count: usize) -> Vec<serde_json::Value> {
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

    /// The history of the tunnel `crm` as its events with their attempts, the oldest first: what is
    /// committed now.
    pub(crate) fn events(&self, filter: &[&str]) -> Vec<serde_json::Value> {
        let fixed = ["events", "--json", "--name", "crm", "--limit", "1000000"];
        let (code, stdout, stderr) = self.run(&[&fixed[..], filter].concat());
        assert!(code == 0 || code == 6, "{code}: {stderr}");
        stdout
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            // Between them are gaps, which have no attempts.
            .filter(|line| line["type"] == "event")
            .collect()
    }
}
