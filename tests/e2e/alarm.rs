//! The bell and the notice for a failed delivery, in a real terminal.

use hyper::Response;

use crate::support::{Received, Service, Stage, Terminal, eventually, form_post};

/// Waits for the public URL of a `listen` that runs on this stage.
async fn public_url(stage: &Stage) -> String {
    let url = || {
        let (code, said, _) = stage.run(&["url", "crm"]);
        (code == 0).then(|| said.trim().to_owned())
    };
    eventually("the public URL", url, String::new).await
}

async fn post(url: &str, kind: &str, item: u32) {
    let body = format!("type={kind}&item_id={item}&item_revision_id=0&hook_id=7");
    assert_eq!(form_post(url, body.as_bytes()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delivery_rings_once_in_the_ui_and_off_it_and_says_nothing_unless_asked() {
    let fails = |_: &Received| Response::builder().status(500).body("no".into()).unwrap();
    let service = Service::answering(fails).await;
    let target = service.address().to_string();
    for (view, notify, bells, notices) in [
        ("tui", "bell", 1, 0),
        ("plain", "bell", 1, 0),
        ("tui", "desktop", 0, 1),
        ("plain", "desktop", 0, 1),
        ("tui", "off", 0, 0),
    ] {
        let stage = Stage::new();
        let args = [
            "listen",
            &target,
            "--name",
            "crm",
            "--ui",
            view,
            "--notify",
            notify,
            "--listen",
            "127.0.0.1:0",
        ];
        let mut terminal = Terminal::start(&stage, &args, 120, 40);
        let url = public_url(&stage).await;
        // The type of the first event is not Podio's: text from strangers is not repeated.
        post(&url, "evil%1b%5d0%3bowned%07", 1).await;
        post(&url, "item.update", 2).await;
        post(&url, "item.update", 3).await;
        terminal.shows("500").await;
        let all = || (stage.events(&["status:500"]).len() == 3).then_some(());
        eventually("three failed deliveries", all, || terminal.text()).await;
        let rung = || {
            let is = (terminal.bells(), terminal.notices().len());
            (is == (bells, notices)).then_some(())
        };
        let state = || format!("{} {:?}", terminal.bells(), terminal.notices());
        eventually(&format!("{view} {notify}"), rung, state).await;
        for notice in terminal.notices() {
            assert!(
                notice.ends_with("answered 500") && !notice.contains("owned"),
                "{notice}"
            );
        }
        terminal.keys(if view == "tui" { "q" } else { "\x03" });
        terminal.wait_for_end().await;
        assert_eq!(
            (terminal.bells(), terminal.notices().len()),
            (bells, notices)
        );
    }
}
