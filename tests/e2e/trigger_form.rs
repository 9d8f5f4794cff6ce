//! The trigger form of the terminal UI: from a key to the local service and back to the list.

use podtap_podio::decode;

use crate::support::{Service, Stage, Terminal};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_chosen_sent_and_listed() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let port = service.address().port().to_string();
    let mut terminal = Terminal::start(&stage, &["listen", &port, "--name", "crm"], 120, 40);
    terminal.shows("Or press t").await;

    terminal.keys("t");
    terminal.shows("Trigger an event").await;
    terminal.keys("upd");
    terminal.shows("item.update ▸").await;
    // Past the path and the local service, to the item.
    terminal.keys("\t\t\t\x154711\r");

    let received = service.wait_for(1).await.remove(0);
    assert_eq!(
        (&*received.method, &*received.path),
        ("POST", "/podio/hook")
    );
    let event = decode(None, &received.body).unwrap();
    assert_eq!(event.kind.as_str(), "item.update");
    assert_eq!(event.id("item_id"), Some(4_711));
    assert_eq!(event.revision(), Some(7));
    assert_eq!(event.param("external_id"), None, "an empty one is left out");
    assert_eq!(received.header("podtap-replay"), [b"false"]);
    terminal.shows("Sent ").await;
    terminal.shows("item 4711 r7").await;
    terminal.shows("triggered or imported here").await;

    terminal.keys("q");
    assert_eq!(terminal.wait_for_end().await.exit_code(), 0);
    let events = stage.events(&[]);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["seq"], serde_json::Value::Null);
    assert_eq!(events[0]["attempts"][0]["replay"], false);
    assert_eq!(service.count(), 1);
}
