//! `podtap up`: the tunnels of the configuration file in one process.

use std::fs;

use crate::support::{Process, Relay, Service, Stage, Terminal, eventually, form_post};

/// Writes a configuration with these tables and returns its path.
fn config(stage: &Stage, relay: &Relay, token: &str, tables: &[String]) -> String {
    let (file, secret) = (stage.home().join("up.toml"), stage.home().join("token"));
    fs::write(&secret, token).unwrap();
    let head = format!(
        "relay = '{}'\ntoken-file = '{}'\n",
        relay.url(),
        secret.display()
    );
    let tables = tables.iter().map(|table| format!("[[tunnel]]\n{table}"));
    fs::write(&file, head + &tables.collect::<Vec<_>>().join("\n")).unwrap();
    file.display().to_string()
}

fn table(name: &str, service: &Service) -> String {
    format!("name = '{name}'\nforward-to = '{}'", service.address())
}

/// Waits for the public URL of a tunnel.
async fn url_of(agent: &Process, tunnel: &str) -> String {
    let ready = agent
        .object("ready", |ready| ready["tunnel"] == tunnel)
        .await;
    ready["url"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tunnel_has_its_own_url_history_and_target_and_one_that_ends_ends_no_other() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let (crm, shop) = (Service::start().await, Service::start().await);
    let tables = [
        table("crm", &crm),
        table("shop", &shop),
        "name = 'old'\ntoken = 'pt_wrong'".to_owned(),
    ];
    let file = config(&stage, &relay, &stage.token("ann"), &tables);
    // A variable applies to all tunnels, but the table of a tunnel overrides it.
    let mut up = crate::support::command(&stage, &["up", "--json", "--config", &file]);
    up.env("PODTAP_NAME", "other").env("PODTAP_FORWARD_TO", "9");
    let mut up = Process::spawn(up);
    let (to_crm, to_shop) = (url_of(&up, "crm").await, url_of(&up, "shop").await);
    assert_ne!(to_crm, to_shop);
    let ended = up.object("link", |link| link["state"] == "stopped").await;
    assert_eq!(ended["tunnel"], "old");
    assert!(
        ended["reason"].as_str().unwrap().contains("token"),
        "{ended}"
    );

    for (url, service, tunnel) in [(&to_crm, &crm, "crm"), (&to_shop, &shop, "shop")] {
        let body = format!("type=item.create&item_id=1&external_id={tunnel}");
        assert_eq!(form_post(url, body.as_bytes()).await.status, 200);
        assert_eq!(&service.wait_for(1).await[0].body[..], body.as_bytes());
        let attempt = up
            .object("attempt", |attempt| attempt["tunnel"] == tunnel)
            .await;
        assert_eq!(attempt["status"], 200);
        let event = up.object("event", |event| event["tunnel"] == tunnel).await;
        assert_eq!(event["params"]["external_id"], tunnel);
        // Other commands also use the settings of the tunnel's table.
        let replay = [
            "replay", "-n", tunnel, "--filter", "item:1", "--config", &file,
        ];
        stage.succeed(&replay);
        service.wait_for(2).await;
        let shown = stage.succeed(&["url", tunnel]);
        assert_eq!(shown.trim(), url.as_str());
    }
    up.terminate();
    assert_eq!(up.wait_for_end().await.code(), Some(143));
    let stderr = up.stderr();
    assert!(stderr.contains("the relay refused this token"), "{stderr}");
    assert!(
        stderr.contains("tunnel") && stderr.contains("old"),
        "{stderr}"
    );
    assert!(!stderr.contains("pt_wrong"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_that_is_taken_over_leaves_the_others_and_its_name_begins_its_lines() {
    let (stage, elsewhere) = (Stage::new(), Stage::new());
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let (crm, shop) = (Service::start().await, Service::start().await);
    let tables = [table("crm", &crm), table("a-shop", &shop)];
    let file = config(&stage, &relay, &token, &tables);
    let up = stage.start(&["up", "--no-tui", "--config", &file]);
    let line = |what: &'static str| {
        let up = &up;
        async move {
            let found = || up.stdout().into_iter().find(|line| line.contains(what));
            eventually(what, found, || format!("{:#?}", up.stdout())).await
        }
    };
    assert!(line("crm     Public URL").await.contains("http"));
    let shown = line("a-shop  Public URL").await;
    let url = shown.split_whitespace().last().unwrap().to_owned();

    let other = elsewhere.start_agent(&relay.url(), &token, crm.address(), &["--take-over"]);
    other.object("ready", |_| true).await;
    line("crm     The link ended").await;
    form_post(&url, b"type=item.create&item_id=1").await;
    shop.wait_for(1).await;
    assert!(line("item.create").await.starts_with("a-shop  "));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_one_to_end_ends_the_run_with_its_reason() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let tables = ["crm", "shop"].map(|name| format!("name = '{name}'\ntoken = 'pt_wrong'"));
    let file = config(&stage, &relay, "unused", &tables);
    let (code, _, stderr) = stage.run(&["up", "--json", "--config", &file]);
    assert_eq!(code, 3, "{stderr}");
    assert!(
        stderr.contains("crm") && stderr.contains("shop"),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_open_elsewhere_is_told_and_the_others_run() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let (crm, shop) = (Service::start().await, Service::start().await);
    let (_listen, _) = stage.agent(&relay.url(), &token, crm.address(), &[]).await;
    let tables = [table("crm", &crm), table("shop", &shop)];
    let file = config(&stage, &relay, &token, &tables);
    let mut up = stage.start(&["up", "--json", "--config", &file]);
    let url = url_of(&up, "shop").await;
    let ended = up.object("link", |link| link["state"] == "stopped").await;
    assert_eq!(ended["tunnel"], "crm");
    form_post(&url, b"type=item.create&item_id=1").await;
    shop.wait_for(1).await;
    up.terminate();
    up.wait_for_end().await;
    assert!(up.stderr().contains("already running"), "{}", up.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ui_switches_between_tunnels() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let (crm, shop) = (Service::start().await, Service::start().await);
    let tables = [
        table("crm", &crm),
        table("shop", &shop),
        "name = 'old'\ntoken = 'pt_wrong'".to_owned(),
    ];
    let file = config(&stage, &relay, &token, &tables);
    let mut terminal = Terminal::start(&stage, &["up", "--config", &file], 120, 40);
    terminal.shows("crm 1/3").await;
    terminal.shows("The tunnel old ended").await;
    terminal.keys("\x12");
    terminal.shows("Tunnels").await;
    terminal.shows("✗ old").await;
    terminal.keys("\r");
    terminal.shows("shop 2/3").await;

    let url = stage.succeed(&["url", "shop"]);
    let body = b"type=item.create&item_id=4711&item_revision_id=0";
    form_post(url.trim(), body).await;
    terminal.shows("item 4711").await;
    // An event that arrives while another screen is open is shown on return.
    let url = stage.succeed(&["url", "crm"]);
    form_post(url.trim(), b"type=item.create&item_id=815").await;
    crm.wait_for(1).await;
    terminal.keys("\x12kk\r");
    terminal.shows("crm 1/3").await;
    terminal.shows("item 815").await;
    terminal.no_longer_shows("item 4711").await;
    terminal.keys("q");
    assert_eq!(terminal.wait_for_end().await.exit_code(), 0);
}

#[test]
fn what_is_wrong_in_the_tables_is_told_before_anything_runs() {
    let stage = Stage::new();
    let file = stage.home().join("up.toml");
    let path = file.to_str().unwrap();
    for (text, said) in [
        ("relay = 'https://x.test'", "has no [[tunnel]] table"),
        ("[[tunnel]]\nforward-to = '3000'", "has no name"),
        (
            "[[tunnel]]\nname = 'a'\n[[tunnel]]\nname = 'a'",
            "two [[tunnel]] tables are called `a`",
        ),
        (
            "[[tunnel]]\nname = 'a'\nforwad-to = '1'",
            "did you mean `forward-to`?",
        ),
        (
            "[[tunnel]]\nname = 'a'\ntheme = 'dark'",
            "not a setting of a single tunnel",
        ),
        ("[[tunnel]]\nname = 'a'\nforward-to = 'ftp://x'", "tunnel a"),
        (
            "[[tunnel]]\nname = 'a'\nexec = './no-such.sh'",
            "there is no command",
        ),
    ] {
        fs::write(&file, text).unwrap();
        let (code, _, stderr) = stage.run(&["up", "--json", "--config", path]);
        assert_eq!(code, 2, "{text}: {stderr}");
        assert!(stderr.contains(said), "{text}: {stderr}");
        let (code, stdout, stderr) = stage.run(&["config", "check", "--config", path]);
        let is_of_a_run = said.contains("no [[tunnel]]") || said.contains("no command");
        assert_eq!(code, if is_of_a_run { 0 } else { 2 }, "{stdout}{stderr}");
        assert!(is_of_a_run || stderr.contains(said), "{text}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_are_created_for_each_tunnel_on_its_own_app_and_removed_at_the_end() {
    use crate::hooks::Podio;
    let stage = Stage::new();
    let podio = Podio::start(&stage).await;
    let relay = stage.relay().await;
    let (crm, shop) = (Service::start().await, Service::start().await);
    let tables = [table("crm", &crm), table("shop", &shop)];
    let file = config(&stage, &relay, &stage.token("ann"), &tables);
    let args = ["up", "--json", "--on", "item.create", "--config", &file];
    let mut up = Process::spawn(podio.command(&stage, &args));
    for tunnel in ["crm", "shop"] {
        let url = url_of(&up, tunnel).await;
        let verified = |verify: &serde_json::Value| verify["tunnel"] == tunnel;
        let verify = up.object("verify", verified).await;
        assert_eq!(verify["ok"], true, "{verify}");
        let hooks = podio.hooks(&stage);
        let own = hooks
            .iter()
            .filter(|hook| hook["url"].as_str().unwrap().starts_with(&url));
        assert_eq!(own.count(), 1, "{hooks:?}");
    }
    up.terminate();
    up.wait_for_end().await;
    assert_eq!(podio.hooks(&stage), Vec::<serde_json::Value>::new());

    // A tunnel without credentials is reported before anything runs.
    let (code, _, stderr) = stage.run(&args);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("credentials") && stderr.contains("crm"),
        "{stderr}"
    );
}
