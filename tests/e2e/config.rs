//! The configuration of the terminal UI and of filters:
//! keys and saved filters, and the errors in them.

use crate::support::{Service, Stage, Terminal, form_post};

const CONFIG: &str = "
[keys]
replay = 'ctrl-r'
filter = 'f'
help = ['ctrl-h', 'f1']

[filters]
creations = 'type:*.create'
";

/// Imports three events into the stage's own history, which needs no relay.
async fn with_events(stage: &Stage) {
    let service = Service::start().await;
    let target = service.address().to_string();
    let args = ["--listen", "127.0.0.1:0", "--json", "--name", "crm"];
    let mut agent = stage.start(&[&["listen", target.as_str()], &args[..]].concat());
    let ready = agent.object("ready", |_| true).await;
    for body in [
        "type=item.create&item_id=1",
        "type=item.update&item_id=2",
        "type=comment.create&item_id=3",
    ] {
        form_post(ready["url"].as_str().unwrap(), body.as_bytes()).await;
    }
    service.wait_for(3).await;
    agent.terminate();
    agent.wait_for_end().await;
}

fn configure(stage: &Stage, text: &str) -> String {
    let file = stage.home().join("c.toml");
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebound_key_works_and_is_what_the_footer_and_the_help_show() {
    let stage = Stage::new();
    let config = configure(&stage, CONFIG);
    let args = ["demo", "--rate", "4", "--config", &config];
    let mut terminal = Terminal::start(&stage, &args, 120, 40);

    terminal.shows("✓ 200").await;
    terminal.shows("ctrl-r replay").await;
    terminal.keys("r\x12");
    terminal.shows("Replayed ").await;
    terminal.keys("\x08");
    terminal.shows("esc closes").await;
    let line = format!("{:22}send the event again", "ctrl-r");
    terminal.shows(&line).await;
    terminal.keys("\x1b");
    terminal.no_longer_shows("esc closes").await;
    terminal.keys("q");

    assert_eq!(
        terminal.wait_for_end().await.exit_code(),
        0,
        "{}",
        terminal.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_filter_is_completed_in_the_filter_line_and_chosen_in_the_palette() {
    let stage = Stage::new();
    with_events(&stage).await;
    let config = configure(&stage, CONFIG);
    let args = ["ui", "--name", "crm", "--config", &config];
    let mut terminal = Terminal::start(&stage, &args, 120, 30);

    terminal.shows("item.update").await;
    terminal.keys("f@cr");
    terminal.shows("tab @creations").await;
    terminal.keys("\t\r");
    terminal.no_longer_shows("item.update").await;
    terminal.shows("Events · @creations").await;
    terminal.keys("\x1b");
    terminal.shows("esc once more").await;
    terminal.keys("\x1b");
    terminal.shows("item.update").await;
    terminal.keys(":@crea");
    terminal.shows("show @creations").await;
    terminal.keys("\r");
    terminal.no_longer_shows("item.update").await;
    terminal.keys("q");

    assert_eq!(
        terminal.wait_for_end().await.exit_code(),
        0,
        "{}",
        terminal.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_filter_stands_in_every_filter_of_the_command_line() {
    let stage = Stage::new();
    with_events(&stage).await;
    let config = configure(&stage, CONFIG);
    let lines = |filter: &[&str]| {
        let command = ["events", "--name", "crm", "--config", &config];
        stage.succeed(&[&command[..], filter].concat())
    };

    let found = lines(&["@creations", "after:10m"]);
    assert_eq!(found.lines().count(), 2, "{found}");
    let found = lines(&["-@creations"]);
    assert!(
        found.contains("item.update") && found.lines().count() == 1,
        "{found}"
    );

    let service = Service::start().await;
    let to = service.address().to_string();
    stage.succeed(&[
        "replay",
        "--filter",
        "@creations item:1",
        "--to",
        &to,
        "--name",
        "crm",
        "--config",
        &config,
    ]);
    assert_eq!(service.wait_for(1).await.len(), 1);

    let args = [
        "events",
        "--name",
        "crm",
        "--config",
        &config,
        "item:1",
        "@creation",
    ];
    let (code, _, stderr) = stage.run(&args);
    assert_eq!(code, 2, "{stderr}");
    for told in ["column 8", "did you mean `@creations`?", "in quotes"] {
        assert!(stderr.contains(told), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_wrong_stops_only_what_uses_it_and_is_named() {
    let stage = Stage::new();
    with_events(&stage).await;
    let keys = "[keys]\nreplai = 'x'";
    let filters = "[filters]\nerrors = 'item:1 status:soon'";
    let run = |text: &str, args: &[&str]| {
        let config = configure(&stage, text);
        stage.run(&[args, &["--name", "crm", "--config", &config]].concat())
    };

    for (text, args, told) in [
        (keys, &["ui"][..], ["keys.replai", "did you mean `replay`?"]),
        (filters, &["ui"], ["filters.errors", "column 15"]),
        (filters, &["events"], ["filters.errors", "column 15"]),
        (
            filters,
            &["replay", "--filter", "x"],
            ["filters.errors", "column 15"],
        ),
    ] {
        let (code, stdout, stderr) = run(text, args);
        assert_eq!(code, 2, "{args:?}: {stderr}");
        assert_eq!(stdout, "");
        for told in told.into_iter().chain(["c.toml"]) {
            assert!(stderr.contains(told), "{args:?}: {stderr}");
        }
    }
    let (code, stdout, stderr) = run(keys, &["events"]);
    assert_eq!((code, stdout.lines().count()), (0, 3), "{stderr}");

    let config = configure(&stage, &format!("{keys}\n{filters}"));
    let dir = stage.home().join("relay").display().to_string();
    let args = [
        "relay",
        "--listen",
        "127.0.0.1:0",
        "--json",
        "--data-dir",
        &dir,
    ];
    let relay = stage.start(&[&args[..], &["--config", &config]].concat());
    relay.object("ready", |_| true).await;
}

#[tokio::test]
async fn the_printed_keys_are_a_configuration_that_changes_nothing() {
    let stage = Stage::new();
    let printed = stage.succeed(&["ui", "--print-keys"]);
    assert!(printed.starts_with("[keys]\n"), "{printed}");

    let config = configure(&stage, &printed);
    let again = stage.succeed(&["ui", "--print-keys", "--config", &config]);
    assert_eq!(again, printed);
    // The history does not exist, so the keys were accepted.
    let (code, _, stderr) = stage.run(&["ui", "--config", &config]);
    assert_eq!(code, 6, "{stderr}");
}
