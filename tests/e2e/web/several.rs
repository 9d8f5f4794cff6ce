//! `podtap up --web`: one page for several tunnels.

use std::fs;

use serde_json::json;

use super::driver::{Browser, is_installed};
use crate::support::{Service, Stage, form_post};

/// Writes a configuration of two tunnels, each with its own relay.
fn config(stage: &Stage, services: [&Service; 2]) -> String {
    let file = stage.home().join("up.toml");
    let tables = ["crm", "shop"].into_iter().zip(services);
    let tables = tables.map(|(name, service)| {
        let target = service.address();
        format!("[[tunnel]]\nname = '{name}'\nforward-to = '{target}'\nlisten = '127.0.0.1:0'\n")
    });
    fs::write(&file, tables.collect::<String>()).unwrap();
    file.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_page_switches_between_the_tunnels() {
    if !is_installed() {
        return;
    }
    let stage = Stage::new();
    let (crm, shop) = (Service::start().await, Service::start().await);
    let file = config(&stage, [&crm, &shop]);
    let up = stage.start(&["up", "--json", "--web", "127.0.0.1:0", "--config", &file]);
    let mut pages = Vec::new();
    for (tunnel, service, item) in [("crm", &crm, 1), ("shop", &shop, 2)] {
        let ready = up.object("ready", |ready| ready["tunnel"] == tunnel).await;
        let url = format!("{}podio/hook", ready["url"].as_str().unwrap());
        form_post(&url, format!("type=item.create&item_id={item}").as_bytes()).await;
        service.wait_for(1).await;
        pages.push(ready["web"].as_str().unwrap().to_owned());
    }
    let origin = |page: &str| page.split('?').next().unwrap().to_owned();
    assert_eq!(origin(&pages[0]), origin(&pages[1]), "one page for all");

    let browser = Browser::start(&[]).await;
    // Each tunnel prints a URL that opens the page on this tunnel.
    browser.goto(&pages[1]).await;
    let search = "return location.search";
    browser.comes_to_say(search, json!("?tunnel=shop")).await;
    browser.shows("item 2").await;
    let now = "return document.querySelector('#tunnels [aria-current]').textContent";
    browser.comes_to_say(now, json!("shop")).await;
    let object = "return document.querySelector('#rows tr').cells[2].textContent";
    browser.click("#tunnels a:first-child").await;
    browser.comes_to_say(search, json!("?tunnel=crm")).await;
    browser.comes_to_say(object, json!("item 1")).await;
    // A replay goes to the service of the tunnel that is shown.
    browser.click("#rows tr a").await;
    browser.shows("Request body").await;
    browser.keys("r").await;
    crm.wait_for(2).await;
    browser.shows("replayed: ✓ 200").await;
    assert_eq!(shop.count(), 1);
    let other = format!("{}?tunnel=other", origin(&pages[0]));
    browser.goto(&other).await;
    browser.shows("this page has no such tunnel").await;
    browser.close().await;
}
