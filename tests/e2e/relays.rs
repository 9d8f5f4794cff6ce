//! Several relays on one PostgreSQL database: behind Debian's haproxy, and killed under load.

#[path = "../../relay/src/postgres/tests/server.rs"]
mod server;

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use serde_json::Value;
use tokio::net::TcpStream;

use self::server::Server;
use crate::lossless::{Load, is_whole};
use crate::support::{DEADLINE, Process, Relay, Service, Stage, form_post, pause, script, send};

const EVENTS: usize = 1_000;

/// A stage whose relays share a database.
struct Shared {
    stage: Stage,
    server: Server,
    database: String,
}

impl Shared {
    /// None where a program is missing, which says so.
    fn new() -> Option<Self> {
        let server = Server::start(&[])?;
        let database = server.database();
        let database = server.url(&database);
        Some(Self {
            stage: Stage::new(),
            server,
            database,
        })
    }

    async fn relay(&self, listen: &str, public_url: Option<&str>) -> Relay {
        let mut options = vec!["--database", &self.database];
        options.extend(public_url.into_iter().flat_map(|url| ["--public-url", url]));
        self.stage.relay_with(listen, &options).await
    }

    fn token(&self) -> String {
        // From a machine that has never seen a relay.
        let args = [
            "relay",
            "token",
            "create",
            "ann",
            "--database",
            &self.database,
        ];
        self.stage.succeed(&args).trim().to_owned()
    }
}

/// A port that is free, for a program that cannot choose one by itself.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// haproxy before two relays, of which it uses those that are ready.
fn haproxy(stage: &Stage, port: u16, relays: [&str; 2]) -> Process {
    let [a, b] = relays;
    let file = stage.home().join("haproxy.cfg");
    let config = format!(
        "defaults
  mode http
  timeout connect 2s
  timeout client 1m
  timeout server 1m
  timeout tunnel 1h
  option redispatch
frontend public
  bind 127.0.0.1:{port}
  default_backend relays
backend relays
  balance roundrobin
  option httpchk
  http-check send meth GET uri /-/readyz ver HTTP/1.1 hdr Host relay
  default-server check inter 100ms fall 1 rise 1
  server a {a}
  server b {b}
"
    );
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new("/usr/sbin/haproxy");
    command.args(["-db", "-f"]).arg(&file);
    Process::spawn(command)
}

/// What a relay says of itself to a load balancer.
async fn readiness(authority: &str) -> u16 {
    let asked = b"GET /-/readyz HTTP/1.1\r\nhost: relay\r\nconnection: close\r\n\r\n";
    send(authority, asked).await.status
}

async fn is_ready(authority: &str) {
    while TcpStream::connect(authority).await.is_err() || readiness(authority).await != 200 {
        pause(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_behind_one_address_lose_nothing_when_either_is_killed() {
    // It answers no `--version`; its file is where Debian has it.
    let haproxy_file = Path::new("/usr/sbin/haproxy");
    if !script::available(
        "bash",
        Some(haproxy_file),
        "install haproxy to try two relays",
    ) {
        return;
    }
    let Some(shared) = Shared::new() else { return };
    let (stage, service) = (&shared.stage, Service::start().await);
    let port = free_port();
    let public = format!("http://127.0.0.1:{port}");
    let mut first = shared.relay("127.0.0.1:0", Some(&public)).await;
    let mut second = shared.relay("127.0.0.1:0", Some(&public)).await;
    let _proxy = haproxy(stage, port, [&first.authority, &second.authority]);
    is_ready(&format!("127.0.0.1:{port}")).await;
    let token = shared.token();
    let (_agent, url) = stage.agent(&public, &token, service.address(), &[]).await;
    assert!(url.starts_with(&public), "{url}");

    let load = Load::start(&url, EVENTS);
    load.reaches(EVENTS / 4).await;
    first.process.kill();
    load.reaches(EVENTS / 2).await;
    let listen = first.authority.clone();
    let _first = shared.relay(&listen, Some(&public)).await;
    load.reaches(3 * EVENTS / 4).await;
    second.process.kill();
    load.end().await;

    is_whole(stage, &service, EVENTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_database_crashes_and_comes_back() {
    let Some(shared) = Shared::new() else { return };
    let (stage, service) = (&shared.stage, Service::start().await);
    let relay = shared.relay("127.0.0.1:0", None).await;
    let token = shared.token();
    let (_agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    let load = Load::start(&url, EVENTS);
    load.reaches(EVENTS / 4).await;

    shared.server.crash();
    // Refused so that Podio sends it again, and the load balancer knows.
    let refused = form_post(&url, b"type=item.update&item_id=1&n=0").await;
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(readiness(&relay.authority).await, 503);
    shared.server.restart();
    load.reaches(EVENTS / 2).await;
    shared.server.crash();
    shared.server.restart();
    load.end().await;

    is_whole(stage, &service, EVENTS).await;
    is_ready(&relay.authority).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_at_one_relay_gets_the_answer_of_an_agent_at_another() {
    let Some(shared) = Shared::new() else { return };
    let service = Service::answering(|_| {
        let mut answer = http::Response::new(Full::new(Bytes::from_static(b"from the service")));
        *answer.status_mut() = http::StatusCode::IM_A_TEAPOT;
        answer
    })
    .await;
    let first = shared.relay("127.0.0.1:0", None).await;
    let second = shared.relay("127.0.0.1:0", None).await;
    let token = shared.token();
    let (_agent, url) = shared
        .stage
        .agent(
            &first.url(),
            &token,
            service.address(),
            &["--respond", "local"],
        )
        .await;
    let there = url.replace(&first.authority, &second.authority);

    // The other relay learns within a second that the agent answers.
    let mut answer = form_post(&there, b"type=item.update&item_id=1").await;
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while answer.status == 200 && tokio::time::Instant::now() < deadline {
        answer = form_post(&there, b"type=item.update&item_id=1").await;
    }

    assert_eq!(answer.status, 418);
    assert_eq!(answer.body, "from the service");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_tunnels_are_looked_after_from_any_machine() {
    let Some(shared) = Shared::new() else { return };
    let (stage, service) = (&shared.stage, Service::start().await);
    let relay = shared.relay("127.0.0.1:0", None).await;
    let token = shared.token();
    let (mut agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    let file = stage.home().join("database");
    std::fs::write(&file, &shared.database).unwrap();
    let file = file.to_str().unwrap();

    let list = || {
        let args = ["tunnels", "list", "--json", "--database-file", file];
        let line = stage.succeed(&args);
        serde_json::from_str::<Value>(line.trim()).unwrap()
    };
    let tunnel = list();
    assert_eq!(
        (&tunnel["owner"], &tunnel["name"]),
        (&"ann".into(), &"crm".into())
    );
    assert_eq!(tunnel["url"], url);
    assert!(tunnel["connected"].is_object(), "{tunnel}");
    let rotated = ["tunnels", "rotate", "crm", "--database-file", file];
    let rotated = stage.succeed(&rotated);
    assert!(
        rotated.contains("http") && !rotated.contains(&url),
        "{rotated}"
    );

    let revoke = ["relay", "token", "revoke", "ann", "--database-file", file];
    stage.succeed(&revoke);
    agent.ended().await;
    let tokens = stage.succeed(&["relay", "token", "list", "--database-file", file]);
    assert!(tokens.contains("revoked"), "{tokens}");
}

#[tokio::test]
async fn a_database_that_is_of_no_use_is_named_without_its_password() {
    let Some(shared) = Shared::new() else { return };
    let port = shared.server.port();
    let at = |place: &str| format!("postgres://ann:s3cret@{place}");
    let fresh = shared.server.database();
    let sql = "CREATE ROLE ann LOGIN PASSWORD 's3cret'; REVOKE CREATE ON SCHEMA public FROM PUBLIC";
    shared.server.sql(&fresh, sql);
    for (url, code, word) in [
        ("relay.db".to_owned(), 2, "postgres://"),
        (at("db:port/podtap"), 2, "cannot be used"),
        (at("db/podtap?sslmode=maybe"), 2, "sslmode"),
        (at("127.0.0.1:1/podtap"), 1, "cannot be reached"),
        (
            at(&format!("127.0.0.1:{port}/nothing")),
            1,
            "does not exist",
        ),
        (
            at(&format!("127.0.0.1:{port}/{fresh}")),
            1,
            "owner of the database",
        ),
        (
            format!("postgres://stranger:s3cret@127.0.0.1:{port}/{fresh}"),
            1,
            "user or the password",
        ),
    ] {
        for command in [
            &["relay", "--listen", "127.0.0.1:0"][..],
            &["relay", "token", "list"],
            &["tunnels", "list"],
        ] {
            let (ended, stdout, stderr) =
                shared.stage.run(&[command, &["--database", &url]].concat());
            assert_eq!(ended, code, "{command:?} {url}: {stderr}");
            assert!(stderr.contains(word), "{command:?} {url}: {stderr}");
            assert!(!format!("{stdout}{stderr}").contains("s3cret"), "{stderr}");
        }
    }
}
