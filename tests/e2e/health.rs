//! Health and metrics: on a listener of their own, away from what the world reaches.

use crate::support::{Answer, Service, Stage, form_post, send};

async fn get(authority: &str, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
    send(authority, request.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_public_and_metrics_are_for_the_admin_alone() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let (_agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    assert_eq!(
        form_post(&url, b"type=item.create&item_id=1").await.status,
        200
    );

    for authority in [&relay.authority, &relay.admin] {
        assert_eq!(get(authority, "/-/healthz").await.status, 200);
        assert_eq!(get(authority, "/-/readyz").await.status, 200);
    }
    assert_eq!(get(&relay.authority, "/metrics").await.status, 404);
    let metrics = get(&relay.admin, "/metrics").await;
    assert_eq!(metrics.status, 200);
    let accepted = |line: &str| line.starts_with("podtap_") && line.ends_with(" 1");
    assert!(metrics.body.lines().any(accepted), "{}", metrics.body);
}
