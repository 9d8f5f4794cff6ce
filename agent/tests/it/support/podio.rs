//! A sandbox of Podio's API beside an agent, with a path for webhooks that needs no relay: what the
//! sandbox sends is appended to the history, as the link would do it.

use std::path::Path;

use jiff::Timestamp;
use podtap_agent::history::{DeliveryState, EventRow, NewEvent, Writer, WriterThread};
use podtap_agent::{AgentConfig, PodioConfig};
use podtap_podio::client::{self, Client, HookStatus};
use podtap_podio::{EventType, RefType};
use podtap_sandbox::{self as sandbox, Handle, Sandbox, Seed};
use podtap_wire::{EventId, Seq, WebhookRequest};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::running::RunningAgent;
use super::{Service, delivering, eventually, history_of, ok};

/// An app in the sandbox's seed.
pub(crate) const ORDERS: u64 = 30_682_880;

pub(crate) struct Podio {
    pub(crate) client: Client,
    pub(crate) config: client::PodioClientConfig,
    pub(crate) handle: Handle,
    /// URL to which hooks send.
    pub(crate) ingest: String,
    pub(crate) writer: Writer,
    _thread: WriterThread,
    _ingest: Service,
    _running: JoinSet<()>,
    _token: tokio_util::sync::DropGuard,
}

impl Podio {
    /// Starts a sandbox whose webhooks are stored in the history at `path`.
    pub(crate) async fn start(path: &Path, config: sandbox::SandboxConfig) -> Self {
        let bound = Sandbox::bind(config).await.unwrap();
        let (handle, token) = (bound.handle(), CancellationToken::new());
        let config = client::PodioClientConfig {
            base_url: bound.base_url().parse().unwrap(),
            credentials: Seed::example().credentials(0),
            ..client::PodioClientConfig::default()
        };
        let mut running = JoinSet::new();
        running.spawn(bound.run(token.clone()));
        let (writer, thread) = Writer::open(path, |_| {}).unwrap();
        let (bodies, mut arrived) = mpsc::channel::<Vec<u8>>(1000);
        let ingest = Service::start(move |received| {
            bodies.try_send(received.body.clone()).unwrap();
            ok()
        })
        .await;
        let appending = writer.clone();
        running.spawn(async move {
            while let Some(body) = arrived.recv().await {
                appending.append(vec![webhook(body)]).await.unwrap();
            }
        });
        Self {
            client: Client::new(config.clone()).unwrap(),
            config,
            handle,
            ingest: format!("http://{}/podio/hook", ingest.address),
            writer,
            _thread: thread,
            _ingest: ingest,
            _running: running,
            _token: token.drop_guard(),
        }
    }

    /// Returns a client for a colleague, who uses another API client.
    pub(crate) fn colleague(&self) -> Client {
        let mut config = self.config.clone();
        config.credentials = Seed::example().credentials(1);
        Client::new(config).unwrap()
    }

    /// Appends a webhook that the sandbox did not send.
    pub(crate) async fn forge(&self, body: &str) -> EventId {
        let event = webhook(body.as_bytes().to_vec());
        let id = event.id;
        self.writer.append(vec![event]).await.unwrap();
        id
    }
}

/// Returns a webhook of this moment.
pub(crate) fn webhook(body: Vec<u8>) -> NewEvent {
    webhook_at(Timestamp::now(), body)
}

/// Returns a webhook that a relay accepted at this time.
pub(crate) fn webhook_at(received_at: Timestamp, body: Vec<u8>) -> NewEvent {
    NewEvent {
        id: EventId::from_parts(received_at, u128::from(fastrand::u64(..))),
        // A relay would count up; it only matters that there is a number.
        seq: Some(Seq(1)),
        request: WebhookRequest {
            received_at,
            method: "POST".to_owned(),
            path: "/podio/hook".to_owned(),
            headers: [("content-type", "application/x-www-form-urlencoded")]
                .into_iter()
                .collect(),
            peer: None,
            body: body.into(),
        },
        state: DeliveryState::Pending,
    }
}

/// An agent beside the sandbox, with a local service that answers.
pub(crate) struct PodioAgent {
    pub(crate) agent: RunningAgent,
    pub(crate) podio: Podio,
    pub(crate) service: Service,
    pub(crate) folder: TempDir,
}

impl PodioAgent {
    pub(crate) async fn start(
        sandbox: sandbox::SandboxConfig,
        change: impl FnOnce(&mut PodioConfig),
    ) -> Self {
        Self::with(sandbox, |_| ok(), change).await
    }

    async fn with(
        sandbox: sandbox::SandboxConfig,
        script: impl Fn(&super::Received) -> super::Reaction + Send + Sync + 'static,
        change: impl FnOnce(&mut PodioConfig),
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let podio = Podio::start(&history_of(&folder), sandbox).await;
        let service = Service::start(script).await;
        let agent = RunningAgent::start(config(&folder, &service, &podio, change));
        Self {
            agent,
            podio,
            service,
            folder,
        }
    }

    /// Starts an agent with a local service that answers in this way.
    pub(crate) async fn answering(
        script: impl Fn(&super::Received) -> super::Reaction + Send + Sync + 'static,
    ) -> Self {
        Self::with(sandbox::SandboxConfig::default(), script, |_| {}).await
    }

    /// Stops the local service, so that its address is free.
    pub(crate) async fn stop_service(&mut self) {
        let nowhere = Service::start(|_| ok()).await;
        drop(std::mem::replace(&mut self.service, nowhere));
    }

    /// Stops the agent and starts another one on the same history.
    pub(crate) async fn restart(&mut self, change: impl FnOnce(&mut PodioConfig)) {
        self.agent.end().await;
        let config = config(&self.folder, &self.service, &self.podio, change);
        self.agent = RunningAgent::start(config);
    }

    pub(crate) async fn hook(&self) -> u64 {
        let (client, url) = (&self.podio.client, &self.podio.ingest);
        let hook = client.create_hook(RefType::App, ORDERS, url, EventType::ItemUpdate);
        hook.await.unwrap()
    }

    pub(crate) async fn status(&self, hook_id: u64) -> HookStatus {
        let hooks = self.podio.client.hooks(RefType::App, ORDERS).await.unwrap();
        let hook = hooks.iter().find(|hook| hook.hook_id == hook_id);
        hook.unwrap().status
    }

    /// Returns the history's rows, newest first.
    pub(crate) async fn rows(&self) -> Vec<EventRow> {
        let mut rows = self.agent.rows().await;
        rows.reverse();
        rows
    }

    /// Waits until `count` events are in the history
    /// and none is pending; returns them, newest first.
    pub(crate) async fn wait_for_events(&self, count: usize) -> Vec<EventRow> {
        eventually("the events are where they belong", || async {
            let rows = self.rows().await;
            let is_settled = |row: &EventRow| row.state != DeliveryState::Pending;
            if rows.len() == count && rows.iter().all(is_settled) {
                Ok(rows)
            } else {
                Err(format!("{rows:#?}"))
            }
        })
        .await
    }
}

/// Returns the configuration of an agent that uses this service and this sandbox.
fn config(
    folder: &TempDir,
    service: &Service,
    podio: &Podio,
    change: impl FnOnce(&mut PodioConfig),
) -> AgentConfig {
    let mut config = delivering(folder, service.address);
    config.podio.client = podio.config.clone();
    change(&mut config.podio);
    config
}
