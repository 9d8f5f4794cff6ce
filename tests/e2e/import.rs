//! `podtap events --har`, `events --json` and `import`:
//! captured events are exported and imported again.

use std::io::Write as _;
use std::process::Stdio;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;

use crate::support::{GoneService, Service, Stage, command, form_post, node, send, split_url};

/// Creates a stage whose tunnel `crm` has captured events that are hard to export.
async fn hostile() -> Stage {
    let service = Service::answering(|request| {
        let mut answer = Response::new(Full::from(Bytes::from_static(b"\xff\x00ok")));
        let value = http::HeaderValue::from_bytes(b"\xff\xc3\xa9").unwrap();
        answer.headers_mut().insert("x-answer", value);
        if request.path.contains("moved") {
            *answer.status_mut() = http::StatusCode::FOUND;
            answer
                .headers_mut()
                .insert("location", "/elsewhere".parse().unwrap());
        }
        answer
    })
    .await;
    let stage = Stage::new();
    let (relay, token) = (stage.relay().await, stage.token("ann"));
    let (agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    let (authority, path) = split_url(&url);
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let update = b"type=item.update&item_id=1&item_revision_id=2&hook_id=3".as_slice();
    for (method, below, headers, body) in [
        ("POST", "podio/hook?a=b%20c&a=d", form, update),
        ("POST", "podio/hook", form, update),
        (
            "POST",
            "binary",
            "content-type: image/png\r\n",
            b"\x00\xff\xfe{\"a\":1}",
        ),
        (
            "POST",
            "control",
            "",
            "\0\u{1b}[2J\u{2028}\u{202e}\"".as_bytes(),
        ),
        ("PUT", "moved//..%2f/\"{a}\"/100%?q=%zz&{a}|[b]^`", "", b"x"),
        (
            "DELETE",
            "empty",
            "x-empty:\r\nx-twice: 1\r\nX-Twice: 2\r\n",
            b"",
        ),
    ] {
        let length = body.len();
        let mut request = format!(
            "{method} {path}{below} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\
             {headers}content-length: {length}\r\nx-raw: "
        )
        .into_bytes();
        request.extend_from_slice(b"a\xff\xc3\xa9\x80b\r\n\r\n");
        request.extend_from_slice(body);
        let answer = send(authority, &request).await;
        assert_eq!(answer.status, 200, "{below}: {answer:?}");
    }
    service.wait_for(6).await;
    for _ in 0..6 {
        agent.object("attempt", |_| true).await;
    }
    stage.wait_until_settled(&[], 6);
    add_the_rest(&stage);
    stage
}

/// Adds what the tunnel cannot have captured itself.
fn add_the_rest(stage: &Stage) {
    // A failed attempt of an event, and an event without attempts.
    let gone = GoneService::new();
    let address = gone.address().to_string();
    let id = stage.events(&[])[0]["id"].as_str().unwrap().to_owned();
    let (code, _, stderr) = stage.run(&["replay", &id, "--to", &address, "--name", "crm"]);
    assert_eq!(code, 5, "{stderr}");
    let lone = r#"{"v":1,"type":"event","id":"01KAR8Z4M6W4Q0C8J2T7VXN5PD","received_at":"2026-11-23T12:04:31.204Z","method":"GET","path":"/lone","headers":[],"body":""}"#;
    let lone_file = stage.home().join("lone.ndjson");
    std::fs::write(lone_file, lone).unwrap();
    stage.succeed(&["import", "lone.ndjson", "--name", "crm"]);
}

fn lines(stage: &Stage, name: &str) -> String {
    stage.succeed(&["events", "--json", "-l", "1000", "--name", name])
}

/// Returns the lines without the only field that an import leaves out.
fn without_seq(lines: &str) -> String {
    let mut text = String::new();
    for line in lines.lines() {
        let (before, after) = line.split_once("\"seq\":").unwrap();
        let (_, after) = after.split_once(',').unwrap();
        text.push_str(&format!("{before}{after}\n"));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_captured_comes_back_from_both_forms_of_archive() {
    let stage = hostile().await;
    let before = lines(&stage, "crm");
    assert_eq!(before.lines().count(), 7);
    assert!(
        before.contains(r#""duplicate":{"same_hook":true}"#),
        "{before}"
    );
    let har = stage.succeed(&["events", "--har", "-l", "1000", "--name", "crm"]);

    for (archive, name, form) in [(&before, "from-lines", "ndjson"), (&har, "from-har", "har")] {
        std::fs::write(stage.home().join("archive.txt"), archive).unwrap();
        let import = |json: &[&str]| {
            stage.succeed(&[&["import", "archive.txt", "--name", name], json].concat())
        };
        let told = import(&["--json"]);
        let expected = format!(
            r#"{{"v":1,"type":"import","file":"archive.txt","format":"{form}","new":7,"known":0,"skipped":0}}"#
        );
        assert_eq!(told.trim(), expected);
        assert_eq!(
            import(&[]).trim(),
            "archive.txt: 0 imported, 7 already there, 0 skipped"
        );
        let after = lines(&stage, name);
        assert_eq!(without_seq(&after), without_seq(&before));
    }
    let again = stage.succeed(&["events", "--har", "-l", "1000", "--name", "from-har"]);
    let parse = |har: &str| serde_json::from_str::<serde_json::Value>(har).unwrap();
    let (mut first, second) = (parse(&har), parse(&again));
    for entry in first["log"]["entries"].as_array_mut().unwrap() {
        entry["_podtap"]["seq"] = serde_json::Value::Null;
    }
    assert_eq!(first, second, "answers with their bodies, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_valid_har_whatever_was_captured() {
    if !node::is_installed("har-schema") {
        return;
    }
    let stage = hostile().await;
    let file = stage.home().join("export.har");
    let har = stage.succeed(&["events", "--har", "-l", "1000", "--name", "crm"]);
    std::fs::write(&file, har).unwrap();

    let mut judge = node::run("har.js", &[file.to_str().unwrap()], &[]);
    assert!(judge.wait_for_end().await.success(), "{}", judge.stderr());
    assert_eq!(judge.stdout(), [r#"{"entries":7}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_takes_what_it_can_and_says_what_is_wrong_with_the_rest() {
    let stage = Stage::new();
    let line = |id: &str, method: &str| {
        format!(
            r#"{{"v":1,"type":"event","id":"{id}","received_at":"2026-11-23T12:04:31.204Z","method":"{method}","path":"/","headers":[],"body":"type=hook.verify&hook_id=1&code=abc"}}"#
        )
    };
    let good = line("01KAR8Z4M6W4Q0C8J2T7VXN5PA", "POST");
    let bad = line("01KAR8Z4M6W4Q0C8J2T7VXN5PB", "\\u001b[2J");
    let history = stage.home().join("data/podtap/tunnels/new.db");
    for (name, content, code, told) in [
        ("empty", String::new(), 6, "no event"),
        (
            "other",
            r#"{"v":1,"type":"ready"}"#.to_owned(),
            6,
            "no event",
        ),
        ("html", "<html>".to_owned(), 1, "neither JSON lines"),
        ("bad", bad.clone(), 1, "line 1: invalid HTTP method"),
        (
            "cut.har",
            r#"{"log":{"entries":[{"request""#.to_owned(),
            1,
            "ends unexpectedly",
        ),
        (
            "odd.har",
            r#"{"log":{"entries":[null]}}"#.to_owned(),
            1,
            "entry 1: ",
        ),
    ] {
        std::fs::write(stage.home().join(name), content).unwrap();
        let (found, _, stderr) = stage.run(&["import", name, "--name", "new"]);
        assert_eq!(found, code, "{stderr}");
        assert!(stderr.contains(told) && stderr.contains(name), "{stderr}");
        assert!(
            !history.exists(),
            "{name}: nothing to keep makes no history"
        );
    }
    let (code, _, stderr) = stage.run(&["import", "missing", "--name", "new"]);
    assert!(code == 1 && stderr.contains("missing"), "{stderr}");

    let mut import = command(&stage, &["import", "-", "--name", "new"]);
    let import = import
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut import = import.spawn().unwrap();
    let other = good.replace("5PA", "5PC");
    let cut = good.trim_end_matches('}');
    let archive = format!("{good}\n{{\"v\":1,\"type\":\"ready\"}}\n\n{bad}\n{other}\n{cut}");
    import
        .stdin
        .take()
        .unwrap()
        .write_all(archive.as_bytes())
        .unwrap();
    let ended = import.wait_with_output().unwrap();

    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{stderr}");
    assert_eq!(
        String::from_utf8(ended.stdout).unwrap().trim(),
        "-: 2 imported, 0 already there, 3 skipped"
    );
    assert!(
        stderr.contains("skipped line 4: invalid HTTP method")
            && stderr.contains("skipped line 6: "),
        "{stderr}"
    );
    assert!(!stderr.contains('\u{1b}') && !stderr.contains('\r'));
    let events = stage.succeed(&["events", "--json", "--name", "new"]);
    assert_eq!(events.lines().count(), 2);
    let (code, _, _) = stage.run(&["events", "--json", "--har", "--name", "new"]);
    assert_eq!(code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_interrupted_says_what_it_has_taken() {
    let stage = Stage::new();
    let mut import = command(&stage, &["import", "-", "--name", "new"]);
    let import = import
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut import = import.spawn().unwrap();
    let mut pipe = import.stdin.take().unwrap();
    // More than one batch, so that the first is in the history while the pipe stays open.
    for number in 0..600 {
        let line = format!(r#"{{"v":1,"type":"event","path":"/{number}"}}"#);
        writeln!(pipe, "{line}").unwrap();
    }
    let history = stage.home().join("data/podtap/tunnels/new.db");
    let taken = || {
        let (code, events, _) = stage.run(&["events", "--json", "--name", "new"]);
        (history.exists() && code == 0 && !events.is_empty()).then_some(())
    };
    crate::support::eventually("the first batch", taken, String::new).await;
    let id = rustix::process::Pid::from_child(&import);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let ended = import.wait_with_output().unwrap();
    drop(pipe);

    assert_eq!(ended.status.code(), Some(130));
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(stdout.trim(), "-: 512 imported, 0 already there, 0 skipped");
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert!(stderr.contains("imported events are kept"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_names_the_service_that_answered_and_never_the_tunnels_key() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (relay, token) = (stage.relay().await, stage.token("ann"));
    let (agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    form_post(
        &format!("{url}podio/hook?a=b"),
        b"type=item.update&item_id=1",
    )
    .await;
    agent.object("attempt", |_| true).await;

    let har = stage.succeed(&["events", "--har", "--name", "crm"]);
    let log = &serde_json::from_str::<serde_json::Value>(&har).unwrap()["log"];

    let expected = format!("http://{}/podio/hook?a=b", service.address());
    assert_eq!(log["entries"][0]["request"]["url"], expected);
    let key = url.trim_end_matches('/').rsplit('/').next().unwrap();
    assert!(!har.contains(key), "{har}");
    // Firefox's network panel requires the pages and all timings.
    assert_eq!(log["pages"], serde_json::json!([]));
    let timings = log["entries"][0]["timings"].as_object().unwrap();
    assert!(timings.values().all(serde_json::Value::is_number), "{har}");
}

#[test]
fn what_an_imported_attempt_names_is_never_called() {
    let stage = Stage::new();
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let url = format!("http://{}/admin/x", elsewhere.local_addr().unwrap());
    let started = "2026-11-26T00:00:00.000Z";
    let har = serde_json::json!({ "log": { "version": "1.2", "entries": [{
        "startedDateTime": started,
        "request": { "method": "POST", "url": url, "headers": [], "postData": { "text": "a=1" } },
        "response": { "status": 200, "headers": [], "content": {} },
        "_podtap": {
            "path": "/x",
            "attempts": [{
                "id": "01JD3M5X8RGQ7T9V2W4Y6Z0ABC", "attempt": 1, "replay": false, "url": url,
                "started_at": started, "duration_ms": 1.0, "status": 200
            }]
        }
    }] } });
    let file = stage.home().join("hostile.har");
    std::fs::write(&file, har.to_string()).unwrap();
    stage.succeed(&["import", file.to_str().unwrap(), "--name", "crm"]);
    let id = stage.events(&[])[0]["id"].as_str().unwrap().to_owned();

    let (code, _, stderr) = stage.run(&["replay", &id, "--name", "crm"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("--to"), "{stderr}");
    let shown = stage.succeed(&["show", &id, "--curl", "--name", "crm"]);
    assert!(shown.contains("http://localhost:3000/x"), "{shown}");
    assert!(
        elsewhere.accept().is_err(),
        "the archive's service was called"
    );
}

#[test]
fn words_of_a_large_import_are_found_at_once_though_nothing_runs_beside_the_history() {
    const EVENTS: usize = 10_000;
    let stage = Stage::new();
    let lines: String = (0..EVENTS)
        .map(|number| {
            format!(
                r#"{{"v":1,"type":"event","id":"01M8B0VJ02{number:016}","received_at":"2026-11-23T12:04:31.204Z","method":"POST","path":"/","headers":[],"body":"needle {number}"}}"#
            ) + "\n"
        })
        .collect();
    let archive = stage.home().join("large.ndjson");
    std::fs::write(&archive, lines).unwrap();
    stage.succeed(&["import", &archive.display().to_string(), "--name", "large"]);
    let found = stage.succeed(&[
        "events", "needle", "--json", "-l", "20000", "--name", "large",
    ]);
    assert_eq!(found.lines().count(), EVENTS);
}
