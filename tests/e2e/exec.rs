//! `listen --exec`: a command for each event.

use std::path::Path;

use rustix::process::Signal;

use crate::support::{Process, Relay, Stage, eventually, form_post};

/// Starts an agent that runs `command` for each event in
/// the stage's folder; returns it with its public URL.
async fn listening(stage: &Stage, relay: &Relay, token: &str, command: &str) -> (Process, String) {
    let url = relay.url();
    let args = [
        "listen", "--json", "--name", "crm", "--relay", &url, "--exec", command,
    ];
    let mut listen = crate::support::command(stage, &args);
    listen.env("PODTAP_TOKEN", token).current_dir(stage.home());
    let agent = Process::spawn(listen);
    let ready = agent.object("ready", |_| true).await;
    assert_eq!(ready["forwards_to"], format!("exec:{command}"));
    let url = ready["url"].as_str().unwrap().to_owned();
    // Other commands read there where the agent delivers.
    let description = stage.home().join("data/podtap/tunnels/crm.db.run");
    let read = || std::fs::read_to_string(&description).unwrap_or_default();
    let is_written = || read().contains("exec:").then_some(());
    eventually("the agent's description of itself", is_written, read).await;
    (agent, url)
}

/// Waits until the process whose id is in the file has ended.
async fn is_gone(file: &Path) {
    let pid = eventually(
        "the id of a process",
        || std::fs::read_to_string(file).ok(),
        || file.display().to_string(),
    )
    .await;
    let stat = format!("/proc/{}/stat", pid.trim());
    let state = || std::fs::read_to_string(&stat).unwrap_or_default();
    // A zombie has ended, too.
    let gone = || (state().is_empty() || state().contains(") Z")).then_some(());
    eventually("the end of a process", gone, state).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_run_for_each_event_without_the_secrets_of_podtap() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let command = "cat > body; env > environment; echo item $PODTAP_ITEM_ID is unknown >&2; exit 4";
    let (agent, url) = listening(&stage, &relay, &token, command).await;
    assert_eq!(
        form_post(&url, b"type=item.update&item_id=4711")
            .await
            .status,
        200
    );

    let attempt = agent.object("attempt", |_| true).await;
    assert_eq!(attempt["status"], 500);
    assert_eq!(attempt["exit_status"], "4");
    assert_eq!(attempt["first_line"], "item 4711 is unknown");
    assert_eq!(attempt["target"], format!("exec:{command}"));
    let read = |name: &str| std::fs::read_to_string(stage.home().join(name)).unwrap();
    assert_eq!(read("body"), "type=item.update&item_id=4711");
    assert!(read("environment").contains("PODTAP_ITEM_ID=4711"));
    assert!(!read("environment").contains(&token));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_runs_the_command_of_the_agent_that_listens() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let command = format!(
        "echo $PODTAP_REPLAY >> {}/runs; exit $((3 - 3 * PODTAP_REPLAY))",
        stage.home().display()
    );
    let (agent, url) = listening(&stage, &relay, &token, &command).await;
    form_post(&url, b"type=item.update&item_id=4711").await;
    agent
        .object("attempt", |attempt| attempt["exit_status"] == "3")
        .await;
    let printed = stage.succeed(&["replay", "-n", "crm", "--filter", "item:4711", "--json"]);
    let replayed: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(replayed["status"], 200);
    assert_eq!(replayed["compared"]["status_before"], 500);
    let headers = serde_json::json!(["podtap-exit-status"]);
    assert_eq!(replayed["compared"]["other_headers"], headers);
    let runs = std::fs::read_to_string(stage.home().join("runs")).unwrap();
    assert_eq!(runs, "0\n1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_listen_ends_the_command_and_what_it_has_started() {
    let stage = Stage::new();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let command = "sleep 1000 & echo $! > child; echo $$ > new; mv new leader; wait";
    for signals in [
        &[Signal::INT][..],
        &[Signal::TERM, Signal::TERM],
        &[Signal::KILL],
    ] {
        let files = ["leader", "child"].map(|name| stage.home().join(name));
        for file in &files {
            drop(std::fs::remove_file(file));
        }
        let (mut agent, url) = listening(&stage, &relay, &token, command).await;
        form_post(&url, b"type=item.update&item_id=4711").await;
        let has_begun = || files[0].exists().then_some(());
        eventually("the command runs", has_begun, || agent.stderr()).await;
        for signal in signals {
            agent.signal(*signal);
            // Otherwise the kernel may merge the second of two equal signals with the first.
            crate::support::pause(std::time::Duration::from_millis(300)).await;
        }
        agent.wait_for_end().await;
        for file in &files {
            is_gone(file).await;
        }
    }
}

#[test]
fn a_command_that_cannot_be_run_is_told_at_once() {
    let stage = Stage::new();
    let plain = stage.home().join("plain.sh");
    std::fs::write(&plain, "exit 0\n").unwrap();
    let plain = plain.to_str().unwrap();
    for (args, said) in [
        (
            ["listen", "--exec", "podtap-no-such --x"],
            "there is no command `podtap-no-such`",
        ),
        (
            ["listen", "--route", "type:item.*=exec:./no-such-handler.sh"],
            "there is no command `./no-such-handler.sh`",
        ),
        (["listen", "--exec", plain], "is not executable"),
        (["listen", "--exec", " "], "exec cannot be ` `"),
    ] {
        let (code, _, stderr) = stage.run(&args);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    let (code, _, stderr) = stage.run(&["listen", "3000", "--exec", "cat"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("--exec"), "{stderr}");
}
