//! A reader of an agent's output may stop reading: a pager,
//! or a paused terminal. Events are delivered nevertheless.

use std::process::Stdio;

use crate::support::{Service, Stage, command, form_post};

/// Number of events whose lines are too long for any pipe's buffer.
const EVENTS: usize = 60;
const BODY_BYTES: usize = 8 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn events_are_delivered_though_nobody_reads_what_is_printed() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let (mut first, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    first.terminate();
    first.wait_for_end().await;
    let (to, at) = (service.address().to_string(), relay.url());
    let mut listen = command(
        &stage,
        &["listen", &to, "--relay", &at, "--name", "crm", "--json"],
    );
    listen.env("PODTAP_TOKEN", &token).stdout(Stdio::piped());
    let mut agent = listen.spawn().unwrap();

    let body = format!("type=item.update&item_id=1&x={}", "x".repeat(BODY_BYTES));
    for _ in 0..EVENTS {
        form_post(&url, body.as_bytes()).await;
    }

    service.wait_for(EVENTS).await;
    agent.kill().unwrap();
    agent.wait().unwrap();
}
