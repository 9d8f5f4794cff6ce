//! A developer's hour in a real terminal: events arrive, one is found, opened, replayed,
//! edited, copied and exported. Afterwards the terminal is in its original state.

use crate::support::{Service, Stage, Terminal, form_post};

/// An editor without interaction: it changes item 4711 to item 4712.
const EDITOR: &str =
    r#"sh -c 'sed s/item_id=4711/item_id=4712/ "$1" > "$1.n" && mv "$1.n" "$1"' sh"#;

/// Returns the tunnel's URL in the header.
fn public_url(screen: &str) -> Option<String> {
    let (_, rest) = screen.split_once("http://127.0.0.1:")?;
    let rest = rest.split_whitespace().next()?;
    let url = format!("http://127.0.0.1:{rest}");
    // A shortened URL is not valid.
    (!url.contains('…') && url.ends_with('/')).then_some(url)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_filtered_opened_replayed_edited_copied_and_exported() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let (target, url) = (service.address().to_string(), relay.url());
    let args = ["listen", &target, "--relay", &url, "--name", "crm"];
    let variables = [("PODTAP_TOKEN", token.as_str()), ("VISUAL", EDITOR)];
    let mut terminal = Terminal::start_with(&stage, &args, &variables, (200, 50));

    terminal.shows("Waiting for the first webhook").await;
    let url = crate::support::eventually(
        "the public URL",
        || public_url(&terminal.text()),
        || terminal.text(),
    );
    let hook = format!("{}podio/hook", url.await);
    for body in [
        "type=item.create&item_id=4698&item_revision_id=0&hook_id=9",
        "type=item.update&item_id=4711&item_revision_id=8&hook_id=9&external_id=BUG-17",
        "type=comment.create&item_id=4698&comment_id=5&hook_id=9",
    ] {
        assert_eq!(form_post(&hook, body.as_bytes()).await.status, 200);
    }
    terminal.shows("comment.create item 4698").await;
    service.wait_for(3).await;

    // Filter, and open the event that is left.
    terminal.keys("/type:item.update\r");
    terminal.no_longer_shows("item 4698").await;
    terminal.keys("\r3");
    terminal.shows("&external_id=BUG-17").await;
    terminal.shows("✓ 200").await;

    // Replay it unchanged, then edited.
    terminal.keys("r");
    terminal.shows("Replayed ").await;
    service.wait_for(4).await;
    terminal.keys("e");
    terminal.shows("+ type=item.update&item_id=4712").await;
    terminal.keys("\r");
    let received = service.wait_for(5).await;
    let [.., same, edited] = received.as_slice() else {
        panic!("{received:?}");
    };
    assert_eq!(same.header("podtap-replay"), [b"true"]);
    assert!(edited.body.windows(12).any(|part| part == b"item_id=4712"));

    // Copy and export.
    terminal.keys("yc");
    terminal.shows("Copied the curl command").await;
    terminal
        .clipboard_holds("--data-raw 'type=item.update&item_id=4711")
        .await;
    terminal.keys("x");
    terminal.shows("HTTP archive (HAR)").await;
    terminal.keys("\t\t\x15out.har\r");
    terminal.shows("Exported 1 event to out.har").await;
    let archive = std::fs::read(stage.home().join("out.har")).unwrap();
    let archive: serde_json::Value = serde_json::from_slice(&archive).unwrap();
    let entry = &archive["log"]["entries"][0];
    assert_eq!(entry["_podtap"]["attempts"].as_array().unwrap().len(), 3);

    // Leave.
    terminal.keys("qq");
    let status = terminal.wait_for_end().await;
    assert_eq!(status.exit_code(), 0, "{}", terminal.text());
    terminal.is_as_before().await;
}
