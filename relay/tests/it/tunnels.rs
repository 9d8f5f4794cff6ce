//! Tests tunnels as their owner manages them over HTTP, and as the operator does beside the relay.

use std::time::Duration;

use podtap_wire::manage::{RotatedTunnel, TunnelList};
use podtap_wire::{Notice, Seq};
use tempfile::tempdir;

use crate::support::http::{Reply, get, post, request};
use crate::support::{Agent, TestRelay, eventually};

const SERVER: &str = concat!("podtap/", env!("CARGO_PKG_VERSION"));

async fn ask(relay: &TestRelay, token: &str, method: &str, below: &str, body: &str) -> Reply {
    let path = format!("/-/tunnels{below}");
    let headers = format!("Authorization: Bearer {token}\r\n");
    request(relay.address, method, &path, &headers, body.as_bytes()).await
}

async fn list(relay: &TestRelay, token: &str) -> TunnelList {
    let reply = ask(relay, token, "GET", "", "").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    serde_json::from_slice(&reply.body).unwrap()
}

fn path_of(url: &str) -> String {
    let url: url::Url = url.parse().unwrap();
    url.path().trim_end_matches('/').to_owned()
}

#[tokio::test]
async fn an_owner_sees_what_waits_and_who_is_connected_and_nothing_of_others() {
    let relay = TestRelay::with(|limits| {
        limits.max_body_bytes = 8_192;
        limits.max_queue_events = 77;
    })
    .await;
    let bob = relay.store.create("bob").await.unwrap();
    let _bobs = Agent::connect(relay.address, bob.reveal(), "bobs").await;
    let agent = Agent::connect_with(relay.address, &relay.token, "crm", |hello| {
        hello.host = Some("ann-laptop\u{1b}[31m".to_owned());
    })
    .await;
    assert_eq!(post(relay.address, &agent.path(), "x").await.status, 200);
    assert_eq!(post(relay.address, &agent.path(), "y").await.status, 200);
    let large = "z".repeat(16 * 1024);
    assert_eq!(post(relay.address, &agent.path(), large).await.status, 413);

    let TunnelList {
        tunnels: found,
        server,
        limits,
    } = list(&relay, &relay.token).await;

    assert_eq!((server.as_str(), limits.max_events), (SERVER, 77));
    assert_eq!(found.len(), 1, "{found:?}");
    let crm = &found[0];
    assert!(
        crm.oldest_waiting_at.is_some() && crm.oldest_waiting_at <= crm.last_event_at,
        "the first one waits"
    );
    let refused = &crm.refused[0];
    assert_eq!(
        (refused.count, refused.reason.as_str()),
        (1, "body over 8192 bytes")
    );
    assert_eq!((crm.name.as_str(), crm.waiting_events), ("crm", 2));
    assert!(crm.waiting_bytes > 0 && crm.last_event_at.is_some());
    assert_eq!(path_of(&crm.url), agent.path());
    let connected = crm.connected.as_ref().unwrap();
    assert_eq!(connected.host.as_deref(), Some("ann-laptop[31m"));
    assert_eq!(connected.peer, "127.0.0.1");
    // The operator sees the same a moment later.
    eventually("the session to be told", async || {
        let all = relay.store.tunnels(None).await.unwrap();
        all.len() == 2 && all.iter().all(|tunnel| tunnel.connected.is_some())
    })
    .await;
    agent.leave().await;
    eventually("the session's end to be told", async || {
        relay.store.tunnels(Some("ada")).await.unwrap()[0]
            .connected
            .is_none()
    })
    .await;
    assert!(
        list(&relay, &relay.token).await.tunnels[0]
            .connected
            .is_none()
    );
    relay.stop().await;
}

#[tokio::test]
async fn a_relay_can_be_told_from_any_other_server() {
    let relay = TestRelay::new().await;
    for path in ["/-/readyz", "/-/healthz"] {
        let reply = get(relay.address, path).await;
        assert_eq!(reply.header("podtap-relay"), Some(SERVER), "{path}");
    }
    let unknown = get(relay.address, "/x").await;
    assert_eq!(unknown.header("podtap-relay"), None);
    relay.stop().await;
}

#[tokio::test]
async fn a_rotated_url_works_through_its_grace_and_the_agent_learns_the_new_one() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    let old = agent.path();

    let body = r#"{"grace_s": 3600}"#;
    let reply = ask(&relay, &relay.token, "POST", "/crm/rotate", body).await;

    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let rotated: RotatedTunnel = serde_json::from_slice(&reply.body).unwrap();
    let new = path_of(&rotated.url);
    assert!(new != old && rotated.old_url_until.is_some());
    let farewell = agent.farewell().await;
    assert!(
        matches!(
            farewell.notice,
            Some(Notice::Draining {
                come_back_after_ms: 0
            })
        ),
        "{farewell:?}"
    );
    let mut agent = relay.agent("crm").await;
    assert_eq!(agent.path(), new);
    assert_eq!(post(relay.address, &old, "1").await.status, 200);
    assert_eq!(post(relay.address, &new, "2").await.status, 200);
    let bodies: Vec<_> = agent.events(2).await;
    assert_eq!(
        (&bodies[0].request.body[..], bodies[1].seq),
        (&b"1"[..], Seq(2))
    );

    // Without a grace period, the key and the one before it stop working.
    let reply = ask(&relay, &relay.token, "POST", "/crm/rotate", "").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    for gone in [&old, &new] {
        assert_eq!(post(relay.address, gone, "x").await.status, 404, "{gone}");
    }
    relay.stop().await;
}

#[tokio::test]
async fn a_grace_ends_by_itself_and_outlives_a_restart_until_then() {
    let folder = tempdir().unwrap();
    let relay = TestRelay::start(folder.path()).await;
    let (kept, short) = (relay.tunnel("kept").await, relay.tunnel("short").await);
    for (name, seconds) in [("kept", 3600), ("short", 1)] {
        let (name, grace) = (name.parse().unwrap(), Duration::from_secs(seconds));
        let rotated = relay.store.rotate("ada", &name, grace).await;
        rotated.unwrap().unwrap();
    }
    relay.stop().await;

    let relay = TestRelay::start(folder.path()).await;

    assert_eq!(post(relay.address, &kept, "x").await.status, 200);
    eventually("the grace to end", async || {
        post(relay.address, &short, "x").await.status == 404
    })
    .await;
    relay.stop().await;
}

#[tokio::test]
async fn a_deleted_tunnel_is_gone_at_once_with_what_waits() {
    let relay = TestRelay::new().await;
    let mut agent = relay.agent("crm").await;
    let path = agent.path();
    assert_eq!(post(relay.address, &path, "x").await.status, 200);

    assert_eq!(
        ask(&relay, &relay.token, "DELETE", "/crm", "").await.status,
        204
    );

    assert_eq!(post(relay.address, &path, "x").await.status, 404);
    assert_eq!(agent.farewell().await.code, Some(1012));
    assert!(list(&relay, &relay.token).await.tunnels.is_empty());
    assert_eq!(
        ask(&relay, &relay.token, "DELETE", "/crm", "").await.status,
        404
    );
    relay.stop().await;
}

#[tokio::test]
async fn what_cannot_be_right_is_refused_in_words() {
    let relay = TestRelay::new().await;
    relay.tunnel("crm").await;
    let bob = relay.store.create("bob").await.unwrap();
    let good = relay.token.as_str();
    for (token, method, below, body, status, word) in [
        ("pt_none", "GET", "", "", 401, "token"),
        ("", "DELETE", "/crm", "", 401, "token"),
        (bob.reveal(), "DELETE", "/crm", "", 404, "crm"),
        (bob.reveal(), "POST", "/crm/rotate", "", 404, "crm"),
        (good, "POST", "/none/rotate", "", 404, "none"),
        (good, "GET", "/crm", "", 405, "DELETE"),
        (good, "DELETE", "", "", 405, "GET"),
        (good, "POST", "/crm/rotate", "not JSON", 400, "body"),
        (
            good,
            "POST",
            "/crm/rotate",
            r#"{"grace_s":-1}"#,
            400,
            "body",
        ),
        (
            good,
            "POST",
            "/crm/rotate",
            r#"{"grace_s":99999999999}"#,
            400,
            "grace_s",
        ),
        (good, "POST", "/crm/rotate", &" ".repeat(5000), 400, "large"),
    ] {
        let reply = ask(&relay, token, method, below, body).await;
        assert_eq!(reply.status, status, "{method} {below} {}", reply.text());
        assert!(reply.text().contains(word), "{}", reply.text());
    }
    assert_eq!(
        list(&relay, good).await.tunnels.len(),
        1,
        "nothing was changed"
    );
    relay.stop().await;
}

#[tokio::test]
async fn without_a_valid_token_a_tunnel_closes_after_the_age_limit_or_at_once() {
    let relay = TestRelay::with(|limits| {
        limits.max_age = Duration::from_secs(2);
    })
    .await;
    let bob = relay.store.create("bob").await.unwrap();
    let adas = relay.tunnel("crm").await;
    let bobs = Agent::connect(relay.address, bob.reveal(), "crm").await;
    let bobs_path = bobs.path();

    let revoked = relay.store.revoke("bob", true).await.unwrap();

    assert_eq!((revoked.tokens, revoked.tunnels), (1, 1));
    eventually("bob's URL to end", async || {
        post(relay.address, &bobs_path, "x").await.status == 404
    })
    .await;
    relay.store.revoke("ada", false).await.unwrap();
    eventually("ada's URL to end", async || {
        post(relay.address, &adas, "x").await.status == 404
    })
    .await;
    // With another token the URL works again: the same owner and name always have the same URL.
    relay.store.create("ada").await.unwrap();
    eventually("ada's URL to work again", async || {
        post(relay.address, &adas, "x").await.status == 200
    })
    .await;
    relay.stop().await;
}

#[tokio::test]
async fn with_tunnels_none_is_taken_from_an_owner_whose_other_token_is_in_use() {
    let relay = TestRelay::new().await;
    let second = relay.store.create("ada").await.unwrap();
    let path = relay.tunnel("crm").await;

    let refused = relay
        .store
        .revoke(second.id(), true)
        .await
        .unwrap_err()
        .to_string();

    assert!(refused.contains("another token"), "{refused}");
    assert_eq!(post(relay.address, &path, "x").await.status, 200);
    let tokens = relay.store.list().await.unwrap();
    assert!(
        tokens.iter().all(|token| token.revoked_at.is_none()),
        "nothing was done"
    );
    relay.stop().await;
}
