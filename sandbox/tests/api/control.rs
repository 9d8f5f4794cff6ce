//! Tests what the sandbox offers beside Podio's API: commands, outages, a saved world.

use http::Method;
use podtap_podio::{EventType, RefType};
use podtap_sandbox::{HookTypes, SandboxCommand, SendOutcome};
use serde_json::json;

use crate::support::{Receiver, RunningSandbox, next_sent};
use podtap_testing::calls::{ORDERS, SPACE};

fn command(event: &str, object: Option<u64>, values: &[(&str, &str)]) -> SandboxCommand {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    SandboxCommand {
        event: event.to_owned(),
        object,
        values: values.iter().map(own).collect(),
    }
}

#[tokio::test]
async fn an_update_is_made_to_happen_as_people_type_it() {
    let sandbox = RunningSandbox::new().await;
    let (client, mut receiver) = sandbox
        .with_hook(RefType::App, ORDERS, EventType::ItemUpdate)
        .await;
    let values = [
        ["status", "Paid"],
        ["amount", "99.50 EUR"],
        ["due", "2026-12-01"],
    ];
    let body = json!({ "event": "item.update", "object": 3_276_908_608_u64, "values": values });

    let (status, done) = sandbox.call(Method::POST, "/-/do", &body).await;

    assert_eq!((status, &done["webhooks"]), (200, &json!(1)), "{done}");
    let event = receiver.next().await.event;
    assert_eq!(event.id("item_id"), Some(3_276_908_608));
    let item = client.item(3_276_908_608).await.unwrap();
    let values = |name: &str| {
        let field = item.fields.iter().find(|field| field.external_id == name);
        field.unwrap().values[0].clone()
    };
    assert_eq!(values("status")["value"]["text"], "Paid");
    assert_eq!(values("amount")["value"], "99.5000");
    assert_eq!(values("due")["start_date"], "2026-12-01");
}

#[tokio::test]
async fn every_event_can_be_made_to_happen_and_a_mistake_is_told() {
    let sandbox = RunningSandbox::with(|config| config.hook_types = HookTypes::AsDocumented).await;
    let mut receiver = Receiver::start().await;
    let client = sandbox.user();
    let order = |event: &EventType| match event.as_str().rsplit_once('.') {
        Some((_, "create" | "add")) => 0,
        // These commands delete objects that other commands need, so they come last.
        _ if *event == EventType::ItemDelete => 3,
        _ if *event == EventType::AppDelete => 4,
        Some((_, "delete" | "remove")) => 2,
        _ => 1,
    };
    let mut events: Vec<_> = EventType::ALL.to_vec();
    events.retain(|event| *event != EventType::HookVerify);
    events.sort_by_key(order);
    for event in &events {
        let spec = event.spec();
        let (ref_type, ref_id) = if spec.ref_types.contains(&RefType::App) {
            (RefType::App, ORDERS)
        } else {
            (RefType::Space, SPACE)
        };
        receiver
            .active_hook(&client, ref_type, ref_id, *event)
            .await;
    }
    for event in &events {
        let done = sandbox
            .handle
            .perform(&command(event.as_str(), None, &[]))
            .await;
        assert!(done.is_ok(), "{event}: {done:?}");
        let received = receiver.next().await.event;
        assert_eq!(received.kind.as_str(), event.as_str());
    }
    for (wrong, told) in [
        (
            command("item.moved", None, &[]),
            "not one of Podio's event types",
        ),
        (
            command("item.update", Some(1), &[]),
            "does not have the item 1",
        ),
        (
            command("task.update", None, &[]),
            "does not have a task yet",
        ),
        (
            command("item.create", None, &[("colour", "red")]),
            "has no field `colour`",
        ),
        (
            command("tag.add", None, &[("name", "x")]),
            "does not take `name`; it takes tag",
        ),
    ] {
        let error = sandbox.handle.perform(&wrong).await.unwrap_err();
        assert!(error.contains(told), "{wrong:?}: {error}");
    }
}

#[tokio::test]
async fn in_an_outage_webhooks_are_lost_but_observed() {
    let sandbox = RunningSandbox::new().await;
    let (_, mut receiver) = sandbox
        .with_hook(RefType::App, ORDERS, EventType::ItemUpdate)
        .await;
    let mut seen = sandbox.handle.subscribe();
    let item = Some(3_276_908_608);
    let update = |title: &'static str| command("item.update", item, &[("title", title)]);

    let (status, _) = sandbox
        .call(Method::PUT, "/-/outage", &json!({ "on": true }))
        .await;
    assert_eq!(status, 204);
    sandbox.handle.perform(&update("lost")).await.unwrap();
    let lost = next_sent(&mut seen, EventType::ItemUpdate).await;
    assert_eq!(lost.outcome, SendOutcome::Swallowed);
    assert!(
        lost.params
            .contains(&("item_revision_id".to_owned(), "1".to_owned()))
    );

    sandbox.handle.set_outage(false);
    sandbox.handle.perform(&update("arrives")).await.unwrap();
    assert_eq!(receiver.next().await.event.revision(), Some(2));
    assert!(receiver.nothing_more());
}

#[tokio::test]
async fn a_kept_world_goes_on_where_it_stopped() {
    let first = RunningSandbox::new().await;
    let mut receiver = Receiver::start().await;
    let client = first.user();
    let hook_id = receiver
        .active_hook(&client, RefType::App, ORDERS, EventType::ItemUpdate)
        .await;
    first
        .handle
        .perform(&command(
            "item.update",
            Some(3_276_908_608),
            &[("title", "Kept")],
        ))
        .await
        .unwrap();
    receiver.next().await;
    for event in [
        "comment.create",
        "task.create",
        "file.change",
        "status.create",
        "app.create",
    ] {
        first
            .handle
            .perform(&command(event, None, &[]))
            .await
            .unwrap();
    }
    let mut known = 0;
    let file = first.handle.save_if_changed(&mut known).unwrap().unwrap();
    assert_eq!(first.handle.save_if_changed(&mut known).unwrap(), None);

    let second = RunningSandbox::new().await;
    second.handle.restore(&file).unwrap();

    let client = second.user();
    let item = client.item(3_276_908_608).await.unwrap();
    assert_eq!((item.title.as_str(), item.revision), ("Kept", Some(1)));
    let hooks = client.hooks(RefType::App, ORDERS).await.unwrap();
    assert_eq!(hooks[0].hook_id, hook_id);
    let again = command("item.update", Some(3_276_908_608), &[("title", "Again")]);
    second.handle.perform(&again).await.unwrap();
    assert_eq!(receiver.next().await.event.revision(), Some(2));
    assert!(second.handle.save_if_changed(&mut 0).unwrap().is_some());

    for wrong in [&b"{}"[..], b"{\"version\":99}", b"not json"] {
        assert!(second.handle.restore(wrong).is_err());
    }
}
