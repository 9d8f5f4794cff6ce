//! Tests refused tokens: they are limited per token and per address, without harm to valid tokens.

use podtap_wire::RefusalKind;

use crate::support::TestRelay;
use crate::support::agent::refusal;
use crate::support::http::{get, request};

/// More attempts than an address may make at once.
const MANY: usize = 61;

async fn refusal_count(relay: &TestRelay, reason: &str) -> u64 {
    let metrics = get(relay.admin, "/metrics").await.text();
    let name = format!("podtap_connections_refused_total{{reason=\"{reason}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap_or("0").parse().unwrap()
}

#[tokio::test]
async fn an_address_that_tries_many_tokens_has_to_wait_and_good_ones_come_in() {
    let relay = TestRelay::new().await;
    let agent = relay.agent("crm").await;
    let mut refused = 0;
    let (status, last) = loop {
        let token = format!("pt_aaaaaa_{refused:052}");
        let (status, last) = refusal(relay.address, &token, "podtap.v1").await;
        if status != 401 {
            break (status, last);
        }
        refused += 1;
        assert!(refused < 10 * MANY, "never limited");
    };
    assert!(refused >= MANY - 1, "{refused}");
    assert_eq!((status, last.kind), (503, RefusalKind::Unavailable));
    assert!(
        last.message.contains("too many invalid tokens"),
        "{}",
        last.message
    );

    let bad = "Authorization: Bearer pt_x\r\n";
    let limited = request(relay.address, "GET", "/-/tunnels", bad, b"").await;
    assert_eq!(limited.status, 503);
    assert!(limited.header("retry-after").is_some());

    // A token that is known to be valid is not affected by others of its address.
    agent.leave().await;
    relay.agent("crm").await.leave().await;
    assert_eq!(refusal_count(&relay, "token").await, refused as u64);
    assert!(refusal_count(&relay, "refused-tokens").await >= 2);
    relay.stop().await;
}

#[tokio::test]
async fn a_token_that_is_revoked_is_refused_at_once_and_for_good() {
    let relay = TestRelay::new().await;
    let agent = relay.agent("crm").await;
    relay.store.revoke("ada", false).await.unwrap();
    drop(agent);
    for _ in 0..9 {
        let (status, refusal) = refusal(relay.address, &relay.token, "podtap.v1").await;
        assert_eq!((status, refusal.kind), (401, RefusalKind::Token));
    }
    relay.stop().await;
}
