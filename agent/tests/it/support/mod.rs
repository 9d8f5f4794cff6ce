//! Shared parts of the agent's tests: events to append, a scripted local service, waiting.

pub(crate) mod circle;
pub(crate) mod podio;
pub(crate) mod relay;
pub(crate) mod running;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use podtap_agent::config::DeliveryConfig;
use podtap_agent::history::Retention;
use podtap_agent::history::{DeliveryState, NewEvent};
use podtap_agent::{AgentConfig, LinkConfig, PodioConfig, Target};
use podtap_connect::tls::Trust;
use podtap_disk::age::Now;
use podtap_wire::{EventId, HeaderList, Seq, WebhookRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// Maximum wait before a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// Returns a configuration that only browses, with a history in the given folder.
pub(crate) fn browsing(folder: &tempfile::TempDir) -> AgentConfig {
    AgentConfig {
        history: folder.path().join("test.db"),
        link: None,
        target: None,
        routes: Vec::new(),
        delivery: DeliveryConfig {
            probe_every: Duration::from_millis(20),
            ..DeliveryConfig::default()
        },
        retention: Retention::default(),
        podio: PodioConfig::default(),
        trust: Trust::default(),
    }
}

/// Returns a configuration with a link to a relay that
/// does not exist, so that pending events are delivered.
pub(crate) fn delivering(folder: &tempfile::TempDir, target: SocketAddr) -> AgentConfig {
    let mut config = browsing(folder);
    config.link = Some(LinkConfig::new(
        "http://127.0.0.1:1".parse().unwrap(),
        "token".into(),
        "test".parse().unwrap(),
    ));
    config.target = Some(target_of(target));
    config
}

pub(crate) fn target_of(address: SocketAddr) -> Target {
    format!("http://{address}").parse().unwrap()
}

/// Returns an address without a service. While the socket is kept, no other test gets the port.
pub(crate) fn nowhere() -> (TcpSocket, SocketAddr) {
    let bound = TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = bound.local_addr().unwrap();
    (bound, address)
}

pub(crate) fn history_of(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("test.db")
}

/// Returns the running time after this many hours, according to clocks that agree.
pub(crate) fn after_hours(hours: u64) -> Now {
    Now {
        wall_ms: i64::try_from(hours * 3_600_000).unwrap(),
        steady: Duration::from_hours(hours),
    }
}

/// Returns an event of the present, with an id that is derived from the number alone.
pub(crate) fn event(number: u64, body: &str) -> NewEvent {
    let received_at = Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap();
    NewEvent {
        id: EventId::from_parts(Timestamp::UNIX_EPOCH, u128::from(number)),
        seq: Some(Seq(number)),
        request: WebhookRequest {
            received_at,
            method: "POST".to_owned(),
            path: "/podio/hook".to_owned(),
            headers: [("content-type", "application/x-www-form-urlencoded")]
                .into_iter()
                .collect(),
            peer: Some([192, 0, 2, 1].into()),
            body: body.to_owned().into(),
        },
        state: DeliveryState::Pending,
    }
}

/// Returns an `item.update` of this item.
pub(crate) fn item_update(number: u64, item: u64) -> NewEvent {
    let revision = number;
    event(
        number,
        &format!("type=item.update&item_id={item}&item_revision_id={revision}&hook_id=7"),
    )
}

pub(crate) fn no_headers() -> HeaderList {
    HeaderList::default()
}

/// A request that the local service received: the head as received, and the body.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn request_line(&self) -> &str {
        self.head.lines().next().unwrap()
    }
}

/// What the local service does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reaction {
    /// Answers with these bytes.
    Answer(Vec<u8>),
    /// Closes the connection without an answer.
    HangUp,
    /// Never answers.
    Silence,
    /// Answers after this time.
    Late(Duration),
}

pub(crate) fn ok() -> Reaction {
    answer(200, "fine")
}

pub(crate) fn answer(status: u16, body: &str) -> Reaction {
    let length = body.len();
    Reaction::Answer(
        format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nx-service: yes\r\n\r\n{body}")
            .into_bytes(),
    )
}

/// Returns the reaction to a request, given its number on its connection, from 1.
type Script = dyn Fn(&Received, usize) -> Reaction + Send + Sync;

/// A local service that implements HTTP itself, so that every received byte can be checked.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    _serving: JoinSet<()>,
}

impl Service {
    pub(crate) async fn start(
        script: impl Fn(&Received) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        Self::start_each(move |request, _| script(request)).await
    }

    pub(crate) async fn start_each(
        script: impl Fn(&Received, usize) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on_each(listener, script)
    }

    pub(crate) fn on(
        listener: TcpListener,
        script: impl Fn(&Received) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        Self::on_each(listener, move |request, _| script(request))
    }

    fn on_each(
        listener: TcpListener,
        script: impl Fn(&Received, usize) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Script> = Arc::new(script);
        let mut serving = JoinSet::new();
        let seen = Arc::clone(&received);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&script), Arc::clone(&seen)));
            }
        });
        Self {
            address,
            received,
            _serving: serving,
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Script>, seen: Arc<Mutex<Vec<Received>>>) {
    let (mut buffer, mut nth) = (Vec::new(), 0);
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        nth += 1;
        let reaction = script(&request, nth);
        seen.lock().unwrap().push(request);
        match reaction {
            Reaction::Answer(bytes) => stream.write_all(&bytes).await.unwrap(),
            Reaction::HangUp => return,
            Reaction::Silence => std::future::pending().await,
            Reaction::Late(pause) => {
                tokio::time::sleep(pause).await;
                let Reaction::Answer(bytes) = ok() else {
                    return;
                };
                let _ = stream.write_all(&bytes).await;
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Received> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
    let mut received = Received {
        head,
        body: Vec::new(),
    };
    let length: usize = received
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    while buffer.len() < end + 4 + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    received.body = buffer[end + 4..end + 4 + length].to_vec();
    buffer.drain(..end + 4 + length);
    Some(received)
}

/// Waits until `look` returns `Ok`; on timeout, panics with the last error.
pub(crate) async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, String>>,
{
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) => assert!(
                tokio::time::Instant::now() < deadline,
                "{what}: not within {DEADLINE:?}; last seen: {seen}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
