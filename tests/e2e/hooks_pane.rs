//! The hooks pane in a real pseudo-terminal, with the sandbox.

use serde_json::Value;

use crate::hooks::{APP, CREDENTIALS, Podio};
use crate::support::{Service, Stage, Terminal};

#[tokio::test(flavor = "multi_thread")]
async fn hooks_are_seen_made_verified_and_deleted_in_the_pane() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let podio = Podio::start(&stage).await;
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let gone = format!("{}/aaaaaaaaaaaaaaaaaaaaaaaaaa/podio/hook", relay.url());
    podio.objects(&stage, &["hooks", "create", "item.delete", &gone, "--json"]);
    let target = service.address().to_string();
    let url = relay.url();
    let args = [
        "listen",
        &target,
        "--relay",
        &url,
        "--name",
        "crm",
        "--app",
        APP,
        "--on",
        "item.update",
    ];
    let mut env = CREDENTIALS.to_vec();
    env.extend([
        ("PODTAP_TOKEN", token.as_str()),
        ("PODTAP_PODIO_URL", &podio.url),
    ]);
    let mut terminal = Terminal::start_with(&stage, &args, &env, (120, 40));
    terminal.shows("✓ validated").await;

    terminal.keys("h");
    terminal.shows("● active   item.update    Orders").await;
    terminal.shows("✓ this tunnel").await;
    terminal.shows("○ inactive item.delete    Orders").await;
    terminal.shows("✗ other tunnel").await;
    let verdicts = |hook: &Value| hook["url_verdict"].as_str().unwrap_or_default().to_owned();
    let mut listed: Vec<_> = podio.hooks(&stage).iter().map(verdicts).collect();
    listed.sort_unstable();
    assert_eq!(listed, ["other tunnel", "this tunnel"]);

    terminal.keys("c");
    terminal.shows("New hook").await;
    // Typed text selects a choice; the other defaults are right.
    terminal.keys("item.create\r");
    terminal.shows("Created hook").await;
    terminal.shows("● active   item.create    Orders").await;

    terminal.keys("Gv");
    terminal.shows("Podio will verify hook").await;
    terminal.keys("D");
    terminal.shows("Delete hook").await;
    terminal.shows("item.create on Orders?").await;
    terminal.keys("y");
    terminal.shows("Deleted hook").await;
    terminal.no_longer_shows("● active   item.create").await;

    terminal.keys("\x1b");
    terminal.no_longer_shows("leads to").await;
    terminal.keys("q");
    let status = terminal.wait_for_end().await;
    assert_eq!(status.exit_code(), 0, "{}", terminal.text());
    let left = podio.hooks(&stage);
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["url"], gone.as_str());
}
