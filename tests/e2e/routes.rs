//! Routes of the built binary: which events go to
//! which local services, and what is printed about it.

use std::fs;

use serde_json::json;

use crate::support::{Service, Stage, eventually, form_post};

const ITEM: &[u8] = b"type=item.update&item_id=1&item_revision_id=0";
const TASK: &[u8] = b"type=task.create&task_id=2";

#[tokio::test(flavor = "multi_thread")]
async fn events_go_where_their_routes_lead_and_each_attempt_names_its_target() {
    let stage = Stage::new();
    let (rest, tasks, copy) = (
        Service::start().await,
        Service::start().await,
        Service::start().await,
    );
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let to_tasks = format!("type:task.*={}", tasks.address());
    let to_copy = format!("+type:item.*={}/copy", copy.address());
    let options = ["--route", &to_tasks, "--route", &to_copy];
    let (mut agent, url) = stage
        .agent(&relay.url(), &token, rest.address(), &options)
        .await;
    let ready = agent.object("ready", |_| true).await;
    assert_eq!(ready["routes"], json!([to_tasks, to_copy]));
    assert_eq!(ready["forwards_to"], format!("http://{}", rest.address()));

    for body in [ITEM, TASK] {
        assert_eq!(form_post(&url, body).await.status, 200);
    }

    assert_eq!(&rest.wait_for(1).await[0].body[..], ITEM);
    assert_eq!(&tasks.wait_for(1).await[0].body[..], TASK);
    let copied = copy.wait_for(1).await;
    assert_eq!(
        (&copied[0].body[..], copied[0].path.as_str()),
        (ITEM, "/copy/")
    );
    let events = stage.wait_until_settled(&["type:item.*"], 1);
    let attempts = events[0]["attempts"].as_array().unwrap();
    let mut targets: Vec<&str> = attempts
        .iter()
        .map(|attempt| attempt["target"].as_str().unwrap())
        .collect();
    targets.sort_unstable();
    let mut expected = [
        format!("http://{}", rest.address()),
        format!("http://{}/copy", copy.address()),
    ];
    expected.sort_unstable();
    assert_eq!(targets, expected);

    // While an agent runs, a replay goes where the agent delivers.
    let args = [
        "replay",
        "--name",
        "crm",
        "--filter",
        "type:item.*",
        "--json",
    ];
    assert_eq!(stage.succeed(&args).lines().count(), 2);
    assert_eq!((rest.count(), tasks.count(), copy.count()), (2, 1, 2));
    agent.terminate();
    agent.wait_for_end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_away_is_named_and_holds_up_no_other() {
    let stage = Stage::new();
    let there = Service::start().await;
    let away = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let route = format!("type:task.*={away}");
    let (agent, url) = stage
        .agent(&relay.url(), &token, there.address(), &["--route", &route])
        .await;
    for body in [TASK, ITEM] {
        assert_eq!(form_post(&url, body).await.status, 200);
    }
    there.wait_for(1).await;
    let down = agent.object("service", |of| of["state"] == "down").await;
    assert_eq!(down["target"], format!("http://{away}"));

    let back = Service::back_at(away).await;
    assert_eq!(&back.wait_for(1).await[0].body[..], TASK);
    let up = agent.object("service", |of| of["state"] == "up").await;
    assert_eq!(up["target"], format!("http://{away}"));
}

#[test]
fn routes_come_from_flags_variables_and_the_file_and_a_wrong_one_is_told() {
    let stage = Stage::new();
    let file = stage.home().join("config.toml");
    fs::write(&file, "route = ['type:item.*=3001', '+=3002']").unwrap();
    let file = file.to_str().unwrap();
    let shown = stage.succeed(&["--config", file, "config", "show", "--json"]);
    let line = shown.lines().find(|line| line.contains(r#""key":"route""#));
    assert!(
        line.unwrap().contains("type:item.*=3001, +=3002"),
        "{shown}"
    );
    for (text, said) in [
        ("typ:item.*=3001", "did you mean `type:`?"),
        ("status:5xx=3001", "not yet known when an event arrives"),
        ("item.create=3001", "has no field"),
        ("3001", "FILTER=TARGET"),
        ("type:item.*=", "is not a local service"),
    ] {
        let (code, _, stderr) = stage.run(&["listen", "--route", "=3000", "--route", text]);
        assert_eq!(code, 2, "{text}: {stderr}");
        assert!(stderr.contains(said), "{text}: {stderr}");
        assert!(stderr.contains("--route"), "{text}: {stderr}");
        let mut command = crate::support::command(&stage, &["config", "check"]);
        command.env("PODTAP_ROUTE", format!("=3000\n{text}"));
        let output = command.output().unwrap();
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed);
        assert!(
            printed.contains(said) && printed.contains("PODTAP_ROUTE"),
            "{printed}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_certificate_is_taken_on_this_machine_alone_and_elsewhere_that_is_said() {
    let stage = Stage::new();
    let options = [
        "--listen",
        "127.0.0.1:0",
        "--insecure-local",
        "--ui",
        "quiet",
    ];
    for (target, is_told) in [
        ("https://localhost:1", false),
        ("https://192.0.2.1:1", true),
        ("https://service.test", true),
    ] {
        let listen = stage.start(&[&["listen", target], &options[..]].concat());
        let said = || listen.stderr().contains("link is up").then_some(());
        eventually("the link", said, || listen.stderr()).await;
        let told = listen
            .stderr()
            .contains("is refused unless it is on this machine");
        assert_eq!(told, is_told, "{target}: {}", listen.stderr());
    }
}
