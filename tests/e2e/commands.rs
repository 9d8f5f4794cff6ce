//! Commands that describe this installation: `url`, `config`, `man` and completions. Also the
//! messages about an incomplete listing, a filter that matches nothing, and a tunnel in use.

use std::path::Path;

use serde_json::Value;

use crate::support::{Process, Service, Stage, command, form_post};

/// Starts an agent for the tunnel `crm` with its own
/// relay; returns it with its URL and its local service.
async fn listen(stage: &Stage) -> (Process, String, Service) {
    let service = Service::start().await;
    let target = service.address().to_string();
    let args = ["--listen", "127.0.0.1:0", "--json", "--name", "crm"];
    let agent = stage.start(&[&["listen", target.as_str()], &args[..]].concat());
    let ready = agent.object("ready", |_| true).await;
    (agent, ready["url"].as_str().unwrap().to_owned(), service)
}

async fn end(mut agent: Process) {
    agent.terminate();
    agent.wait_for_end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_that_runs_tells_its_url_and_takes_no_second_listen() {
    let stage = Stage::new();
    let (code, _, stderr) = stage.run(&["url", "crm"]);
    assert!(code == 6 && stderr.contains("podtap listen"), "{stderr}");
    let (agent, url, _service) = listen(&stage).await;

    assert_eq!(stage.succeed(&["url", "crm"]).trim(), url);
    assert_eq!(stage.succeed(&["url", "-n", "crm"]).trim(), url);
    let (code, _, stderr) = stage.run(&["listen", "3000", "--name", "crm"]);
    assert_eq!(code, 1, "{stderr}");
    let pid = agent.pid().to_string();
    assert!(
        stderr.contains(&pid) && stderr.contains("podtap ui"),
        "{stderr}"
    );

    end(agent).await;
    let (code, stdout, stderr) = stage.run(&["url", "crm"]);
    assert_eq!((code, stdout.trim()), (0, url.as_str()));
    assert!(stderr.contains("no agent is running"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_goes_where_the_tunnel_goes_and_is_in_its_history() {
    let stage = Stage::new();
    let (agent, url, service) = listen(&stage).await;

    let printed = stage.succeed(&[
        "trigger",
        "item.update",
        "item_id=4711",
        "-n",
        "crm",
        "--json",
    ]);
    let sent: Value = serde_json::from_str(&printed).unwrap();
    service.wait_for(1).await;
    let events = stage.wait_until_settled(&["item:4711"], 1);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["id"], sent["id"]);
    assert_eq!(events[0]["attempts"][0]["status"], 200);
    agent
        .object("event", |event| event["id"] == sent["id"])
        .await;

    // The URL for Podio already has the path.
    let through = format!("{url}podio/hook");
    stage.succeed(&[
        "trigger",
        "item.create",
        "-n",
        "crm",
        "--through-relay",
        &through,
    ]);
    assert_eq!(service.wait_for(2).await[1].path, "/podio/hook");
    end(agent).await;

    let to = service.address().to_string();
    stage.succeed(&["trigger", "item.delete", "-n", "crm", "--to", &to]);
    assert_eq!(stage.events(&["type:item.delete"]).len(), 1);
    let (code, _, stderr) = stage.run(&["trigger", "item.updat", "-n", "crm", "--to", &to]);
    assert!(code == 0 && stderr.starts_with("warning: "), "{stderr}");
    assert!(stderr.contains("did you mean item.update?"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_says_what_it_leaves_out_and_a_filter_what_it_does_not_find() {
    let stage = Stage::new();
    let (agent, url, service) = listen(&stage).await;
    for item in 0..53 {
        form_post(&url, format!("type=item.create&item_id={item}").as_bytes()).await;
    }
    service.wait_for(53).await;
    end(agent).await;
    let run = |args: &[&str]| stage.run(&[&["events", "-n", "crm"], args].concat());

    let (code, stdout, stderr) = run(&[]);
    assert_eq!((code, stdout.lines().count()), (0, 50), "{stderr}");
    assert_eq!(stderr.trim(), "50 of 53 events (-l N shows more)");
    let (_, stdout, stderr) = run(&["--json"]);
    assert_eq!((stdout.lines().count(), stderr.as_str()), (53, ""));
    let (_, stdout, stderr) = run(&["--har"]);
    let har: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(har["log"]["entries"].as_array().unwrap().len(), 53);
    assert_eq!(stderr, "");

    for form in [&[][..], &["--json"], &["--har"]] {
        let (code, _, stderr) = run(&[&["item:424242"], form].concat());
        assert!(
            code == 6 && stderr.contains("item:424242"),
            "{form:?}: {stderr}"
        );
    }
    let (code, _, stderr) = run(&["itme:3"]);
    assert!(
        code == 6 && stderr.contains("did you mean `item:`?"),
        "{stderr}"
    );
    let (code, _, stderr) = run(&["-itme:3", "-l1"]);
    assert!(
        code == 0 && stderr.contains("did you mean `item:`?"),
        "{stderr}"
    );
    let (code, _, stderr) = run(&["item:1", "status:soon"]);
    assert_eq!(code, 2);
    let lines: Vec<&str> = stderr.lines().collect();
    let at = lines[1].find("status:soon").unwrap() + "status:".len();
    assert_eq!(lines[2].find('^'), Some(at), "{stderr}");
}

#[test]
fn a_name_that_nothing_is_known_by_is_said_by_each_command_that_finds_nothing() {
    let stage = Stage::new();
    let event = r#"{"v":1,"type":"event","path":"/","body":"type=item.update&item_id=7"}"#;
    std::fs::write(stage.home().join("one.ndjson"), event).unwrap();
    stage.succeed(&["import", "one.ndjson", "-n", "crm"]);
    let commands = [
        &["events"][..],
        &["events", "--json"],
        &["wait", "--timeout", "100ms"],
        &["events", "delete", "--yes"],
        &["replay", "--to", "9", "--filter"],
    ];
    for command in commands {
        let run = |filter| {
            let given = [command, &[filter, "-n", "crm"]].concat();
            let (code, _, stderr) = stage.run(&given);
            assert_eq!(code, 6, "{given:?}: {stderr}");
            stderr.contains("is not a field")
        };
        assert!(run("colour:red"), "{command:?}");
        assert!(!run("item_id:8"), "{command:?}");
    }
}

#[test]
fn colour_is_where_it_is_asked_for() {
    let stage = Stage::new();
    let run = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = command(&stage, args);
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let all = [output.stdout, output.stderr].concat();
        String::from_utf8(all).unwrap().contains("\x1b[")
    };
    for args in [&["--help"][..], &["events", "-n", "crm"]] {
        let with = |more: &[&'static str]| [args, more].concat();
        assert!(!run(args, &[]), "{args:?}: not a terminal");
        assert!(run(&with(&["--color", "always"]), &[]), "{args:?}");
        assert!(run(args, &[("CLICOLOR_FORCE", "1")]), "{args:?}");
        assert!(!run(args, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        let never = with(&["--color=never"]);
        assert!(!run(&never, &[("CLICOLOR_FORCE", "1")]), "{args:?}");
    }
}

#[test]
fn the_settings_of_a_tunnel_are_shown_by_its_name() {
    let stage = Stage::new();
    let file = stage.home().join("c.toml");
    let text = "forward-to = '3000'\nwindow = 7\n[[tunnel]]\nname = 'crm'\nforward-to = '3001'";
    std::fs::write(&file, text).unwrap();
    let path = file.display().to_string();
    let show = |args: &[&str]| {
        let show = ["--config", &path, "config", "show"];
        let output = command(&stage, &[&show, args].concat()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    };
    let line = |shown: &str, key: &str| {
        let mut lines = shown.lines();
        let line = lines.find(|line| line.split_whitespace().next() == Some(key));
        line.unwrap().to_owned()
    };
    let (all, said) = show(&[]);
    assert!(line(&all, "forward-to").contains(" 3000 "), "{all}");
    assert!(said.contains("podtap config show --name crm"), "{said}");
    let (crm, said) = show(&["--name", "crm"]);
    let target = line(&crm, "forward-to");
    assert!(
        target.contains(" 3001 ") && target.ends_with("c.toml, tunnel crm"),
        "{target}"
    );
    assert!(line(&crm, "name").ends_with("--name"), "{crm}");
    assert!(line(&crm, "window").ends_with("c.toml"), "{crm}");
    assert_eq!(said, "");
    let (crm, _) = show(&["--json", "-n", "crm"]);
    assert!(crm.contains("c.toml, tunnel crm"), "{crm}");
}

#[test]
fn settings_are_shown_with_their_origin_and_checked() {
    let stage = Stage::new();
    let file = stage.home().join("c.toml");
    std::fs::write(
        &file,
        "relay = 'hooks.test'\ntoken = 'pt_secret'\nwindow = 7",
    )
    .unwrap();
    let path = file.display().to_string();
    let run = |args: &[&str]| {
        let mut command = command(&stage, &[args, &["--config", &path]].concat());
        let output = command.env("PODTAP_TIMEOUT", "5s").output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };

    let (code, shown, _) = run(&["config", "show", "--color", "never"]);
    assert_eq!(code, Some(0));
    let line = |key: &str| {
        let mut lines = shown.lines();
        lines
            .find(|line| line.split_whitespace().next() == Some(key))
            .unwrap()
    };
    assert!(line("relay").contains("hooks.test") && line("relay").ends_with("c.toml"));
    assert!(line("timeout").contains("5s") && line("timeout").ends_with("PODTAP_TIMEOUT"));
    assert!(line("color").ends_with("--color"));
    assert!(line("max-age").contains("7d") && line("max-age").ends_with("default"));
    assert!(line("token").ends_with("c.toml") && !shown.contains("pt_secret"));
    let (_, json, _) = run(&["config", "show", "--json"]);
    assert_eq!(json.lines().count(), shown.lines().count());
    let window = json
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let window = window
        .into_iter()
        .find(|line| line["key"] == "window")
        .unwrap();
    assert_eq!(
        (&window["type"], &window["value"]),
        (&"setting".into(), &"7".into())
    );
    assert_eq!(run(&["config", "check"]).0, Some(0));

    std::fs::write(&file, "relay = 5\nwindow = 'soon'\n[keys]\nreplai = 'x'").unwrap();
    let (code, _, stderr) = run(&["config", "check"]);
    assert_eq!(code, Some(2));
    for told in [
        "relay cannot be `5`",
        "window cannot be `soon`",
        "keys.replai",
    ] {
        assert!(stderr.contains(told), "{told}: {stderr}");
    }
}

#[test]
fn the_manual_has_a_page_for_every_command_and_one_with_the_rest() {
    let stage = Stage::new();
    let page = stage.succeed(&["man"]);
    for told in [
        "FILTER",
        "ENVIRONMENT",
        "PODTAP\\_FORWARD\\_TO",
        "FILES",
        "EXIT STATUS",
    ] {
        let told = told.replace("\\_", "_");
        assert!(page.contains(&told), "{told} is missing in\n{page}");
    }
    let page = stage.succeed(&["man", "relay"]);
    assert!(
        page.contains("podtap\\-relay") && page.contains("max\\-queue\\-events"),
        "{page}"
    );
    assert!(
        stage
            .succeed(&["man", "relay", "token", "create"])
            .contains("podtap\\-relay\\-token")
    );
    assert!(stage.succeed(&["man", "events"]).contains("FILTER"));
    let (code, _, stderr) = stage.run(&["man", "relai"]);
    assert!(code == 2 && stderr.contains("relay"), "{stderr}");

    let folder = stage.home().join("pages");
    stage.succeed(&["man", "--out", &folder.display().to_string()]);
    let exists = |name: &str| Path::new(&folder).join(name).exists();
    assert!(exists("podtap.1") && exists("podtap-listen.1"));
    assert!(exists("podtap-relay-token-create.1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_offer_what_there_is() {
    let stage = Stage::new();
    let (agent, url, service) = listen(&stage).await;
    form_post(&url, b"type=item.create&item_id=1").await;
    service.wait_for(1).await;
    let id = stage.wait_until_settled(&[], 1)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    end(agent).await;
    let offered = |words: &[&str]| {
        let mut command = command(&stage, &[]);
        command
            .env("PODTAP_COMPLETE", "bash")
            .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
            .env("_CLAP_COMPLETE_COMP_TYPE", "9")
            .env("_CLAP_COMPLETE_SPACE", "true")
            .env("_CLAP_IFS", "\n")
            .args(["--", "podtap"])
            .args(words);
        let output = command.output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };

    assert!(offered(&["trigger", "item.u"]).contains("item.update"));
    assert!(offered(&["events", "--name", ""]).contains("crm"));
    assert!(offered(&["url", ""]).contains("crm"));
    assert!(offered(&["show", "--name", "crm", ""]).contains(&id));
    assert!(offered(&["listen", "--respond", ""]).contains("local"));
    assert!(offered(&["events", "--color", ""]).contains("always"));
    assert!(offered(&["events", "sta"]).contains("status:"));
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = stage.succeed(&["completions", shell]);
        assert!(script.contains("PODTAP_COMPLETE"), "{script}");
    }
}
