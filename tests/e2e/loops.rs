//! An object that fires the same hook again and again is reported
//! once, with the cure. If requested, its events are held.

use crate::support::{Service, Stage, eventually, form_post};

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_is_told_once_with_its_cure_and_broken_where_asked_for() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let options = ["--break-loops"];
    let (agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &options)
        .await;
    let update =
        |revision: u32| format!("type=item.update&item_id=7&item_revision_id={revision}&hook_id=5");

    for revision in 0..12 {
        assert_eq!(
            form_post(&url, update(revision).as_bytes()).await.status,
            200
        );
    }
    let found = agent.object("loop", |_| true).await;
    assert_eq!(
        (&found["object"], &found["hook_id"]),
        (&"item 7".into(), &"5".into())
    );
    assert!(
        found["cure"].as_str().unwrap().contains("hook=false"),
        "{found}"
    );
    assert!(found["revisions"].as_array().unwrap().len() >= 5, "{found}");

    let before = service.count();
    for revision in 12..15 {
        form_post(&url, update(revision).as_bytes()).await;
    }
    form_post(
        &url,
        b"type=item.update&item_id=8&item_revision_id=0&hook_id=5",
    )
    .await;
    let stored = || (stage.events(&[]).len() == 16).then_some(());
    eventually("all events in the history", stored, || {
        agent.stdout().join("\n")
    })
    .await;
    let other = || {
        service
            .requests()
            .iter()
            .any(|r| r.body.starts_with(b"type=item.update&item_id=8"))
    };
    eventually(
        "another item's event",
        || other().then_some(()),
        || agent.stderr(),
    )
    .await;

    let after = service.requests();
    let late = |n: u32| update(n).into_bytes();
    assert!(
        (12..15).all(|n| after.iter().all(|request| request.body != late(n))),
        "held, {} and then {}",
        before,
        after.len()
    );
    assert_eq!(agent.objects("loop").len(), 1, "once a loop");
}
