//! A gap in a real terminal: it appears between two keys,
//! is a row like others, and is listed by `events`.

use crate::support::{Service, Stage, Terminal, eventually, form_post};

/// More bytes than a relay accepts for a body.
const TOO_LARGE: usize = 9 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_that_arrives_between_two_keys_changes_nothing_but_the_rows() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let target = service.address().to_string();
    let args = [
        "listen",
        &target,
        "--name",
        "crm",
        "--listen",
        "127.0.0.1:0",
    ];
    let mut terminal = Terminal::start(&stage, &args, 120, 40);
    let url = || {
        let (code, said, _) = stage.run(&["url", "crm"]);
        (code == 0).then(|| said.trim().to_owned())
    };
    let url = eventually("the public URL", url, || terminal.text()).await;
    for item in 1..=2 {
        let body = format!("type=item.update&item_id={item}&item_revision_id=0&hook_id=7");
        assert_eq!(form_post(&url, body.as_bytes()).await.status, 200);
    }
    terminal.shows("item 2 r0").await;
    service.wait_for(2).await;
    terminal.keys("j");
    terminal.shows("▶").await;

    assert_eq!(form_post(&url, &vec![b'a'; TOO_LARGE]).await.status, 413);

    terminal.shows("⚠ refused").await;
    terminal.shows("P looks for lost events").await;
    terminal.keys("r");
    terminal.shows("Replayed item.update item 1 r0").await;
    let received = service.wait_for(3).await;
    assert!(received[2].body.starts_with(b"type=item.update&item_id=1&"));

    terminal.keys("g\r");
    terminal.shows("there is nothing to").await;
    terminal.keys("r");
    terminal.shows("A gap holds no event").await;
    terminal.keys("P");
    terminal.shows("Changes since").await;
    terminal.keys("\x1b");
    terminal.no_longer_shows("Changes since").await;
    terminal.keys("qq");
    terminal.wait_for_end().await;
    assert_eq!(service.count(), 3);

    let (_, listed, _) = stage.run(&["events", "--name", "crm"]);
    let last = listed.lines().last().unwrap();
    assert!(
        last.contains("gap") && last.contains("podtap repair --since"),
        "{listed}"
    );
    let (_, listed, _) = stage.run(&["events", "--name", "crm", "--json"]);
    let last: serde_json::Value = serde_json::from_str(listed.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["type"], &last["count"]),
        (&"refused".into(), &1.into()),
        "{last}"
    );
    assert!(
        last["found_at"].is_string() && last["lost_since"].is_string(),
        "{last}"
    );
    let (_, filtered, _) = stage.run(&["events", "--name", "crm", "type:item.*"]);
    assert!(!filtered.contains("gap"), "{filtered}");
}
