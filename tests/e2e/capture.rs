//! `listen` without a local service: events are recorded and held, and delivered on request.

use crate::support::{Service, Stage, form_post};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_local_service_events_are_held_until_they_are_replayed() {
    let stage = Stage::new();
    let mut agent = stage.listen(&[]);
    let ready = agent.object("ready", |_| true).await;
    assert!(ready["forwards_to"].is_null(), "{ready}");
    let url = ready["url"].as_str().unwrap();
    for item in 1..=3 {
        let body = format!("type=item.update&item_id={item}&item_revision_id=0");
        assert_eq!(form_post(url, body.as_bytes()).await.status, 200);
    }
    agent
        .object("event", |event| event["params"]["item_id"] == "3")
        .await;
    agent.terminate();
    agent.wait_for_end().await;
    assert_eq!(agent.objects("attempt").len(), 0);
    assert_eq!(stage.events(&["status:held"]).len(), 3);

    let service = Service::start().await;
    let target = service.address().to_string();
    let replay = [
        "replay",
        "--name",
        "crm",
        "--filter",
        "status:held",
        "--to",
        &target,
    ];
    let (code, _, stderr) = stage.run(&replay);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(service.wait_for(3).await.len(), 3);

    let (code, _, stderr) = stage.run(&["listen", "--respond", "local"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("--respond local needs a local service"),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_local_service_sees_the_host_that_is_set_also_in_a_replay() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let options = ["--host-header", "shop.localhost:8080"];
    let (agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &options)
        .await;
    form_post(&url, b"type=item.update&item_id=1").await;
    agent.object("attempt", |_| true).await;
    let target = service.address().to_string();
    let replay = [
        "replay", "--name", "crm", "--filter", "item:1", "--to", &target,
    ];
    let mut replay = crate::support::command(&stage, &replay);
    replay.env("PODTAP_HOST_HEADER", "shop.localhost:8080");
    assert!(replay.output().unwrap().status.success());
    for received in service.wait_for(2).await {
        assert_eq!(
            received.header("host"),
            [b"shop.localhost:8080"],
            "{received:?}"
        );
    }
    let (code, _, stderr) = stage.run(&["listen", "3000", "--host-header", "http://x"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("host-header cannot be"), "{stderr}");
}
