//! Controls headless Chromium through `WebDriver`; the browser cannot reach other machines. The
//! eight commands that are needed are implemented here: the existing client adds twenty packages.

use std::process::Command;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::support::{DEADLINE, Process, eventually, script};

/// The protocol's codes of keys that are not characters.
pub(super) const ENTER: &str = "\u{E007}";
pub(super) const ESCAPE: &str = "\u{E00C}";
pub(super) const TAB: &str = "\u{E004}";

const CONTROL: &str = "\u{E009}";

/// The protocol's name for the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser, which must be closed with [`Browser::close`].
pub(super) struct Browser {
    authority: String,
    session: String,
    client: Client<HttpConnector, Full<Bytes>>,
    _driver: Process,
}

/// Returns whether Chromium and its driver are installed.
pub(super) fn is_installed() -> bool {
    ["chromium", "chromedriver"].into_iter().all(|program| {
        script::available(
            program,
            None,
            "Debian's chromium and chromium-driver are needed",
        )
    })
}

impl Browser {
    /// Starts a browser with further options of Chromium.
    pub(super) async fn start(options: &[&str]) -> Self {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0");
        let driver = Process::spawn(command);
        let port = || {
            let said = driver.stdout();
            let line = said
                .iter()
                .find_map(|line| line.split("successfully on port ").nth(1))?;
            line.trim_end_matches('.').parse::<u16>().ok()
        };
        let port = eventually("chromedriver", port, || driver.stderr()).await;
        let fixed = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--window-size=1280,900",
        ];
        let mut arguments: Vec<&str> = [&fixed[..], options].concat();
        if !options
            .iter()
            .any(|option| option.starts_with("--host-resolver-rules"))
        {
            arguments.push(
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
            );
        }
        let mut browser = Self {
            authority: format!("127.0.0.1:{port}"),
            session: String::new(),
            client: Client::builder(TokioExecutor::new()).build_http(),
            _driver: driver,
        };
        let options = json!({ "goog:chromeOptions": { "args": arguments } });
        let wanted = json!({ "capabilities": { "alwaysMatch": options } });
        let begun = browser.tell("", wanted).await;
        browser.session = format!("/{}", begun["sessionId"].as_str().unwrap());
        browser
    }

    /// Sends a command of the session and returns the result.
    async fn tell(&self, command: &str, with: Value) -> Value {
        let url = format!("http://{}/session{}{command}", self.authority, self.session);
        let request = Request::post(url).header("content-type", "application/json");
        let (status, mut object) = self
            .ask(request.body(with.to_string().into()).unwrap())
            .await;
        assert_eq!(status, 200, "{command}: {object}");
        object["value"].take()
    }

    async fn ask(&self, request: Request<Full<Bytes>>) -> (u16, Value) {
        let exchange = async {
            let answer = self.client.request(request).await.unwrap();
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            (status, serde_json::from_slice(&body).unwrap())
        };
        let answer = tokio::time::timeout(DEADLINE * 2, exchange).await;
        answer.expect("chromedriver does not answer")
    }

    async fn tell_element(&self, selector: &str, command: &str, with: Value) {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.tell("/element", wanted).await;
        let element = found[ELEMENT].as_str().unwrap();
        self.tell(&format!("/element/{element}/{command}"), with)
            .await;
    }

    pub(super) async fn goto(&self, url: &str) {
        self.tell("/url", json!({ "url": url })).await;
    }

    /// Runs a script and returns its value.
    pub(super) async fn says(&self, script: &str) -> Value {
        let with = json!({ "script": script, "args": [] });
        self.tell("/execute/sync", with).await
    }

    /// Runs a script that returns its value later, by calling its last argument.
    pub(super) async fn says_later(&self, script: &str) -> Value {
        let with = json!({ "script": script, "args": [] });
        self.tell("/execute/async", with).await
    }

    /// Waits until a script returns this value.
    pub(super) async fn comes_to_say(&self, script: &str, expected: Value) {
        let deadline = tokio::time::Instant::now() + DEADLINE;
        loop {
            let said = self.says(script).await;
            if said == expected {
                return;
            }
            if tokio::time::Instant::now() > deadline {
                let text = self.says("return document.body.innerText").await;
                panic!("{script} says {said}, not {expected}: {text}");
            }
            crate::support::pause(std::time::Duration::from_millis(50)).await;
        }
    }

    /// Waits until the page contains this text.
    pub(super) async fn shows(&self, text: &str) {
        let script = format!("return document.body.innerText.includes({})", json!(text));
        self.comes_to_say(&script, json!(true)).await;
    }

    /// Presses a key while the control key is down.
    pub(super) async fn control(&self, key: &str) {
        let press = |kind: &str, value: &str| json!({ "type": kind, "value": value });
        let strokes = [
            press("keyDown", CONTROL),
            press("keyDown", key),
            press("keyUp", key),
            press("keyUp", CONTROL),
        ];
        let device = json!({ "type": "key", "id": "keys", "actions": strokes });
        self.tell("/actions", json!({ "actions": [device] })).await;
    }

    /// Types into the element that has the focus.
    pub(super) async fn keys(&self, keys: &str) {
        let strokes = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })));
        let strokes: Vec<Value> = strokes.collect();
        let device = json!({ "type": "key", "id": "keys", "actions": strokes });
        self.tell("/actions", json!({ "actions": [device] })).await;
    }

    pub(super) async fn click(&self, selector: &str) {
        self.tell_element(selector, "click", json!({})).await;
    }

    /// Ends the browser, which its driver does not do by itself.
    pub(super) async fn close(self) {
        let url = format!("http://{}/session{}", self.authority, self.session);
        self.ask(Request::delete(url).body(Full::default()).unwrap())
            .await;
    }
}
