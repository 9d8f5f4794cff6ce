//! A sandbox of Podio's API beside an agent, and the way of a webhook from one to the other without
//! a relay: what the sandbox sends is appended to the history, as the link would do it.

use std::path::Path;

use jiff::Timestamp;
use podtap_agent::history::{DeliveryState, NewEvent, Writer, WriterThread};
use podtap_podio::client::{self, Client, Credentials, Grant};
use podtap_podio::sandbox::{self, Handle, Sandbox};
use podtap_wire::{EventId, WebhookRequest};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Service, ok};

/// An app of the sandbox, as its seed has it.
pub(crate) const ORDERS: u64 = 30_682_880;

pub(crate) struct Podio {
    pub(crate) client: Client,
    pub(crate) config: client::Config,
    pub(crate) handle: Handle,
    /// Where hooks send to.
    pub(crate) ingest: String,
    pub(crate) writer: Writer,
    _thread: WriterThread,
    _ingest: Service,
    _running: JoinSet<()>,
    _token: tokio_util::sync::DropGuard,
}

impl Podio {
    /// A sandbox whose webhooks end in the history at `path`.
    pub(crate) async fn start(path: &Path, config: sandbox::Config) -> Self {
        let bound = Sandbox::bind(config).await.unwrap();
        let (handle, token) = (bound.handle(), CancellationToken::new());
        let config = client::Config {
            base_url: bound.base_url().parse().unwrap(),
            credentials: Some(Credentials {
                client_id: "podtap".to_owned(),
                client_secret: "sandbox-secret".into(),
                grant: Grant::Password {
                    username: "ada@example.com".to_owned(),
                    password: "sandbox".into(),
                },
            }),
            ..client::Config::default()
        };
        let mut running = JoinSet::new();
        running.spawn(bound.run(token.clone()));
        let (writer, thread) = Writer::open(path, broadcast::Sender::new(16)).unwrap();
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

    /// Appends a webhook that was not sent by the sandbox.
    pub(crate) async fn forge(&self, body: &str) -> EventId {
        let event = webhook(body.as_bytes().to_vec());
        let id = event.id;
        self.writer.append(vec![event]).await.unwrap();
        id
    }
}

/// A webhook of this moment.
pub(crate) fn webhook(body: Vec<u8>) -> NewEvent {
    let received_at = Timestamp::now();
    NewEvent {
        id: EventId::from_parts(received_at, u128::from(fastrand::u64(..))),
        seq: None,
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
