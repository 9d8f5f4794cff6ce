//! `podtap wait`: the event may arrive before or after the command starts.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Process, Service, Stage, form_post, pause};

/// Starts a `wait` for the tunnel `crm`.
fn waits(stage: &Stage, args: &[&str]) -> Process {
    stage.start(&[&["wait", "--name", "crm", "--json"], args].concat())
}

fn ids(process: &Process) -> Vec<String> {
    let events = process.objects("event").into_iter();
    events
        .map(|event| event["params"]["item_id"].as_str().unwrap().to_owned())
        .collect()
}

async fn exits(process: &mut Process) -> i32 {
    let status = process.wait_for_end().await;
    status.code().unwrap_or(-1)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_and_what_comes_later_count_alike() {
    let (stage, service) = (Stage::new(), Service::start().await);
    // Started before there is a history.
    let mut early = waits(&stage, &["type:item.*", "--count", "2", "--timeout", "5m"]);
    let (relay, token) = (stage.relay().await, stage.token("ann"));
    let (agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    form_post(&url, b"type=item.update&item_id=1&item_revision_id=3").await;
    form_post(&url, b"type=comment.create&item_id=1&comment_id=8").await;
    agent
        .object("event", |event| event["event"] == "comment.create")
        .await;
    assert_eq!(early.stdout().len(), 0, "one of two is not enough");

    let mut late = waits(&stage, &["item:1", "type:item.*"]);
    assert_eq!(exits(&mut late).await, 0, "{}", late.stderr());
    assert_eq!(ids(&late), ["1"]);
    let mut new = waits(&stage, &["--since", "0s", "--timeout", "5m"]);
    // The test cannot know when the command begins to
    // count, so it sends events until the command ends.
    for item in 2.. {
        let body = format!("type=item.update&item_id={item}&item_revision_id=1");
        form_post(&url, body.as_bytes()).await;
        if !new.stdout().is_empty() {
            break;
        }
        pause(Duration::from_millis(50)).await;
    }

    for process in [&mut early, &mut new] {
        assert_eq!(exits(process).await, 0, "{}", process.stderr());
    }
    assert_eq!(ids(&early), ["1", "2"]);
    assert_ne!(ids(&new), ["1"], "that was before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_in_vain_says_what_came_instead() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let wait = ["wait", "--name", "crm", "--timeout", "1s"];
    let nothing_yet = stage.run(&wait);
    assert_eq!(nothing_yet.0, 6);
    assert!(
        nothing_yet.2.contains("no history yet"),
        "{}",
        nothing_yet.2
    );

    let (relay, token) = (stage.relay().await, stage.token("ann"));
    let (mut agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    form_post(&url, b"type=item.update&item_id=4711&item_revision_id=3").await;
    agent.object("attempt", |_| true).await;
    let (code, stdout, stderr) = stage.run(&[&wait[..], &["item:4712"]].concat());
    assert_eq!((code, stdout.as_str()), (6, ""), "{stderr}");
    for said in [
        "no event matched within 1000 ms",
        "item:4712",
        "item 4711 r3",
    ] {
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    assert!(!stderr.contains("none is running"), "{stderr}");
    let two = [&wait[..], &["item:4711", "--count", "2"]].concat();
    let (code, _, stderr) = stage.run(&two);
    assert_eq!(code, 6);
    assert!(stderr.contains("only 1 of 2 events matched"), "{stderr}");

    agent.terminate();
    agent.wait_for_end().await;
    let (_, _, stderr) = stage.run(&[&wait[..], &["item:4712"]].concat());
    assert!(
        stderr.contains("none is running for the tunnel crm"),
        "{stderr}"
    );
    for wrong in [["--timeout", "soon"], ["--since", "soon"], ["--count", "0"]] {
        let (code, _, stderr) = stage.run(&[&["wait"], &wrong[..]].concat());
        assert_eq!(code, 2, "{wrong:?}: {stderr}");
        assert!(stderr.contains(wrong[1]), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn delivered_means_answered() {
    let stage = Stage::new();
    let (relay, token) = (stage.relay().await, stage.token("ann"));
    // A free port on which nothing listens.
    let address: SocketAddr = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap()
    };
    let (agent, url) = stage.agent(&relay.url(), &token, address, &[]).await;
    form_post(&url, b"type=item.update&item_id=1&item_revision_id=1").await;
    agent
        .object("service", |service| service["state"] == "down")
        .await;
    let arrived = waits(&stage, &["item:1"]).wait_for_end().await;
    assert_eq!(arrived.code(), Some(0));
    let fixed = ["wait", "--name", "crm", "item:1", "--delivered"];
    let (code, _, stderr) = stage.run(&[&fixed[..], &["--timeout", "1s"]].concat());
    assert_eq!(code, 6);
    assert!(
        stderr.contains("matched") && stderr.contains("waiting"),
        "{stderr}"
    );

    let mut delivered = waits(&stage, &["item:1", "--delivered", "--timeout", "5m"]);
    let _service = Service::back_at(address).await;
    assert_eq!(exits(&mut delivered).await, 0, "{}", delivered.stderr());
    let event: Value = delivered.objects("event").remove(0);
    assert_eq!(event["attempts"][0]["status"], 200, "{event}");
}
