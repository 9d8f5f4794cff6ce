//! Events that never arrived, on the page: gaps between rows, and events that a repair added.

use serde_json::json;

use super::PagedAgent;
use super::driver::{Browser, ENTER, is_installed};
use crate::support::{Service, form_post};

/// More bytes than a relay accepts for a body.
const TOO_LARGE: usize = 9 * 1024 * 1024;

/// The rows from top to bottom, each as its event type or `gap`.
const KINDS: &str = "return [...document.querySelectorAll('#rows tr')].map((row) => \
    row.classList.contains('gap') ? 'gap' : row.cells[2].textContent).join()";

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_a_row_that_keys_pass_over_and_a_filter_hides() {
    if !is_installed() {
        return;
    }
    let service = Service::start().await;
    let paged = PagedAgent::start(&service).await;
    let item = async |item: usize| {
        let body = format!("type=item.update&item_id={item}&item_revision_id=2&hook_id=7");
        form_post(&paged.url, body.as_bytes()).await;
        service.wait_for(item).await;
    };
    let browser = Browser::start(&[]).await;
    browser.goto(&paged.page).await;
    item(1).await;
    browser.comes_to_say(KINDS, json!("item 1")).await;
    let refused = form_post(&paged.url, &vec![b'a'; TOO_LARGE]).await;
    assert_eq!(refused.status, 413);
    // The gap appears by itself, and says what is lost and what looks for it.
    browser.comes_to_say(KINDS, json!("gap,item 1")).await;
    browser.shows("1 webhook").await;
    browser.shows("⚠ refused").await;
    browser.shows("podtap repair --since").await;
    item(2).await;
    browser
        .comes_to_say(KINDS, json!("item 2,gap,item 1"))
        .await;

    browser.keys("j").await;
    let chosen = "return document.activeElement.closest('tr')?.cells[2].textContent";
    browser.comes_to_say(chosen, json!("item 1")).await;
    browser.keys("k").await;
    browser.comes_to_say(chosen, json!("item 2")).await;

    browser.keys("/").await;
    browser.keys("type:item.*").await;
    browser.comes_to_say(KINDS, json!("item 2,item 1")).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repaired_event_says_that_it_never_arrived() {
    if !is_installed() {
        return;
    }
    let service = Service::start().await;
    let paged = PagedAgent::start(&service).await;
    let repaired = json!({
        "v": 1,
        "type": "event",
        "id": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "seq": null,
        "received_at": "2026-11-20T12:00:00.000Z",
        "method": "POST",
        "path": "/podio/hook",
        "event": "item.update",
        "headers": [["content-type", "application/x-www-form-urlencoded"]],
        "body": "type=item.update&item_id=5&item_revision_id=3&hook_id=7",
        "repaired": true,
    });
    let file = paged.stage.home().join("lost.ndjson");
    std::fs::write(&file, format!("{repaired}\n")).unwrap();
    let file = file.to_str().unwrap();
    let browser = Browser::start(&[]).await;
    browser.goto(&paged.page).await;
    browser.shows("No events yet").await;
    paged.stage.succeed(&["import", file, "--name", "crm"]);

    browser.comes_to_say(KINDS, json!("item 5")).await;
    let row = "return document.querySelector('#rows tr').textContent.includes('repaired')";
    browser.comes_to_say(row, json!(true)).await;
    browser.keys("j").await;
    browser.keys(ENTER).await;
    browser.shows("never arrived").await;
    assert_eq!(service.count(), 0);
    browser.close().await;
}
