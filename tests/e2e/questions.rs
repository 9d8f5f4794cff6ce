//! What the command line does only on a terminal: it asks before many or edited events are
//! sent, does not print control characters of a body, and shows the progress of a long import.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::Command;

use crate::support::{Service, Stage, Terminal};

/// Imports this number of events with this body into the tunnel `crm`.
fn import_events(stage: &Stage, events: usize, body: &str) {
    let body = serde_json::to_string(body).unwrap();
    let lines: Vec<String> = (0..events)
        .map(|number| {
            format!(r#"{{"v":1,"type":"event","method":"POST","path":"/{number}","body":{body}}}"#)
        })
        .collect();
    let file = stage.home().join("archive.ndjson");
    std::fs::write(&file, lines.join("\n")).unwrap();
    stage.succeed(&["import", file.to_str().unwrap(), "--name", "crm"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_events_are_sent_again_only_after_a_yes() {
    let (stage, service) = (Stage::new(), Service::start().await);
    import_events(&stage, 101, "type=item.update&item_id=7");
    let to = service.address().to_string();
    let args = ["replay", "--name", "crm", "--filter", "item:7", "--to", &to];

    let mut terminal = Terminal::start(&stage, &args, 120, 40);
    terminal.shows("Send 101 events again? [y/N]").await;
    terminal.keys("n\r");
    terminal.shows("nothing was sent").await;
    assert_eq!(terminal.wait_for_end().await.exit_code(), 0);
    assert!(service.requests().is_empty());

    let mut terminal = Terminal::start(&stage, &args, 120, 40);
    terminal.shows("Send 101 events again? [y/N]").await;
    terminal.keys("y\r");
    terminal.shows("101 of 101 sent: 101 answered 200").await;
    assert_eq!(terminal.wait_for_end().await.exit_code(), 0);
    service.wait_for(101).await;

    let (code, _, stderr) = stage.run(&args);
    assert!(code == 2 && stderr.contains("--yes"), "{stderr}");
    stage.succeed(&[&args[..], &["--yes"]].concat());
    service.wait_for(202).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_event_is_shown_and_sent_after_a_yes() {
    let (stage, service) = (Stage::new(), Service::start().await);
    import_events(&stage, 1, "type=item.update&item_id=7");
    let to = service.address().to_string();
    let id = stage.events(&[])[0]["id"].as_str().unwrap().to_owned();
    let args = ["replay", &id, "--name", "crm", "--edit", "--to", &to];
    let editor = [("EDITOR", "sed -i s/item_id=7/item_id=8/")];

    let mut terminal = Terminal::start_with(&stage, &args, &editor, (120, 40));
    terminal.shows("Send this? [y/N]").await;
    assert!(terminal.text().contains("item_id=8"), "{}", terminal.text());
    terminal.keys("\r");
    terminal.shows("nothing was sent").await;
    terminal.wait_for_end().await;
    assert!(service.requests().is_empty());

    let mut terminal = Terminal::start_with(&stage, &args, &editor, (120, 40));
    terminal.shows("Send this? [y/N]").await;
    terminal.keys("y\r");
    terminal.wait_for_end().await;
    let received = service.wait_for(1).await;
    assert_eq!(received[0].body, "type=item.update&item_id=8");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_body_with_control_characters_reaches_a_terminal_only_by_force() {
    let stage = Stage::new();
    import_events(&stage, 1, "a\u{1b}]0;hostile\u{7}b");
    let id = stage.events(&[])[0]["id"].as_str().unwrap().to_owned();
    let args = ["show", &id, "--name", "crm", "--raw"];

    let mut terminal = Terminal::start(&stage, &args, 120, 40);
    terminal.shows("control characters").await;
    terminal.shows("--force").await;
    assert_eq!(terminal.wait_for_end().await.exit_code(), 2);

    let mut terminal = Terminal::start(&stage, &[&args[..], &["--force"]].concat(), 120, 40);
    terminal.shows("ab").await;
    assert_eq!(terminal.wait_for_end().await.exit_code(), 0);
    // A pipe gets the bytes unchanged.
    assert_eq!(stage.succeed(&args), "a\u{1b}]0;hostile\u{7}b");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_import_counts_on_the_last_line() {
    let stage = Stage::new();
    let pipe = stage.home().join("pipe.ndjson");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let args = ["import", pipe.to_str().unwrap(), "--name", "crm"];
    let mut terminal = Terminal::start(&stage, &args, 120, 40);
    let write = move || {
        let mut pipe = OpenOptions::new().write(true).open(pipe).unwrap();
        // Written in batches, for longer than it takes until the counter
        // appears. The last line is written only after the counter was seen.
        for number in 0..6_000 {
            writeln!(pipe, r#"{{"v":1,"type":"event","path":"/{number}"}}"#).unwrap();
            if number % 600 == 0 {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
        }
        pipe
    };
    let open = tokio::task::spawn_blocking(write).await.unwrap();
    terminal.shows(" imported, 0 already there").await;
    drop(open);
    terminal
        .shows("6000 imported, 0 already there, 0 skipped")
        .await;
    assert_eq!(terminal.wait_for_end().await.exit_code(), 0);
}
