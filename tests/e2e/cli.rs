//! The command line: help, completions, the manual page, and the environment.

use crate::support::{Service, Stage, form_post, own_address};

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let help = Stage::new().succeed(&["--help"]);
    for word in [
        "demo",
        "listen",
        "ui",
        "events",
        "show",
        "replay",
        "explain",
        "hooks",
        "sandbox",
        "trigger",
        "relay",
        "completions",
        "man",
    ] {
        assert!(
            help.contains(&format!("\n  {word} ")),
            "{word} is missing in\n{help}"
        );
    }
    assert!(help.contains("Exit codes"), "{help}");
}

#[test]
fn completions_and_the_manual_page_are_printed() {
    let stage = Stage::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(stage.succeed(&["completions", shell]).contains("podtap"));
    }
    assert!(stage.succeed(&["man"]).contains(".TH"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_relay_listen_runs_one_of_its_own_with_a_lasting_url() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let target = service.address().to_string();
    let args = ["listen", &target, "--name", "crm", "--json"];

    let mut agent = stage.start(&[&args[..], &["--listen", &own_address()]].concat());
    let ready = agent.object("ready", |_| true).await;
    let url = ready["url"].as_str().unwrap();
    assert_eq!(
        form_post(url, b"type=item.create&item_id=1").await.status,
        200
    );
    service.wait_for(1).await;
    let (authority, path) = crate::support::split_url(url);
    agent.terminate();
    agent.wait_for_end().await;

    let again = stage.start(&[&args[..], &["--listen", authority]].concat());
    let ready = again.object("ready", |_| true).await;
    assert!(ready["url"].as_str().unwrap().ends_with(path), "{ready}");
}

#[tokio::test(flavor = "multi_thread")]
async fn off_a_terminal_lines_are_printed_and_a_closed_pipe_ends_quietly() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let target = service.address().to_string();
    let agent = stage.start(&[
        "listen",
        &target,
        "--name",
        "crm",
        "--listen",
        "127.0.0.1:0",
    ]);
    let printed = |word: &str| {
        let word = word.to_owned();
        let agent = &agent;
        async move {
            let line = || agent.stdout().into_iter().find(|line| line.contains(&word));
            crate::support::eventually(&word, line, || agent.stdout().join("\n")).await
        }
    };
    let line = printed("Public URL").await;
    let url = line.split_whitespace().last().unwrap();

    form_post(
        &format!("{url}podio/hook"),
        b"type=item.update&item_id=4711&item_revision_id=8",
    )
    .await;

    let line = printed("item.update").await;
    for word in ["item 4711", "r8", "200", "ms", "/podio/hook"] {
        assert!(line.contains(word), "{word} is missing in {line}");
    }
    let body = b"type=x\x1b[2J\x07&item_id=5";
    form_post(&format!("{url}%1b"), body).await;
    let line = printed("item 5").await;
    assert!(
        !line.contains(['\x1b', '\x07']),
        "control characters are shown, not obeyed: {line:?}"
    );
}
