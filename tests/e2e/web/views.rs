//! The views besides the list: editing an event, why it arrived, and the
//! history of its object. With the keys of the terminal UI, in a real browser.

use http::Response;
use http_body_util::Full;
use serde_json::json;

use super::PagedAgent;
use super::driver::{Browser, ENTER, ESCAPE, TAB, is_installed};
use crate::support::{Service, form_post};

const FOCUS: &str = "return document.activeElement.id";

/// Sends these events of item 4711 and opens a page with the newest one.
async fn open_page(paged: &PagedAgent, bodies: &[&str]) -> Browser {
    for body in bodies {
        form_post(&paged.url, body.as_bytes()).await;
        let attempts = || async { paged.agent.object("attempt", |_| true).await };
        attempts().await;
    }
    let browser = Browser::start(&[]).await;
    browser.goto(&paged.page).await;
    let rows = "return document.querySelectorAll('#rows tr').length";
    browser.comes_to_say(rows, json!(bodies.len())).await;
    browser.click("#rows tr:first-child a").await;
    browser.shows("Request body").await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_edited_its_difference_shown_and_sent_by_keys_alone() {
    if !is_installed() {
        return;
    }
    let service = Service::answering(|got| {
        let status = if got.body.ends_with(b"=9") { 200 } else { 500 };
        let answer = Response::builder().status(status);
        answer.body(Full::from("{\"seen\":1}")).unwrap()
    })
    .await;
    let paged = PagedAgent::start(&service).await;
    let browser = open_page(
        &paged,
        &["type=item.update&item_id=4711&item_revision_id=8"],
    )
    .await;
    browser.keys("e").await;
    browser.comes_to_say(FOCUS, json!("edited")).await;
    browser.shows("Nothing was changed.").await;

    // An invalid request is reported and not sent.
    let text = "const it = document.getElementById('edited');
        it.value = VALUE; it.dispatchEvent(new Event('input'));";
    browser.says(&text.replace("VALUE", "'POST'")).await;
    browser
        .shows("line 1: the request begins with a method")
        .await;
    browser.control(ENTER).await;
    let changed = "it.value.replace('item_revision_id=8', 'item_revision_id=9')";
    browser.says(&text.replace("VALUE", "'POST /podio/hook\\ncontent-type: application/x-www-form-urlencoded\\n\\ntype=item.update&item_id=4711&item_revision_id=8'")).await;
    browser.says(&text.replace("VALUE", changed)).await;
    browser
        .shows("+ type=item.update&item_id=4711&item_revision_id=9")
        .await;
    assert_eq!(service.count(), 1, "nothing was sent yet");

    // The typed text is still there after another view was open.
    browser.keys(ESCAPE).await;
    browser
        .comes_to_say("return location.hash", json!(""))
        .await;
    browser.keys("e").await;
    browser.shows("+ type=item.update").await;
    browser.control(ENTER).await;
    let sent = service.wait_for(2).await;
    assert!(sent[1].body.ends_with(b"item_revision_id=9"));
    browser.shows("replayed: ✓ 200").await;
    browser.shows("2 edited and replayed").await;
    browser.shows("attempt 1 was 500").await;
    browser
        .says("document.querySelectorAll('details').forEach((it) => (it.open = true))")
        .await;
    browser.shows("What was sent").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_objects_timeline_and_why_are_a_key_away_and_the_browsers_way_back_works() {
    if !is_installed() {
        return;
    }
    let service = Service::start().await;
    let paged = PagedAgent::start(&service).await;
    let bodies = [1, 2, 5].map(|revision| {
        format!("type=item.update&item_id=4711&item_revision_id={revision}&hook_id=7")
    });
    let browser = open_page(&paged, &bodies.each_ref().map(String::as_str)).await;
    // The terminal UI makes the same remark.
    browser
        .shows("2 revisions before this one never arrived")
        .await;
    browser.shows("the item's revision").await;

    browser.keys("T").await;
    browser.shows("Timeline of item 4711").await;
    browser.shows("r3–r4").await;
    browser.shows("never arrived").await;
    let steps = "return document.querySelectorAll('.steps tbody tr:not(.changed)').length";
    browser.comes_to_say(steps, json!(4)).await;
    form_post(
        &paged.url,
        b"type=item.update&item_id=4711&item_revision_id=6&hook_id=7",
    )
    .await;
    browser.comes_to_say(steps, json!(5)).await;

    browser.keys("Y").await;
    browser.comes_to_say(FOCUS, json!("about")).await;
    let about = "return document.getElementById('about').value";
    browser.comes_to_say(about, json!("item:4711")).await;
    // Podio is not asked until the person confirms.
    let answer = "return document.getElementById('answer').textContent";
    assert_eq!(browser.says(answer).await, "");
    browser.keys(ENTER).await;
    browser.shows("answered").await;
    browser.shows("the agent received it").await;
    browser
        .says("document.getElementById('about').value = 'item.updat'")
        .await;
    browser.keys(ENTER).await;
    browser.shows("did you mean item.update?").await;

    browser.says("history.back()").await;
    browser.shows("Timeline of item 4711").await;
    browser.says("history.back()").await;
    browser.shows("Request body").await;
    browser.keys("?").await;
    browser.shows("why it arrived, or did not").await;
    browser.keys(ESCAPE).await;
    browser
        .comes_to_say("return document.getElementById('help').open", json!(false))
        .await;
    // The tabulator key reaches every control, and leaves each.
    let mut seen = Vec::new();
    for _ in 0..60 {
        browser.keys(TAB).await;
        seen.push(browser.says("return document.activeElement.id || document.activeElement.textContent.slice(0, 20)").await);
    }
    for control in ["filter", "ask-why", "show-help", "scroll", "close", "copy"] {
        assert!(seen.contains(&json!(control)), "{control}: {seen:?}");
    }
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bar_of_the_last_hour_shows_its_minute() {
    if !is_installed() {
        return;
    }
    let service = Service::start().await;
    let paged = PagedAgent::start(&service).await;
    let browser = open_page(&paged, &["type=item.update&item_id=1&hook_id=7"]).await;
    browser.keys(ESCAPE).await;
    let bar = "return document.querySelectorAll('#hour .opens').length > 0";
    browser.comes_to_say(bar, json!(true)).await;
    browser
        .says("document.querySelector('#hour .opens').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
        .await;
    let filter = "return document.getElementById('filter').value.startsWith('after:20')";
    browser.comes_to_say(filter, json!(true)).await;
    let error = "return document.getElementById('filter-error').textContent";
    browser.comes_to_say(error, json!("")).await;
    browser.close().await;
}
