//! Sets a target in the terminal UI of a `listen` that was started without one.

use crate::support::{Service, Stage, Terminal, eventually, form_post};

#[tokio::test(flavor = "multi_thread")]
async fn a_held_event_is_delivered_once_a_target_is_set_in_the_ui() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let url = relay.url();
    let args = ["listen", "--name", "crm", "--relay", &url];
    let environment = [("PODTAP_TOKEN", token.as_str())];
    let mut terminal = Terminal::start_with(&stage, &args, &environment, (120, 40));
    terminal.shows("no local service").await;
    let public = || {
        let (code, url, _) = stage.run(&["url", "crm"]);
        (code == 0).then(|| url.trim().to_owned())
    };
    let public = eventually("the public URL", public, || terminal.text()).await;
    let body = b"type=item.update&item_id=4711&item_revision_id=7";
    assert_eq!(form_post(&public, body).await.status, 200);
    terminal.shows("held").await;

    terminal.keys("S");
    terminal.shows("Where events are delivered").await;
    terminal.keys("ftp://x\r");
    terminal.shows("must begin with http").await;
    terminal.keys("\x15");
    terminal.keys(&format!("{}\r", service.address()));

    assert_eq!(&service.wait_for(1).await[0].body[..], body);
    terminal.shows("Events are delivered to").await;
    form_post(&public, b"type=item.create&item_id=4712").await;
    service.wait_for(2).await;
    terminal.keys("q");
    assert_eq!(terminal.wait_for_end().await.exit_code(), 0);
    let events = stage.wait_until_settled(&["item:4711"], 1);
    assert_eq!(events[0]["attempts"][0]["replay"], false);
    assert_eq!(events[0]["attempts"].as_array().unwrap().len(), 1);
}
