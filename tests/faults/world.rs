//! A relay, an agent and a local service, each of which a test can
//! end in several ways and restart, and the checks at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::proxy::Line;
use crate::shim::Disk;
use crate::support::{DEADLINE, Process, Service, Stage, command, own_address, split_url};

/// The numbers of the events that were answered 200, by lane, in order.
pub(crate) type AcceptedEvents = Arc<Mutex<Vec<Vec<u64>>>>;

pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) service: Service,
    pub(crate) line: Line,
    pub(crate) relay_disk: Disk,
    pub(crate) agent_disk: Disk,
    pub(crate) url: String,
    relay: Option<Process>,
    agent: Option<Process>,
    authority: String,
    token: String,
    /// The agent's `--respond`: who decides the response to the sender.
    respond: &'static str,
}

impl World {
    pub(crate) async fn start(library: &Path, seed: u64) -> Self {
        Self::start_with(library, seed, "stored", Service::start().await).await
    }

    /// Starts a world with another `--respond` and another local service.
    pub(crate) async fn start_with(
        library: &Path,
        seed: u64,
        respond: &'static str,
        service: Service,
    ) -> Self {
        let stage = Stage::new();
        let relay_disk = Disk::new(library, &stage.home().join("relay-disk"));
        let agent_disk = Disk::new(library, &stage.home().join("agent-disk"));
        let (relay, authority) = relay(&stage, &relay_disk, &own_address()).await;
        let line = Line::to(authority.clone(), seed).await;
        let mut world = Self {
            token: stage.token("ann"),
            stage,
            service,
            line,
            relay_disk,
            agent_disk,
            url: String::new(),
            relay: Some(relay),
            agent: None,
            authority,
            respond,
        };
        world.start_agent();
        let ready = world.agent().object("ready", |_| true).await;
        let public = ready["url"].as_str().unwrap();
        world.url = format!("http://{}{}", world.authority, split_url(public).1);
        world
    }

    /// Returns the running agent.
    pub(crate) fn agent(&self) -> &Process {
        self.agent.as_ref().unwrap()
    }

    pub(crate) fn start_agent(&mut self) {
        let (target, relay) = (
            self.service.address().to_string(),
            format!("http://{}", self.line.address),
        );
        let args = [
            "listen",
            &target,
            "--relay",
            &relay,
            "--name",
            "crm",
            "--json",
            "--respond",
            self.respond,
        ];
        let mut agent = command(&self.stage, &args);
        agent.env("PODTAP_TOKEN", &self.token);
        self.agent_disk.under(&mut agent);
        self.agent = Some(Process::spawn(agent));
    }

    pub(crate) fn end_agent(&mut self, with_power: bool) {
        if let Some(mut agent) = self.agent.take() {
            agent.kill();
        }
        if with_power {
            let folder = self.stage.home().join("data/podtap/tunnels");
            self.agent_disk.cut_power(&folder);
        }
    }

    /// Waits until the agent has printed this number of events.
    pub(crate) async fn wait_until_taken(&self, events: u64) {
        let last = format!("n={}", events - 1);
        let agent = self.agent.as_ref().unwrap();
        let is_last = |event: &serde_json::Value| {
            let body = event["body"].as_str();
            body.is_some_and(|body| body.ends_with(&last))
        };
        agent.object("event", is_last).await;
    }

    /// Waits until the relay's queue is empty.
    pub(crate) async fn is_drained(&self) {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while self.waiting() > 0 {
            assert!(
                tokio::time::Instant::now() < deadline,
                "the relay is not drained"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Returns the number of events in the relay's database.
    pub(crate) fn waiting(&self) -> u64 {
        let dir = self.stage.relay_dir();
        let list = command(
            &self.stage,
            &["tunnels", "list", "--json", "--data-dir", &dir],
        )
        .output();
        let list = String::from_utf8(list.unwrap().stdout).unwrap();
        let tunnels = list.lines().map(|line| {
            let tunnel: serde_json::Value = serde_json::from_str(line).unwrap();
            tunnel["waiting_events"].as_u64().unwrap()
        });
        tunnels.sum()
    }

    pub(crate) fn end_relay(&mut self) {
        if let Some(mut relay) = self.relay.take() {
            relay.kill();
        }
    }

    /// Kills the relay and restarts it. Returns how many events were queued in between.
    pub(crate) async fn restart_relay_and_count(&mut self) -> u64 {
        self.end_relay();
        let waiting = self.waiting();
        self.restart_relay(false).await;
        waiting
    }

    /// Ends the relay and restarts it; with `with_power`, a power cut happens in between.
    pub(crate) async fn restart_relay(&mut self, with_power: bool) {
        self.end_relay();
        if with_power {
            let folder = self.stage.relay_dir();
            self.relay_disk.cut_power(Path::new(&folder));
        }
        let (process, _) = relay(&self.stage, &self.relay_disk, &self.authority).await;
        self.relay = Some(process);
    }

    /// Returns what the agent has printed on stderr.
    pub(crate) fn agent_words(&self) -> String {
        self.agent.as_ref().map_or(String::new(), Process::stderr)
    }

    /// Sends numbered events in `lanes` parallel lanes; repeats each until it is answered 200.
    pub(crate) fn send(&self, lanes: u64, each: u64) -> (AcceptedEvents, JoinSet<()>) {
        let count = usize::try_from(lanes).unwrap();
        let accepted = AcceptedEvents::new(Mutex::new(vec![Vec::new(); count]));
        let mut senders = JoinSet::new();
        for lane in 0..lanes {
            let (url, accepted) = (self.url.clone(), Arc::clone(&accepted));
            senders.spawn(async move {
                for n in 0..each {
                    let number = n * lanes + lane;
                    until_accepted(&url, lane, number).await;
                    accepted.lock().unwrap()[usize::try_from(lane).unwrap()].push(number);
                }
            });
        }
        (accepted, senders)
    }

    /// Sends one event once; returns whether it was answered 200.
    pub(crate) async fn is_taken(&self, number: u64) -> bool {
        let (authority, request) = webhook(&self.url, 0, number);
        is_accepted(&authority, request.as_bytes())
            .await
            .unwrap_or(false)
    }

    /// Waits until the local service has received this number of requests.
    pub(crate) async fn wait_until_offered(&self, count: usize) {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while self.service.requests().len() < count {
            let is_late = tokio::time::Instant::now() > deadline;
            assert!(!is_late, "nothing was delivered\n{}", self.agent_words());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the history has `at_least` different events and all
    /// were offered. Returns the numbers in the history, in its order.
    pub(crate) async fn wait_until_settled(&self, at_least: usize) -> Vec<u64> {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            let history = self.stage.events(&[]);
            let numbers: Vec<u64> = history.iter().map(|event| number(&event["body"])).collect();
            let ids: BTreeSet<_> = history.iter().map(|e| e["id"].to_string()).collect();
            assert_eq!(ids.len(), history.len(), "no event is there twice");
            let distinct = numbers.iter().collect::<BTreeSet<_>>().len();
            let offered: BTreeSet<String> = self
                .service
                .requests()
                .iter()
                .map(|request| {
                    let id = request.header("podtap-event-id");
                    format!("\"{}\"", String::from_utf8_lossy(id[0]))
                })
                .collect();
            let is_settled = distinct >= at_least && ids.is_subset(&offered);
            if is_settled || tokio::time::Instant::now() > deadline {
                assert!(
                    ids.is_subset(&offered),
                    "{} of {} were offered\n{}",
                    ids.intersection(&offered).count(),
                    ids.len(),
                    self.agent_words()
                );
                return numbers;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Returns the events that were answered 200 but are missing from the history or out of order.
pub(crate) fn find_broken(accepted: &[Vec<u64>], history: &[u64]) -> Vec<String> {
    let mut first = BTreeMap::new();
    for (place, number) in history.iter().enumerate() {
        first.entry(*number).or_insert(place);
    }
    let mut found = Vec::new();
    for lane in accepted {
        let mut before = None;
        for number in lane {
            match first.get(number) {
                None => found.push(format!("{number} is lost")),
                Some(place) if before.is_some_and(|before| *place < before) => {
                    found.push(format!("{number} is out of order"));
                }
                Some(place) => before = Some(*place),
            }
        }
    }
    found
}

async fn relay(stage: &Stage, disk: &Disk, listen: &str) -> (Process, String) {
    let dir = stage.relay_dir();
    let args = [
        "relay",
        "--listen",
        listen,
        "--json",
        "--data-dir",
        &dir,
        "--respond-timeout",
        "2s",
    ];
    let mut relay = command(stage, &args);
    disk.under(&mut relay);
    let process = Process::spawn(relay);
    let ready = process.object("ready", |_| true).await;
    let authority = ready["listen"].as_str().unwrap().to_owned();
    (process, authority)
}

/// Returns the authority of the URL, and the request for an event.
fn webhook(url: &str, lane: u64, number: u64) -> (String, String) {
    let (authority, path) = split_url(url);
    let body = format!("type=item.update&item_id={lane}&item_revision_id={number}&n={number}");
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    (authority.to_owned(), request)
}

async fn until_accepted(url: &str, lane: u64, number: u64) {
    let (authority, request) = webhook(url, lane, number);
    // A cut connection has no response, so the event was not accepted and is sent again.
    while !is_accepted(&authority, request.as_bytes())
        .await
        .unwrap_or(false)
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn is_accepted(authority: &str, request: &[u8]) -> std::io::Result<bool> {
    let exchange = async {
        let mut stream = TcpStream::connect(authority).await?;
        stream.write_all(request).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(answer.starts_with(b"HTTP/1.1 200 "))
    };
    tokio::time::timeout(DEADLINE, exchange).await?
}

fn number(body: &serde_json::Value) -> u64 {
    let body = body.as_str().unwrap();
    body.rsplit_once("n=").unwrap().1.parse().unwrap()
}
