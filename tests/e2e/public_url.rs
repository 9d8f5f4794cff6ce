//! `listen --public-url`: a tunnel program in front of the relay
//! inside the process, like cloudflared, Tailscale Funnel and ngrok.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::hooks::{APP, Podio};
use crate::support::{Process, Service, Stage, eventually, listen_alone, send};

/// The headers that each of them adds. Each closes the connection after one request.
const HEADERS: [(&str, &str); 3] = [
    (
        "cloudflared",
        "CF-Connecting-IP: 203.0.113.7\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n",
    ),
    (
        "tailscale",
        "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Host: some.ts.net\r\nX-Forwarded-Proto: https\r\n",
    ),
    (
        "ngrok",
        "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Host: some.ngrok-free.app\r\n\
         X-Forwarded-Proto: https\r\n",
    ),
];

/// A stand-in for one of these programs.
struct Front {
    listener: TcpListener,
}

impl Front {
    async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Forwards every request to the relay, with these headers.
    fn before(self, relay: SocketAddr, headers: &'static str) -> JoinSet<()> {
        let mut front = JoinSet::new();
        front.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = self.listener.accept().await {
                connections.spawn(pass(stream, relay, headers));
            }
        });
        front
    }
}

async fn pass(mut outside: TcpStream, relay: SocketAddr, headers: &str) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match outside.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    head.truncate(head.len() - 2);
    let mut inside = TcpStream::connect(relay).await.unwrap();
    inside.write_all(&head).await.unwrap();
    let more = format!("{headers}Connection: close\r\n\r\n");
    inside.write_all(more.as_bytes()).await.unwrap();
    // Either side may close first.
    tokio::io::copy_bidirectional(&mut outside, &mut inside)
        .await
        .ok();
}

/// Returns the address of the relay inside the process
/// of the tunnel `crm`, from its file with the port.
async fn relay_of(stage: &Stage, agent: &Process) -> SocketAddr {
    let file = stage.home().join("data/podtap/relay-crm/port");
    let port = || {
        std::fs::read_to_string(&file)
            .ok()?
            .trim()
            .parse::<u16>()
            .ok()
    };
    let port = eventually("the relay's port", port, || agent.stderr()).await;
    SocketAddr::from(([127, 0, 0, 1], port))
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_are_made_on_the_public_url_and_podio_calls_through_it() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let podio = Podio::start(&stage).await;
    let front = Front::bind().await;
    let public = format!("http://{}", front.address());
    let target = service.address().to_string();
    let args = listen_alone(&[&target, "--app", APP, "--on", "item.create"]);
    let mut command = podio.command(&stage, &args);
    // As a variable; the other test uses the flag.
    command.env("PODTAP_PUBLIC_URL", &public);
    let agent = Process::spawn(command);
    let _front = front.before(relay_of(&stage, &agent).await, HEADERS[0].1);

    let ready = agent.object("ready", |_| true).await;
    assert!(
        ready["url"].as_str().unwrap().starts_with(&public),
        "{ready}"
    );
    agent.object("verify", |verify| verify["ok"] == true).await;
    podio.objects(
        &stage,
        &[
            "sandbox",
            "do",
            "item.create",
            "--json",
            "--podio-url",
            &podio.url,
        ],
    );
    agent
        .object("event", |event| event["event"] == "item.create")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_is_the_one_that_the_front_names() {
    for (name, headers) in HEADERS {
        let (stage, front) = (Stage::new(), Front::bind().await);
        let address = front.address();
        let agent = stage.listen(&["--public-url", "https://some.example.com"]);
        let _front = front.before(relay_of(&stage, &agent).await, headers);
        let ready = agent.object("ready", |_| true).await;
        let url = ready["url"].as_str().unwrap();
        assert_eq!(ready["podio_can_call"], true, "{ready}");
        let path = url.strip_prefix("https://some.example.com").unwrap();
        let request = format!(
            "POST {path}podio/hook HTTP/1.1\r\nHost: some.example.com\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 16\r\n\r\n\
             type=item.create"
        );
        let answer = send(&address.to_string(), request.as_bytes()).await;
        assert_eq!(answer.status, 200, "{name}");
        let event = agent.object("event", |_| true).await;
        assert_eq!(event["peer"], "203.0.113.7", "{name}: {event}");
    }
    let stage = Stage::new();
    let both = [
        "listen",
        "3000",
        "--relay",
        "https://x.test",
        "--public-url",
        "https://y.test",
    ];
    assert_eq!(stage.run(&both).0, 2);
    let mut told = crate::support::command(
        &stage,
        &["listen", "3000", "--public-url", "https://y.test"],
    );
    told.env("PODTAP_RELAY", "https://x.test")
        .env("PODTAP_TOKEN", "pt_x");
    let told = told.output().unwrap();
    assert_eq!(told.status.code(), Some(2), "{told:?}");
}
