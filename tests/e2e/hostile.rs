//! Invariant 7 for every command: text from a relay, Podio's API, a file, an event or
//! the command line reaches neither stdout nor stderr in a form that a terminal obeys.

use std::collections::BTreeSet;
use std::process::Command;

use http::Response;
use http_body_util::Full;
use serde_json::json;

use crate::support::{Process, Service, Stage, command, form_post, post};

/// Sets the clipboard by OSC 52, clears the screen, sets a title with 8-bit controls, changes
/// the text direction, returns to the beginning of the line, and has invisible characters.
const HOSTILE: &str =
    "x\x1b]52;c;QUJD\x07\x1b[2J\u{9d}0;t\u{9c}\u{9b}31m\u{7f}\u{202e}\u{2066}\u{200b}\r\x08y";

/// A harmless part that shows that the hostile text was printed.
const MARK: &str = "52;c;QUJD";

/// Commands that print no text from outside; the terminal UI has its own tests.
const STATIC: [&str; 5] = ["completions", "demo", "help", "man", "ui"];

/// The commands that were run, and the raw text in their output.
struct Trial {
    stage: Stage,
    api: String,
    run: BTreeSet<String>,
    shown: usize,
}

impl Trial {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = command(&self.stage, args);
        command
            .env("PODTAP_PODIO_URL", &self.api)
            .env("PODTAP_PODIO_CLIENT_ID", "id")
            .env("PODTAP_PODIO_CLIENT_SECRET", "secret")
            .env("PODTAP_PODIO_APP_ID", "1")
            .env("PODTAP_PODIO_APP_TOKEN", "token")
            .env("RUST_LOG", "trace");
        command
    }

    /// Runs a command to its end.
    fn run(&mut self, args: &[&str]) {
        let mut command = self.command(args);
        let output = command.output().unwrap();
        self.judge(args, &output.stdout, &output.stderr);
    }

    fn judge(&mut self, args: &[&str], stdout: &[u8], stderr: &[u8]) {
        for (stream, bytes) in [("stdout", stdout), ("stderr", stderr)] {
            let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{args:?}: {stream}"));
            let raw = text.chars().find(|&c| is_raw(c));
            assert_eq!(raw, None, "podtap {args:?} on {stream}: {text:?}");
            self.shown += usize::from(text.contains(MARK));
        }
        let command = args.iter().find(|word| !word.starts_with('-'));
        self.run.insert((*command.unwrap()).to_owned());
    }
}

fn is_raw(c: char) -> bool {
    let directs =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && c != '\n') || directs
}

/// Starts a Podio API, or a relay, that answers every request with hostile text.
async fn liar() -> Service {
    Service::answering(|request| {
        let (status, body) = match request.path.as_str() {
            "/-/connect" => {
                let kind = request.header("authorization")[0].to_vec();
                let kind = String::from_utf8(kind).unwrap().replace("Bearer ", "");
                (400, json!({ "kind": kind, "message": HOSTILE }))
            }
            "/-/tunnels" => (401, json!({ "kind": "token", "message": HOSTILE })),
            path if path.starts_with("/oauth/token") => {
                let token = json!({
                    "access_token": "a", "refresh_token": "r", "expires_in": 3600,
                    "token_type": "bearer", "ref": { "type": "app", "id": 1 },
                });
                (200, token)
            }
            path if path.starts_with("/hook/app/1") && request.method == "GET" => {
                let by = json!({ "name": HOSTILE, "type": HOSTILE, "id": 1, "user_id": 1 });
                let hook = json!({
                    "hook_id": 7, "status": "active", "type": HOSTILE, "url": HOSTILE,
                    "created_on": HOSTILE, "created_by": by, "created_via": { "name": HOSTILE, "id": 1 },
                });
                (200, json!([hook]))
            }
            _ => (400, json!({ "error": HOSTILE, "error_description": HOSTILE })),
        };
        // As a relay: it is ready, but all other responses are errors.
        let is_ready = request.path == "/-/readyz";
        let status = if is_ready { 200 } else { status };
        let body = Full::from(body.to_string());
        let response = Response::builder().status(status);
        let response = response.header("podtap-relay", "x 52;c;QUJD");
        let response = response.header("content-type", "application/json");
        response.body(body).unwrap()
    })
    .await
}

/// Writes an archive with hostile text in every possible place.
fn archive(stage: &Stage) -> String {
    let event = json!({
        "v": 1, "type": "event", "id": "01KAR8Z4M6W4Q0C8J2T7VXN5PD", "seq": null,
        "received_at": "2026-11-23T12:04:31.204Z", "method": "POST", "path": "/hostile",
        "headers": [["content-type", "application/x-www-form-urlencoded"], ["x-hostile", "x\u{9b}y"]],
        "body": format!("type={HOSTILE}&item_id=4711&title={HOSTILE}"), "note": HOSTILE,
        "attempts": [{
            "v": 1, "type": "attempt", "id": "01KAR8Z4M6W4Q0C8J2T7VXN5PD", "attempt": 1,
            "replay": false, "url": "http://127.0.0.1:9/hostile",
            "started_at": "2026-11-23T12:04:31.231Z", "duration_ms": 1.0, "error": HOSTILE,
        }],
    });
    let file = stage.home().join("hostile.ndjson");
    std::fs::write(&file, format!("{event}\n{HOSTILE}\n")).unwrap();
    file.display().to_string()
}

async fn login(trial: &mut Trial) {
    let process = Process::spawn(trial.command(&["login"]));
    let page = || {
        process
            .stdout()
            .into_iter()
            .find(|line| line.contains("http"))
    };
    let page = crate::support::eventually("the page", page, || process.stderr()).await;
    let page = url::Url::parse(page.trim()).unwrap();
    let value = |name: &str| {
        let found = page.query_pairs().find(|(known, _)| known == name);
        found.unwrap().1.into_owned()
    };
    let mut back = url::Url::parse(&value("redirect_uri")).unwrap();
    back.query_pairs_mut()
        .append_pair("state", &value("state"))
        .append_pair("error", HOSTILE)
        .append_pair("error_description", HOSTILE);
    let authority = format!("127.0.0.1:{}", back.port().unwrap());
    let head = format!(
        "GET /?{} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n",
        back.query().unwrap()
    );
    crate::support::send(&authority, head.as_bytes()).await;
    let mut process = process;
    process.wait_for_end().await;
    let stdout = process.stdout().join("\n");
    trial.judge(&["login"], stdout.as_bytes(), process.stderr().as_bytes());
}

/// Sends a hostile webhook through `listen`, which prints it as lines or as JSON.
async fn listen(trial: &mut Trial, how: &str) {
    let service = Service::start().await;
    let target = service.address().to_string();
    let args = [
        "listen",
        &target,
        how,
        "--name",
        "live",
        "--listen",
        "127.0.0.1:0",
    ];
    let mut process = Process::spawn(trial.command(&args));
    let url = || {
        let lines = process.stdout();
        let line = lines
            .iter()
            .find(|line| line.contains("http://127.0.0.1:"))?;
        let (_, rest) = line.split_once("http://")?;
        let rest = rest.split([' ', '"']).next()?;
        Some(format!("http://{rest}"))
    };
    let url = crate::support::eventually("the URL", url, || process.stderr()).await;
    form_post(
        &format!("{url}%1b%c2%9b"),
        format!("type={HOSTILE}&item_id=1").as_bytes(),
    )
    .await;
    form_post(
        &url,
        format!("type=hook.verify&hook_id=7&code={HOSTILE}").as_bytes(),
    )
    .await;
    post(&url, &[("x-hostile", "\u{9b}31m")], HOSTILE.as_bytes()).await;
    service.wait_for(3).await;
    process.terminate();
    process.wait_for_end().await;
    let stdout = process.stdout().join("\n");
    trial.judge(&args, stdout.as_bytes(), process.stderr().as_bytes());
}

/// Tries files, and events imported from them.
fn read_files(trial: &mut Trial, file: &str) {
    trial.run(&["import", file, "--name", "crm"]);
    trial.run(&["import", file, "--name", "crm", "--json"]);
    for form in [&[][..], &["--json"], &["--har"]] {
        trial.run(&[&["events", "--name", "crm"], form].concat());
    }
    for form in [&[][..], &["--json"]] {
        let show = ["config", "show", "--data-dir", HOSTILE];
        trial.run(&[&show, form].concat());
    }
    trial.run(&["config", "check", "--color", HOSTILE]);
    for form in [&[][..], &["--json"]] {
        let doctor = ["doctor", "--name", "crm", "--podio-url", HOSTILE];
        trial.run(&[&doctor, form].concat());
    }
    trial.run(&["url", HOSTILE]);
    for form in [&[][..], &["--json"], &["--curl"]] {
        trial.run(&[&["show", "N5PD", "--name", "crm"], form].concat());
    }
    let wrong = trial.stage.home().join("wrong.toml");
    for text in [
        "'a\u{1b}[2J' = 1",
        "name = \"\\u001b]52;c;QUJD\\u0007\"",
        "a = \u{9b}",
    ] {
        std::fs::write(&wrong, text).unwrap();
        trial.run(&["events", "--config", &wrong.display().to_string()]);
    }
}

/// Tries the local service and Podio's API.
async fn call(trial: &mut Trial, to: &str) {
    for to in [to, "127.0.0.1:9"] {
        for form in [&[][..], &["--json"]] {
            trial.run(&[&["replay", "N5PD", "--name", "crm", "--to", to], form].concat());
            let trigger = ["trigger", "--from", "N5PD", "--name", "crm", "--to", to];
            trial.run(&[&trigger, form].concat());
        }
    }
    trial.run(&["explain", "N5PD", "--name", "crm"]);
    trial.run(&["explain", "N5PD", "--name", "crm", "--json"]);
    trial.run(&["hooks", "list"]);
    trial.run(&["hooks", "list", "--json"]);
    trial.run(&["hooks", "create", "item.update", "https://x.test/"]);
    trial.run(&["hooks", "verify", "7"]);
    trial.run(&["hooks", "delete", "7"]);
    login(trial).await;
}

/// Tries a relay that refuses, and webhooks.
async fn listen_to(trial: &mut Trial, api: &str) {
    for form in [&[][..], &["--json"]] {
        let doctor = [
            "doctor", "--relay", api, "--token", "token", "--name", "refused",
        ];
        trial.run(&[&doctor, form].concat());
    }
    for kind in ["version", "malformed", "unavailable", "token", "x"] {
        for how in ["--no-tui", "--json"] {
            let args = [
                "listen",
                "3000",
                "--relay",
                api,
                "--token",
                kind,
                "--no-wait",
                how,
            ];
            trial.run(&[&args[..], &["--name", "refused"]].concat());
        }
    }
    let file = trial.stage.home().join("up.toml");
    let table =
        |name, kind| format!("[[tunnel]]\nname = '{name}'\nrelay = '{api}'\ntoken = '{kind}'\n");
    std::fs::write(&file, table("one", "token") + &table("two", "version")).unwrap();
    let file = file.display().to_string();
    for how in ["--no-tui", "--json"] {
        trial.run(&["up", how, "--config", &file]);
        listen(trial, how).await;
    }
}

/// Tries the command line itself.
fn type_words(trial: &mut Trial) {
    for args in [
        &["events", HOSTILE][..],
        &["events", "--name", HOSTILE],
        &["events", "--nothing", HOSTILE],
        &["events", "--data-dir", HOSTILE],
        &["show", HOSTILE, "--name", "crm"],
        &["wait", HOSTILE, "--name", "crm", "--timeout", "1ms"],
        &["why", HOSTILE, "--name", "crm"],
        &["why", "item:4711", "--name", "crm"],
        &[
            "why",
            "https://podio.com/a/b/apps/c/items/1",
            "--name",
            "crm",
        ],
        &["why", "hook:7", "--name", "crm", "--json"],
        &["repair", "--name", "crm", "--json"],
        &["repair", "--since", HOSTILE, "--name", "crm"],
        &["repair", "--until", HOSTILE, "--name", "crm"],
        &["repair", "--name", "crm", "--deliver", "--to", HOSTILE],
        &["wait", "item:4711", "--since", HOSTILE, "--name", "crm"],
        &[
            "wait",
            "item:1",
            "--since",
            "1000d",
            "--name",
            "crm",
            "--timeout",
            "1ms",
        ],
        &["mcp", "--name", "crm"],
        &["mcp", "--name", HOSTILE],
        &["mcp", "--data-dir", HOSTILE],
        &["trigger", HOSTILE, HOSTILE],
        &["trigger", HOSTILE, "item_id=1", "--to", HOSTILE],
        &["listen", HOSTILE],
        &["listen", "1", "--relay", HOSTILE],
        &["hooks", "create", HOSTILE, HOSTILE],
        &["relay", "token", "create", HOSTILE],
        &["relay", "token", "list"],
        &["tunnels", "list"],
        &["tunnels", "rotate", HOSTILE],
        &["relay", "token", "revoke", HOSTILE],
        &["relay", "--listen", HOSTILE],
        &["sandbox", "--seed", HOSTILE],
    ] {
        trial.run(args);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_prints_a_byte_from_outside_that_a_terminal_obeys() {
    let stage = Stage::new();
    let liar = liar().await;
    let api = format!("http://{}", liar.address());
    let file = archive(&stage);
    let mut trial = Trial {
        stage,
        api: api.clone(),
        run: BTreeSet::new(),
        shown: 0,
    };

    read_files(&mut trial, &file);
    call(&mut trial, &liar.address().to_string()).await;
    listen_to(&mut trial, &api).await;
    type_words(&mut trial);

    assert!(
        trial.shown > 20,
        "hostile text was in only {} outputs",
        trial.shown
    );
    let help = trial.stage.succeed(&["--help"]);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    let commands = commands.lines().filter_map(|line| line.strip_prefix("  "));
    let names = commands.filter(|line| !line.starts_with(' '));
    for name in names.filter_map(|line| line.split_whitespace().next()) {
        assert!(
            trial.run.contains(name) || STATIC.contains(&name),
            "`podtap {name}` was not tried with hostile text"
        );
    }
}
