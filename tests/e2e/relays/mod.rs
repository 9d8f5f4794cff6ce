//! Several relays on one PostgreSQL database: behind Debian's haproxy, and killed under load.

mod pooler;
mod standby;
mod words;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::lossless::{Load, is_whole};
use crate::support::{
    DEADLINE, Process, Service, SharedStage, Stage, eventually, form_post, get, own_address,
    own_port, pause, script,
};

const EVENTS: usize = 1_000;

/// Starts haproxy in front of two relays; it uses those that are ready.
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

/// Returns the status that a load balancer gets from a relay.
async fn readiness(authority: &str) -> u16 {
    get(authority, "/-/readyz").await.status
}

async fn is_ready(authority: &str) {
    while TcpStream::connect(authority).await.is_err() || readiness(authority).await != 200 {
        pause(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_behind_one_address_lose_nothing_when_either_is_killed() {
    // Haproxy has no `--version`; this is where Debian installs it.
    let haproxy_file = Path::new("/usr/sbin/haproxy");
    if !script::available(
        "bash",
        Some(haproxy_file),
        "install haproxy to try two relays",
    ) {
        return;
    }
    let Some(shared) = SharedStage::new() else {
        return;
    };
    let (stage, service) = (&shared.stage, Service::start().await);
    let port = own_port();
    let public = format!("http://127.0.0.1:{port}");
    let mut first = shared.relay(&own_address(), Some(&public)).await;
    let mut second = shared.relay(&own_address(), Some(&public)).await;
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
    let Some(shared) = SharedStage::new() else {
        return;
    };
    let (stage, service) = (&shared.stage, Service::start().await);
    let relay = shared.relay(&own_address(), None).await;
    let token = shared.token();
    let (_agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    let load = Load::start(&url, EVENTS);
    load.reaches(EVENTS / 4).await;

    shared.server.crash();
    // Refused so that Podio sends it again; the load balancer sees it, too.
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
    let Some(shared) = SharedStage::new() else {
        return;
    };
    let service = Service::answering(|_| {
        let mut answer = http::Response::new(Full::new(Bytes::from_static(b"from the service")));
        *answer.status_mut() = http::StatusCode::IM_A_TEAPOT;
        answer
    })
    .await;
    let first = shared.relay(&own_address(), None).await;
    let second = shared.relay(&own_address(), None).await;
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

    // The other relay learns within a second that the agent decides the response.
    let mut answer = form_post(&there, b"type=item.update&item_id=1").await;
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while answer.status == 200 && tokio::time::Instant::now() < deadline {
        answer = form_post(&there, b"type=item.update&item_id=1").await;
    }

    assert_eq!(answer.status, 418);
    assert_eq!(answer.body, "from the service");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_hears_what_another_relay_refused() {
    let Some(shared) = SharedStage::new() else {
        return;
    };
    let service = Service::start().await;
    let first = shared.relay(&own_address(), None).await;
    let options = ["--max-body", "1KiB", "--database", &shared.database];
    let second = shared.stage.relay_with("127.0.0.1:0", &options).await;
    let token = shared.token();
    let (agent, url) = shared
        .stage
        .agent(&first.url(), &token, service.address(), &[])
        .await;
    let there = url.replace(&first.authority, &second.authority);

    for _ in 0..3 {
        let refused = form_post(&there, &[b'x'; 2000]).await;
        assert_eq!(refused.status, 413);
    }

    let told = || agent.objects("refused");
    let count = || -> u64 { told().iter().map(|it| it["count"].as_u64().unwrap()).sum() };
    let all = || (count() == 3).then_some(());
    eventually("all three are told", all, || format!("{:?}", told())).await;
    let reason = told()[0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("body over"), "{reason}");

    // Owners and the operator see all tunnels through any relay.
    let at = first.url();
    let own = ["--relay", &at, "--token", &token];
    for way in [&own[..], &["--database", &shared.database]] {
        let list = || {
            let args = [&["tunnels", "list", "--json"], way].concat();
            let line = shared.stage.succeed(&args);
            let tunnel: Value = serde_json::from_str(line.trim()).unwrap();
            tunnel["refused"].clone()
        };
        let all = || (list()[0]["count"] == 3).then_some(());
        eventually("all three are listed", all, || list().to_string()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_tunnels_are_looked_after_from_any_machine() {
    let Some(shared) = SharedStage::new() else {
        return;
    };
    let (stage, service) = (&shared.stage, Service::start().await);
    let relay = shared.relay(&own_address(), None).await;
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
    agent.wait_for_end().await;
    let tokens = stage.succeed(&["relay", "token", "list", "--database-file", file]);
    assert!(tokens.contains("revoked"), "{tokens}");
}
