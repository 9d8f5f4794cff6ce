//! `podtap sandbox` as people use it: its options, its output, and commands for a running one.

use crate::support::{Process, Stage, eventually, podtap};

const LISTEN: &[&str] = &["sandbox", "--json", "--listen", "127.0.0.1:0"];

/// Starts a sandbox with these options; returns it with its address.
async fn start(stage: &Stage, options: &[&str]) -> (Process, String) {
    let sandbox = stage.start(&[LISTEN, options].concat());
    let ready = sandbox.object("ready", |_| true).await;
    (sandbox, ready["podio_url"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_sandbox_is_told_what_to_do_and_says_what_it_did() {
    let stage = Stage::new();
    let (sandbox, url) = start(&stage, &[]).await;
    let ready = sandbox.object("ready", |_| true).await;
    assert_eq!(ready["client_id"], "podtap");
    assert_eq!(ready["app_token"], "sandbox-orders-token");
    assert_eq!(ready["username"], "ada@example.com");

    let update = ["sandbox", "do", "item.update", "3276908608", "status=Paid"];
    let told = stage.succeed(&[&update[..], &["--podio-url", &url]].concat());

    let none = "item.update  3276908608  no webhook: there is no active hook for it";
    assert_eq!(told.trim(), none);
    let call = sandbox.object("call", |call| call["path"] == "/-/do").await;
    assert_eq!(
        (&call["method"], &call["status"]),
        (&"POST".into(), &200.into())
    );

    for (words, why) in [
        (
            &["item.update", "3276908608", "colour=red"][..],
            "has no field `colour`",
        ),
        (&["item.moved"], "not one of Podio's event types"),
        (&["item.update", "x"], "is not an id or NAME=VALUE"),
    ] {
        let args = [&["sandbox", "do", "--podio-url", &url], words].concat();
        let (code, _, stderr) = stage.run(&args);
        assert!(code != 0 && stderr.contains(why), "{words:?}: {stderr}");
    }
    for (address, why) in [
        ("https://api.podio.com", "not a sandbox on this machine"),
        ("http://127.0.0.1:9", "no sandbox is running there"),
    ] {
        let (code, _, stderr) =
            stage.run(&["sandbox", "do", "item.update", "--podio-url", address]);
        assert!(code != 0 && stderr.contains(why), "{address}: {stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_readme_says_of_the_sandbox_works_as_it_is_printed() {
    let stage = Stage::new();
    let (sandbox, url) = start(&stage, &[]).await;
    let readme = include_str!("../../README.md");
    let exports = readme
        .lines()
        .filter_map(|line| line.strip_prefix("export PODTAP_PODIO_"));
    let mut variables: Vec<(String, String)> = exports
        .flat_map(|line| line.split_whitespace())
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.replace("PODTAP_PODIO_", ""), value.to_owned()))
        .collect();
    let printed = variables
        .iter_mut()
        .find(|(name, _)| name == "URL")
        .unwrap();
    assert_eq!(printed.1, "http://127.0.0.1:8090");
    printed.1.clone_from(&url);
    let service = crate::support::Service::start().await;
    let line = |start: &str| {
        let line = readme.lines().find(|line| line.starts_with(start)).unwrap();
        let words = line.split_whitespace().skip(1);
        words
            .map(|word| word.trim_matches('\'').to_owned())
            .collect::<Vec<_>>()
    };
    let with_variables = |args: &[String]| {
        let mut command = podtap(stage.home());
        command.args(args);
        for (name, value) in &variables {
            command.env(format!("PODTAP_PODIO_{name}"), value);
        }
        command
    };

    let mut listen = line("podtap listen 3000 --app");
    listen[1] = service.address().to_string();
    listen.extend(["--json", "--listen", "127.0.0.1:0"].map(str::to_owned));
    let agent = Process::spawn(with_variables(&listen));
    let verified = || (agent.objects("verify").len() == 3).then_some(());
    let state = || format!("{:?} {}", agent.stdout(), agent.stderr());
    eventually("the hooks are validated", verified, state).await;
    let told = with_variables(&line("podtap sandbox do item.update"))
        .output()
        .unwrap();

    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert_eq!(told.trim(), "item.update  3276908608  1 webhook");
    agent
        .object("event", |event| event["event"] == "item.update")
        .await;
    let sent = sandbox
        .object("webhook", |sent| sent["event"] == "item.update")
        .await;
    assert_eq!(
        (&sent["status"], &sent["attempt"]),
        (&200.into(), &1.into())
    );
    assert_eq!(sent["params"]["item_id"], "3276908608");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_is_kept_from_one_run_to_the_next() {
    let stage = Stage::new();
    let file = stage.home().join("world.json");
    let name = file.to_str().unwrap();
    let (mut sandbox, url) = start(&stage, &["--state", name]).await;
    let update = ["sandbox", "do", "item.update", "3276908608", "title=Kept"];
    stage.succeed(&[&update[..], &["--podio-url", &url]].concat());
    sandbox.terminate();
    sandbox.wait_for_end().await;
    assert!(std::fs::read_to_string(&file).unwrap().contains("Kept"));

    let (mut again, url) = start(&stage, &["--state", name]).await;
    let tag = ["sandbox", "do", "tag.add", "3276908608", "tag=again"];
    stage.succeed(&[&tag[..], &["--podio-url", &url]].concat());
    again.terminate();
    again.wait_for_end().await;
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("Kept") && text.contains("again"));

    std::fs::write(&file, "not a world").unwrap();
    let (code, _, stderr) = stage.run(&[LISTEN, &["--state", name]].concat());
    assert!(
        code != 0 && stderr.contains("the sandbox's state cannot be used"),
        "{stderr}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "not a world");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_knobs_are_flags() {
    let stage = Stage::new();
    let knobs = "--duplicates 0.5 --reordering 0.1 --delay 1s --rate-limit 7 --rate-limit-filter 2 \
                 --token-lifetime 1m --rule consecutive --resend off --answer-limit 2s \
                 --random-seed 7 --allow-host podio --outage";
    let knobs: Vec<_> = knobs.split_whitespace().collect();
    start(&stage, &knobs).await;
    for wrong in [
        ["--duplicates", "2"],
        ["--resend", "soon"],
        ["--fault", "200"],
        ["--life", "0"],
        ["--token-lifetime", "0s"],
    ] {
        let (code, _, stderr) = stage.run(&["sandbox", wrong[0], wrong[1]]);
        assert_eq!(code, 2, "{wrong:?}: {stderr}");
    }

    let (_down, url) = start(&stage, &["--fault", "503"]).await;
    let (_, _, stderr) = stage.run(&["sandbox", "do", "item.update", "--podio-url", &url]);
    assert!(stderr.contains("told to fail"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_life_it_says_how_to_make_something_happen() {
    let stage = Stage::new();
    let quiet = stage.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let has =
        |process: &Process, text: &str| process.stdout().iter().any(|line| line.contains(text));
    let said = || has(&quiet, "podtap sandbox do item.update").then_some(());
    eventually("the hint", said, || format!("{:?}", quiet.stdout())).await;

    let alive = stage.start(&["sandbox", "--listen", "127.0.0.1:0", "--life"]);
    let ready = || has(&alive, "APP_TOKEN").then_some(());
    eventually("the credentials", ready, || format!("{:?}", alive.stdout())).await;
    assert!(!has(&alive, "Nothing changes"));
}
