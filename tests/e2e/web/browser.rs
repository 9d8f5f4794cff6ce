//! The web page in a real browser.

use http::Response;
use http_body_util::Full;
use serde_json::{Value, json};

use super::PagedAgent;
use super::driver::{Browser, ENTER, ESCAPE, is_installed};
use crate::support::{Service, Stage, eventually, form_post, node, pause};

/// The number of rows in the page.
const ROWS: &str = "return document.querySelectorAll('#rows tr').length";

#[tokio::test(flavor = "multi_thread")]
async fn events_come_by_themselves_and_keys_alone_do_everything() {
    if !is_installed() {
        return;
    }
    let service = Service::start().await;
    let paged = PagedAgent::start(&service).await;
    let browser = Browser::start(&[]).await;
    browser.goto(&paged.page).await;
    assert_eq!(
        browser.says("return location.search").await,
        "",
        "the token does not stay"
    );
    browser.shows("No events yet").await;
    for item in 1..=3 {
        let body = format!("type=item.update&item_id={item}&item_revision_id=2&hook_id=7");
        form_post(&paged.url, body.as_bytes()).await;
        service.wait_for(item).await;
    }
    browser.comes_to_say(ROWS, json!(3)).await;
    let newest = "return document.querySelector('#rows tr.chosen').cells[2].textContent";
    browser.comes_to_say(newest, json!("item 3")).await;

    // Goes to the second row, opens it and replays it, all by keyboard.
    browser.keys("j").await;
    let chosen = "return document.activeElement.closest('tr')?.cells[2].textContent";
    browser.comes_to_say(chosen, json!("item 2")).await;
    browser.keys(ENTER).await;
    browser.shows("hook_id").await;
    browser.keys("r").await;
    let received = service.wait_for(4).await;
    assert!(received[3].body.starts_with(b"type=item.update&item_id=2"));
    browser.shows("replayed: ✓ 200").await;
    browser.shows("2 replay").await;

    // A filter, an invalid one, and back.
    browser.keys(ESCAPE).await;
    browser.keys("/").await;
    browser.keys("item:3").await;
    browser.comes_to_say(ROWS, json!(1)).await;
    browser.keys(" status:x").await;
    browser.shows("try 200").await;
    let invalid = "return document.getElementById('filter').getAttribute('aria-invalid')";
    browser.comes_to_say(invalid, json!("true")).await;
    browser.keys(ESCAPE).await;
    browser.comes_to_say(ROWS, json!(3)).await;
    browser.shows("3 events in the last hour").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_captured_is_text_and_no_script() {
    if !is_installed() {
        return;
    }
    let script =
        "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">";
    let service = Service::answering(move |_| Response::new(Full::from(script))).await;
    let paged = PagedAgent::start(&service).await;
    let encoded: String = form_urlencoded::byte_serialize(script.as_bytes()).collect();
    let body = format!("type=item.update&item_id=1&external_id={encoded}&{encoded}={encoded}");
    form_post(&paged.url, body.as_bytes()).await;
    form_post(
        &paged.url.replace("/podio/hook", &format!("/{encoded}")),
        script.as_bytes(),
    )
    .await;
    service.wait_for(2).await;

    let browser = Browser::start(&[]).await;
    browser.goto(&paged.page).await;
    browser.comes_to_say(ROWS, json!(2)).await;
    for row in ["tr:nth-child(1)", "tr:nth-child(2)"] {
        browser.click(&format!("#rows {row} a")).await;
        let text =
            "return document.getElementById('detail').textContent.includes('<img src=x onerror=')";
        browser.comes_to_say(text, json!(true)).await;
        browser
            .says("document.querySelectorAll('details').forEach((it) => (it.open = true))")
            .await;
        let made =
            "return document.querySelectorAll('#detail img, #detail script, #rows img').length";
        assert_eq!(browser.says(made).await, 0);
    }
    // Time for an injected script that would run late.
    pause(std::time::Duration::from_millis(300)).await;
    assert_eq!(browser.says("return document.title").await, "Podtap");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_can_neither_read_nor_replay() {
    if !is_installed() {
        return;
    }
    let service = Service::start().await;
    let paged = PagedAgent::start(&service).await;
    form_post(&paged.url, b"type=item.update&item_id=1").await;
    let event = paged.agent.object("attempt", |_| true).await;
    let replay = format!(
        "http://{}/api/events/{}/replay",
        paged.authority(),
        event["id"].as_str().unwrap()
    );
    let list = format!("http://{}/api/events", paged.authority());
    let page = format!(
        "<title>tries</title><script>
        const tries = [
          fetch('{replay}', {{method: 'POST', mode: 'no-cors', credentials: 'include'}}),
          fetch('{replay}', {{method: 'POST', credentials: 'include'}}),
          fetch('{list}', {{credentials: 'include'}}).then((it) => it.text()).then(() => document.body.append('READ IT')),
        ];
        Promise.allSettled(tries).then(() => document.title = 'tried');
        </script><body><form method=post action='{replay}'><button>x</button></form>
        <iframe src='http://{}/'></iframe>",
        paged.authority()
    );
    let foreign = Service::answering(move |_| {
        let answer = Response::builder().header("content-type", "text/html");
        answer.body(Full::from(page.clone())).unwrap()
    })
    .await;
    let evil = format!("evil.test:{}", foreign.address().port());
    // A host name of another site that resolves to this machine, as in DNS rebinding.
    let browser = Browser::start(&["--host-resolver-rules=MAP *.test 127.0.0.1"]).await;
    browser.goto(&paged.page).await;
    browser.comes_to_say(ROWS, json!(1)).await;

    // Another port of the same host is the same site, so the cookie is sent.
    for authority in [foreign.address().to_string(), evil] {
        browser.goto(&format!("http://{authority}/")).await;
        browser
            .comes_to_say("return document.title", json!("tried"))
            .await;
        let body = browser.says("return document.body.innerText").await;
        assert!(!body.as_str().unwrap().contains("READ IT"));
        browser.click("button").await;
        browser.shows("does not answer other sites").await;
    }
    let (_, port) = paged.authority().split_once(':').unwrap();
    browser.goto(&format!("http://rebound.test:{port}/")).await;
    browser.shows("its own address").await;
    assert_eq!(service.count(), 1, "nothing was replayed");
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_events_are_a_window_of_rows() {
    if !is_installed() {
        return;
    }
    let (stage, service) = (Stage::new(), Service::start().await);
    let archive = stage.home().join("many.jsonl");
    let mut lines = String::new();
    for number in 0..100_000_u64 {
        let id = format!("{number:026}");
        lines.push_str(&format!(
            "{{\"v\":1,\"type\":\"event\",\"id\":\"{id}\",\"received_at\":\"2026-11-01T00:00:00Z\",\"method\":\"POST\",\
             \"path\":\"/podio/hook\",\"headers\":[[\"content-type\",\"application/x-www-form-urlencoded\"]],\
             \"body\":\"type=item.update&item_id={number}\"}}\n"
        ));
    }
    std::fs::write(&archive, lines).unwrap();
    stage.succeed(&["import", archive.to_str().unwrap(), "--name", "crm"]);
    let paged = PagedAgent::on(stage, &service, &[]).await;
    let browser = Browser::start(&[]).await;
    browser.goto(&paged.page).await;
    browser
        .comes_to_say(
            "return document.querySelectorAll('#rows tr').length > 50",
            json!(true),
        )
        .await;
    // Scrolls down to the end repeatedly: the page never holds more than a window of rows.
    let oldest = "const cells = [...document.querySelectorAll('#rows tr')].map((row) => row.cells[2].textContent);
        return Number(cells.at(-1).split(' ')[1])";
    for scroll in 0..8 {
        if scroll == 2 {
            // A new event does not remove the rows to which the person scrolled.
            form_post(&paged.url, b"type=item.create&item_id=1").await;
            browser.shows("item.create").await;
            let rows = browser.says(ROWS).await.as_u64().unwrap();
            assert_eq!(rows, 300);
        }
        let before = browser.says(oldest).await.as_u64().unwrap();
        browser
            .says("const it = document.getElementById('scroll'); it.scrollTop = it.scrollHeight")
            .await;
        let further = format!("{oldest} < {before}");
        browser.comes_to_say(&further, json!(true)).await;
        let rows = browser.says(ROWS).await.as_u64().unwrap();
        assert!(rows <= 300, "{rows}");
    }
    assert!(browser.says(oldest).await.as_u64().unwrap() < 99_300);
    // New events do not move the view; `g` goes to them.
    form_post(&paged.url, b"type=comment.create&item_id=1&comment_id=2").await;
    browser
        .comes_to_say(
            "return document.getElementById('newest').hidden",
            json!(false),
        )
        .await;
    browser.keys("g").await;
    browser.shows("comment.create").await;
    assert!(paged.stage.home().exists());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_in_light_and_in_dark() {
    if !is_installed() || !node::is_installed("axe-core") {
        return;
    }
    let axe = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/node/node_modules/axe-core/axe.min.js"
    );
    let axe = std::fs::read_to_string(axe).unwrap();
    let service = Service::answering(|got| {
        let status = if got.body.ends_with(b"2") { 500 } else { 200 };
        Response::builder()
            .status(status)
            .body(Full::from("{\"a\":1}"))
            .unwrap()
    })
    .await;
    let paged = PagedAgent::start(&service).await;
    for item in 1..=2 {
        form_post(
            &paged.url,
            format!("type=item.update&item_id={item}").as_bytes(),
        )
        .await;
    }
    service.wait_for(2).await;
    for (scheme, option) in [
        ("light", "--blink-settings=preferredColorScheme=1"),
        ("dark", "--blink-settings=preferredColorScheme=0"),
    ] {
        let browser = Browser::start(&[option]).await;
        browser.goto(&paged.page).await;
        let is = format!("return matchMedia('(prefers-color-scheme: {scheme})').matches");
        assert_eq!(browser.says(&is).await, true);
        browser.comes_to_say(ROWS, json!(2)).await;
        browser.click("#rows tr:nth-child(1) a").await;
        browser.shows("Parameters").await;
        browser.says(&axe).await;
        let id = "return document.querySelector('#rows tr').dataset.id";
        let id = browser.says(id).await;
        let id = id.as_str().unwrap();
        let views = [
            format!("event/{id}"),
            format!("edit/{id}"),
            "object/item:1".to_owned(),
            "why/item:1".to_owned(),
            "event/none".to_owned(),
        ];
        let titles = [
            "item.update",
            "Edit and replay",
            "Timeline of item 1",
            "Why did it arrive, or not?",
            "Nothing to show",
        ];
        let run = "const done = arguments[arguments.length - 1];
            axe.run().then((found) => done(found.violations.map((it) => [it.id, it.nodes.map((node) => node.html)])));";
        for (view, title) in views.iter().zip(titles) {
            browser.says(&format!("location.hash = '{view}'")).await;
            let shown = "return document.getElementById('detail-title').textContent";
            browser.comes_to_say(shown, json!(title)).await;
            if view.starts_with("why") {
                browser.keys(ENTER).await;
                browser.shows("the agent received it").await;
            }
            let found = browser.says_later(run).await;
            assert_eq!(found, Value::Array(Vec::new()), "{scheme} {view}");
        }
        browser
            .says("document.getElementById('help').showModal()")
            .await;
        let found = browser.says_later(run).await;
        assert_eq!(found, Value::Array(Vec::new()), "{scheme}, keys");
        browser.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_says_when_its_run_is_over() {
    if !is_installed() {
        return;
    }
    let service = Service::start().await;
    let mut paged = PagedAgent::start(&service).await;
    let browser = Browser::start(&[]).await;
    browser.goto(&paged.page).await;
    browser.shows("link up").await;
    paged.agent.terminate();
    let ended = paged.agent.wait_for_end().await;
    assert!(
        ended.code().is_some(),
        "a stream of changes keeps it from ending"
    );
    browser.shows("podtap has ended").await;
    eventually(
        "nothing listens",
        || {
            std::net::TcpStream::connect(paged.authority())
                .is_err()
                .then_some(())
        },
        String::new,
    )
    .await;
    browser.close().await;
}
