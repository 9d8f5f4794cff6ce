//! `podtap trigger`: made-up events reach the local service, directly and through the relay.

use std::time::Duration;

use http::Response;
use http_body_util::Full;
use podtap_podio::{Confidence, EventType, decode, sample};
use serde_json::Value;

use crate::support::{Received, Service, Stage, form_post};

/// Returns the parameters of a request as the local service decodes them, sorted.
fn params(received: &Received) -> Vec<(String, String)> {
    let content_type = std::str::from_utf8(received.header("content-type")[0]).unwrap();
    let mut params = decode(Some(content_type), &received.body).unwrap().params;
    params.sort();
    params
}

fn value<'a>(params: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    let named = params.iter().filter(|(known, _)| known == name);
    named.map(|(_, value)| value.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_the_catalogue_reaches_the_service_with_its_parameters() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let port = service.address().to_string();

    for &event in EventType::ALL {
        let stdout = stage.succeed(&["trigger", event.as_str(), "--to", &port, "--json"]);
        let object: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!((&object["v"], &object["status"]), (&1.into(), &200.into()));
        assert_eq!(object["type"], "triggered");
        assert_eq!(object["event"], event.as_str());
        assert_eq!(object["url"], format!("http://{port}/podio/hook"));
        assert!(object["duration_ms"].as_f64().unwrap() > 0.0);
    }

    let received = service.requests();
    assert_eq!(received.len(), EventType::ALL.len());
    for (received, &event) in received.iter().zip(EventType::ALL) {
        let mut expected = sample(event);
        expected.sort();
        assert_eq!(params(received), expected);
        assert_eq!(
            (&*received.method, &*received.path),
            ("POST", "/podio/hook")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_and_the_path_can_be_chosen() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let port = service.address().to_string();

    let stdout = stage.succeed(&[
        "trigger",
        "item.update",
        "item_id=4711",
        "env=test & more",
        "tag=a",
        "tag=b",
        "--to",
        &port,
        "--path",
        "/crm?x=1",
    ]);

    assert!(
        stdout.contains("item 4711") && stdout.contains("200"),
        "{stdout}"
    );
    let received = service.requests();
    let params = params(&received[0]);
    assert_eq!(value(&params, "item_id"), ["4711"]);
    assert_eq!(value(&params, "env"), ["test & more"]);
    assert_eq!(value(&params, "tag"), ["a", "b"]);
    assert_eq!(value(&params, "hook_id").len(), 1, "the default stays");
    assert_eq!(received[0].path, "/crm?x=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_type_is_sent_all_the_same_with_a_note() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let port = service.address().to_string();

    let (code, _, stderr) = stage.run(&["trigger", "item.updated", "--to", &port]);

    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("item.update?"), "{stderr}");
    assert_eq!(&service.requests()[0].body[..], b"type=item.updated");
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_keep_to_the_rate() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let port = service.address().to_string();
    let started = tokio::time::Instant::now();

    let args = ["trigger", "task.create", "--to", &port, "--json"];
    let stdout = stage.succeed(&[&args[..], &["--repeat", "6", "--rate", "20"]].concat());

    let least = Duration::from_secs(5) / 20;
    assert!(started.elapsed() >= least, "{:?}", started.elapsed());
    assert_eq!((stdout.lines().count(), service.count()), (6, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_goes_byte_for_byte_from_a_file_and_from_stdin() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let port = service.address().to_string();
    let file = stage.home().join("body");
    std::fs::write(&file, b"type=%69tem.create&x=\xff\n").unwrap();

    let path = file.display().to_string();
    stage.succeed(&["trigger", "--body-file", &path, "--to", &port]);
    let args = ["trigger", "--body-file", "-", "--to", &port];
    let mut command = crate::support::command(&stage, &args);
    command.stdin(std::fs::File::open(&file).unwrap());
    assert!(command.output().unwrap().status.success());

    for received in service.wait_for(2).await {
        assert_eq!(&received.body[..], b"type=%69tem.create&x=\xff\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captured_event_is_a_template_and_goes_through_the_relay_again() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (relay, token) = (stage.relay().await, stage.token("ann"));
    let (agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &["--no-verify"])
        .await;
    let body = b"item_id=%34711&type=item.update&item_revision_id=3&own=a%20b";
    form_post(&format!("{url}crm/in"), body).await;
    let captured = agent.object("event", |_| true).await;
    let id = captured["id"].as_str().unwrap();
    let from = ["trigger", "--from", id, "--name", "crm"];

    let port = service.address().to_string();
    stage.wait_until_settled(&[], 1);
    stage.succeed(&[&from[..], &["--to", &port]].concat());
    let change = ["item_revision_id=4", "--through-relay", &url];
    stage.succeed(&[&from[..], &change].concat());

    let received = service.wait_for(3).await;
    assert_eq!(&received[1].body[..], body, "byte for byte");
    for received in &received {
        assert_eq!(received.path, "/crm/in");
        assert_eq!(value(&params(received), "own"), ["a b"]);
    }
    let changed = params(&received[2]);
    assert_eq!(value(&changed, "item_revision_id"), ["4"]);
    agent
        .object("event", |event| event["params"]["item_revision_id"] == "4")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_down_or_answers_with_an_error_is_exit_code_5() {
    let stage = Stage::new();
    let broken = Service::answering(|_| {
        let mut response = Response::new(Full::from("no"));
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
    .await;
    let port = broken.address().to_string();
    let args = ["trigger", "item.create", "--to", &port, "--json"];

    let (code, stdout, stderr) = stage.run(&[&args[..], &["--repeat", "2"]].concat());
    assert_eq!((code, stdout.lines().count()), (5, 2), "{stderr}");
    assert!(stderr.contains("2 of 2"), "{stderr}");

    drop(broken);
    let (code, stdout, stderr) = stage.run(&args);
    assert_eq!(code, 5, "{stderr}");
    let object: Value = serde_json::from_str(&stdout).unwrap();
    assert!(object["error"].is_string(), "{object}");
    assert!(stderr.contains("did not answer"), "{stderr}");
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let stage = Stage::new();
    for args in [
        &["trigger"][..],
        &["trigger", "item.create"],
        &["trigger", "item.create", "item_id", "--to", "9"],
        &["trigger", "item.create", "=1", "--to", "9"],
        &["trigger", "item.create", "--to", "ftp://x.test"],
        &["trigger", "item.create", "--to", "9", "--path", "x"],
        &["trigger", "item.create", "--to", "9", "--rate", "0"],
        &["trigger", "--body-file", "/nowhere", "--to", "9"],
    ] {
        let (code, _, stderr) = stage.run(args);
        assert_eq!(code, 2, "{args:?}\n{stderr}");
    }
}

#[test]
fn the_list_names_every_type_with_its_parameters() {
    let list = Stage::new().succeed(&["trigger", "--list"]);
    assert_eq!(list.lines().count(), EventType::ALL.len());
    for event in EventType::ALL {
        let mut lines = list.lines();
        let line = lines.find(|line| line.split(' ').next() == Some(event.as_str()));
        let line = line.unwrap_or_else(|| panic!("{event} is missing"));
        for parameter in event.spec().parameters {
            assert!(line.contains(parameter.name), "{line}");
            let marked = line.contains(&format!("{}?", parameter.name));
            let guessed = parameter.confidence == Confidence::Inferred;
            assert_eq!(marked, guessed, "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_routes_it_goes_where_an_event_of_podio_would_go() {
    let stage = Stage::new();
    let (rest, tasks, copy) = (
        Service::start().await,
        Service::start().await,
        Service::start().await,
    );
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let to_tasks = format!("+type:task.*={}", tasks.address());
    let to_copy = format!("type:task.create={}", copy.address());
    let routes = ["--route", &to_tasks, "--route", &to_copy];
    let (mut agent, _) = stage
        .agent(&relay.url(), &token, rest.address(), &routes)
        .await;
    stage.succeed(&["trigger", "-n", "crm", "task.create", "task_id=7"]);
    assert_eq!((rest.count(), tasks.count(), copy.count()), (0, 1, 1));
    stage.succeed(&["trigger", "-n", "crm", "item.create", "item_id=7"]);
    assert_eq!((rest.count(), tasks.count(), copy.count()), (1, 1, 1));
    agent.terminate();
    agent.wait_for_end().await;

    // Without an agent, by the settings; an event that no route matches is held.
    let mut command = crate::support::command(&stage, &["trigger", "-n", "crm", "item.update"]);
    command.env("PODTAP_ROUTE", &to_tasks);
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("no route matches this event"), "{stderr}");
    assert_eq!(stage.events(&["status:held"]).len(), 1);
    assert_eq!((rest.count(), tasks.count(), copy.count()), (1, 1, 1));

    // A named service gets the event, independent of the routes.
    let to = rest.address().to_string();
    stage.succeed(&["trigger", "-n", "crm", "task.create", "--to", &to]);
    assert_eq!((rest.count(), tasks.count(), copy.count()), (2, 1, 1));
}

#[cfg(unix)]
#[test]
fn a_command_gets_it_too() {
    let stage = Stage::new();
    let command = format!("exec:cat > {}/body; exit 3", stage.home().display());
    let args = [
        "trigger",
        "-n",
        "crm",
        "item.create",
        "item_id=7",
        "--to",
        &command,
    ];
    let (code, _, stderr) = stage.run(&args);
    assert_eq!(code, 5, "{stderr}");
    let body = std::fs::read_to_string(stage.home().join("body")).unwrap();
    assert!(body.contains("item_id=7"), "{body}");
}
