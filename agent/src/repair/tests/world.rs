//! A sandbox with hooks that lead to a tunnel, and the history of that tunnel.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use podtap_podio::client::{self, Client};
use podtap_podio::{EventType, RefType};
use podtap_sandbox::{
    CallRates, Handle, Observation, Sandbox, SandboxCommand, SandboxConfig, Seed, SendOutcome,
    SentWebhook,
};
use podtap_wire::{EventId, Seq, WebhookRequest};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::super::{Repair, RepairReport};
use super::Happening;
use crate::draft::Draft;
use crate::history::{Anchor, DeliveryState, Fact, Filter, Mark, NewEvent, PageQuery};
use crate::place::PlaceRef;
use crate::{Agent, AgentConfig, AgentHandle};

pub(super) const ORDERS: u64 = 30_682_880;
const KEY: &str = "k3v2m2p7q4w6x5z6t3r2s2abca";

/// Maximum wait for any result: the machine may be loaded.
const PATIENCE: Duration = Duration::from_mins(2);

/// The content of a lost or repaired event: hook, type, item, revision.
pub(super) type Said = (u64, String, u64, u64);

pub(super) struct World {
    pub(super) sandbox: Handle,
    pub(super) client: Client,
    handle: AgentHandle,
    _agent: Agent,
    sent: broadcast::Receiver<Observation>,
    _running: JoinSet<()>,
    _token: tokio_util::sync::DropGuard,
    _folder: TempDir,
}

impl World {
    /// Starts Podio with five hooks on one app that lead to a tunnel.
    pub(super) async fn start(rates: CallRates) -> Self {
        let bound = Sandbox::bind(SandboxConfig {
            rates,
            ..SandboxConfig::default()
        });
        let bound = bound.await.unwrap();
        let (sandbox, token) = (bound.handle(), CancellationToken::new());
        let client_config = client::PodioClientConfig {
            base_url: bound.base_url().parse().unwrap(),
            credentials: Seed::example().credentials(0),
            ..client::PodioClientConfig::default()
        };
        let client = Client::new(client_config.clone()).unwrap();
        let sent = sandbox.subscribe();
        let mut running = JoinSet::new();
        running.spawn(bound.run(token.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = format!("http://{}/{KEY}", listener.local_addr().unwrap());
        running.spawn(take_everything(listener));

        let app = client.app(ORDERS).await.unwrap();
        let title = app.fields.iter().find(|field| field.external_id == "title");
        let title = title.unwrap().field_id;
        let folder = TempDir::new().unwrap();
        let mut config = AgentConfig::new(folder.path().join("history.db"));
        config.podio.client = client_config;
        config.podio.places = vec![PlaceRef::app(ORDERS), PlaceRef::field(title)];
        let (agent, handle) = Agent::open(config).unwrap();
        let url = relay.clone();
        let known = Fact::Tunnel { url };
        handle.writer.add_facts(vec![known]).await.unwrap();

        let mut world = Self {
            sandbox,
            client,
            handle,
            _agent: agent,
            sent,
            _running: running,
            _token: token.drop_guard(),
            _folder: folder,
        };
        let url = format!("{relay}/podio/hook?env=dev");
        let on_app = |event| (RefType::App, ORDERS, event);
        for (ref_type, ref_id, event) in [
            on_app(EventType::ItemCreate),
            on_app(EventType::ItemUpdate),
            on_app(EventType::ItemUpdate),
            on_app(EventType::ItemDelete),
            (RefType::AppField, title, EventType::ItemUpdate),
        ] {
            let made = world.client.create_hook(ref_type, ref_id, &url, event);
            made.await.unwrap();
            world.verify().await;
        }
        // Podio's times have seconds: nothing is expected
        // for the second in which a hook is created.
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        world
    }

    pub(super) async fn next_sent(&mut self) -> SentWebhook {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.sent.recv()).await;
            if let Observation::Sent(sent) = next.unwrap().unwrap() {
                return sent;
            }
        }
    }

    async fn verify(&mut self) {
        let sent = self.next_sent().await;
        let code = sent.params.iter().find(|(name, _)| name == "code").unwrap();
        let validated = self.client.validate_hook(sent.hook_id, &code.1);
        validated.await.unwrap();
    }

    pub(super) async fn perform(
        &self,
        event: &str,
        object: Option<u64>,
        value: Option<(&str, String)>,
    ) -> u64 {
        let values = value.map(|(name, value)| (name.to_owned(), value));
        let command = SandboxCommand {
            event: event.to_owned(),
            object,
            values: values.into_iter().collect(),
        };
        self.sandbox.perform(&command).await.unwrap()
    }

    /// Makes everything happen; returns what was sent, and the remaining items.
    pub(super) async fn live(
        &mut self,
        happenings: &[Happening],
    ) -> (Vec<SentWebhook>, BTreeSet<u64>) {
        let app = Some(ORDERS);
        let (mut sent, mut items) = (Vec::new(), Vec::new());
        items.push(self.perform("item.create", app, None).await);
        sent.push(self.next_sent().await);
        for (number, happening) in happenings.iter().enumerate() {
            let value = |name| Some((name, format!("{}", 1_000 + number)));
            // Number of hooks that fire: one for creations and
            // deletions, two for updates, plus the field's.
            let fired = match happening {
                Happening::Create => {
                    items.push(self.perform("item.create", app, value("title")).await);
                    1
                }
                Happening::Title(of) if !items.is_empty() => {
                    let item = Some(*of.get(&items));
                    self.perform("item.update", item, value("title")).await;
                    3
                }
                Happening::Amount(of) if !items.is_empty() => {
                    let item = Some(*of.get(&items));
                    self.perform("item.update", item, value("amount")).await;
                    2
                }
                Happening::Comment(of) if !items.is_empty() => {
                    let item = Some(*of.get(&items));
                    self.perform("comment.create", item, None).await;
                    0
                }
                Happening::Delete(of) if !items.is_empty() => {
                    let item = items.remove(of.index(items.len()));
                    self.perform("item.delete", Some(item), None).await;
                    1
                }
                Happening::Outage(on) => {
                    self.sandbox.set_outage(*on);
                    0
                }
                _ => 0,
            };
            for _ in 0..fired {
                sent.push(self.next_sent().await);
            }
        }
        (sent, items.into_iter().collect())
    }

    /// Stores the events that were not lost, as if they came through a relay.
    pub(super) async fn arrive(&self, sent: &[SentWebhook]) {
        let arrived = sent
            .iter()
            .filter(|sent| sent.outcome != SendOutcome::Swallowed);
        let events = (1..).zip(arrived).map(|(seq, sent)| {
            let mut params = sent.params.clone();
            params.push(("env".to_owned(), "dev".to_owned()));
            NewEvent {
                id: EventId::from_parts(Timestamp::now(), seq),
                seq: Some(Seq(u64::try_from(seq).unwrap())),
                request: WebhookRequest {
                    received_at: Timestamp::now(),
                    path: "/podio/hook".to_owned(),
                    ..Draft::of_params(params).request
                },
                state: DeliveryState::Held,
            }
        });
        self.handle.writer.append(events.collect()).await.unwrap();
    }

    pub(super) async fn repair(&self, dry_run: bool) -> RepairReport {
        let repair = Repair {
            since: Timestamp::now() - Duration::from_hours(1),
            until: Timestamp::now() + Duration::from_secs(1),
            dry_run,
        };
        self.handle.repair(repair).await.unwrap()
    }

    /// Returns the repaired events of the history, according to their bodies.
    pub(super) async fn repaired_events(&self) -> Vec<Said> {
        let query = PageQuery {
            filter: Filter::default().and_marked(Mark::Repaired),
            anchor: Anchor::Newest,
            limit: 1_000,
        };
        let rows = self.handle.history().page(query).await.unwrap();
        let mut said = Vec::new();
        for row in rows {
            let event = self.handle.history().event(row.id).await.unwrap().unwrap();
            let podio = event.podio.unwrap();
            let number = |name| podio.id(name).unwrap();
            assert_eq!((event.seq, podio.param("env")), (None, Some("dev")));
            assert_eq!(event.request.path, "/podio/hook");
            said.push((
                podio.hook_id.unwrap(),
                podio.kind.as_str().to_owned(),
                number("item_id"),
                podio.revision().unwrap(),
            ));
        }
        said
    }
}

/// Answers 200 to every request.
async fn take_everything(listener: TcpListener) {
    let mut open = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        open.spawn(async move {
            let (mut request, mut piece) = (Vec::new(), [0; 4096]);
            while let Ok(count @ 1..) = stream.read(&mut piece).await {
                request.extend_from_slice(&piece[..count]);
                let text = String::from_utf8_lossy(&request);
                // A body is a form that contains its hook, and arrives in one or two pieces.
                if text.contains("\r\n\r\n") && text.contains("hook_id=") && text.contains("type=")
                {
                    break;
                }
            }
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(answer).await;
        });
        while open.try_join_next().is_some() {}
    }
}
