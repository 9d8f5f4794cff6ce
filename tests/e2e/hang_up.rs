//! The end of the terminal: when a window is closed or ssh
//! disconnects, everything is cleaned up as after `q`.

use crate::hooks::{APP, CREDENTIALS, Podio};
use crate::support::{Service, Stage, Terminal, eventually, form_post};

/// Scripts that start `podtap` and outlive the terminal. One ignores SIGHUP itself,
/// the other also for its children. Each writes the exit code of `podtap` to a file.
const LEADERS: [&str; 2] = [
    r#"trap : HUP; "$@"; echo $? > code; sleep 1"#,
    r#"trap "" HUP; "$@"; echo $? > code"#,
];

/// Closes the terminal of a shell, and waits for the exit code of `podtap`.
async fn hung_up(stage: &Stage, mut terminal: Terminal) -> String {
    let code = stage.home().join("code");
    terminal.hang_up();
    let read = || {
        std::fs::read_to_string(&code)
            .ok()
            .filter(|code| !code.is_empty())
    };
    let code = eventually("the end of podtap", read, || terminal.text()).await;
    code.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn listen_removes_its_hooks_when_the_terminal_is_closed() {
    for leader in LEADERS {
        let (stage, service) = (Stage::new(), Service::start().await);
        let podio = Podio::start(&stage).await;
        let relay = stage.relay().await;
        let token = stage.token("ann");
        let (target, url) = (service.address().to_string(), relay.url());
        let args = [
            "listen", &target, "--relay", &url, "--name", "crm", "--app", APP, "--on", "item.*",
        ];
        let mut variables = CREDENTIALS.to_vec();
        variables.extend([
            ("PODTAP_TOKEN", token.as_str()),
            ("PODTAP_PODIO_URL", &podio.url),
        ]);
        let terminal = Terminal::in_script(&stage, leader, &args, &variables);
        terminal.shows("hook.verify").await;
        // The first hook may be verified before the last one is created.
        let made = || (podio.hooks(&stage).len() == 3).then_some(());
        eventually("three hooks", made, || terminal.text()).await;

        let code = hung_up(&stage, terminal).await;

        assert_eq!(code, "129", "{leader}");
        assert_eq!(podio.hooks(&stage).len(), 0, "{leader}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_left_when_the_terminal_is_closed() {
    for leader in LEADERS {
        let (stage, service) = (Stage::new(), Service::start().await);
        let (_relay, _, mut agent, url) = stage.way_to(&service, &[]).await;
        form_post(&url, b"type=item.create&item_id=1").await;
        service.wait_for(1).await;
        agent.terminate();
        agent.wait_for_end().await;
        let terminal = Terminal::in_script(&stage, leader, &["ui", "--name", "crm"], &[]);
        terminal.shows("item.create").await;

        assert_eq!(hung_up(&stage, terminal).await, "129", "{leader}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_terminal_is_told_of_by_signal_too() {
    let stage = Stage::new();
    let mut terminal = Terminal::start(&stage, &["demo", "--rate", "1"], 120, 40);
    terminal.shows("✓ 200").await;
    terminal.hang_up();
    assert_eq!(terminal.wait_for_end().await.exit_code(), 129);
}
