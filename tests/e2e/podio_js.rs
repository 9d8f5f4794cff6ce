//! Podio's own JavaScript client tests the sandbox: it talks to it as to Podio. The
//! handler that Podio's documentation suggests is the local service behind the tunnel.
//!
//! Needs `node` and an `npm ci --prefix tests/node`. Without them,
//! the tests print that they are skipped, or fail if `CI` is `true`.

use std::net::SocketAddr;

use serde_json::Value;

use crate::support::{Process, Stage, eventually, node};

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_written_with_the_official_client_sees_what_it_would_see_of_podio() {
    if let Some(play) = Play::begin(&["--no-verify"]).await {
        play.through().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_validations_of_one_code_are_still_a_success() {
    if let Some(play) = Play::begin(&[]).await {
        let agent = play.through().await;
        let verified = || agent.objects("verify");
        let both = || (verified().len() == 2).then(verified);
        let both = eventually("both hooks", both, || format!("{:#?}", agent.stdout())).await;
        assert!(both.iter().all(|one| one["ok"] == true), "{both:?}");
    }
}

/// All parts from the sandbox to the handler, running.
struct Play {
    stage: Stage,
    environment: Vec<(&'static str, String)>,
    _sandbox: Process,
    _relay: crate::support::Relay,
    handler: Process,
    agent: Process,
}

impl Play {
    async fn begin(options: &[&str]) -> Option<Self> {
        if !node::is_installed("podio-js") {
            return None;
        }
        let stage = Stage::new();
        let sandbox = stage.start(&["sandbox", "--json", "--listen", "127.0.0.1:0"]);
        let ready = sandbox.object("ready", |_| true).await;
        let podio_url = ready["podio_url"].as_str().unwrap().trim_end_matches('/');
        let mut environment = credentials(&stage);
        environment.push(("API_URL", podio_url.to_owned()));

        let handler = node::run("handler.js", &[], &environment);
        let port = wait_for_line(&handler, |line| line["port"].is_u64()).await["port"].clone();
        let port: u16 = serde_json::from_value(port).unwrap();
        let (relay, token) = (stage.relay().await, stage.token("ann"));
        let options = [&["--podio-url", podio_url], options].concat();
        let service = SocketAddr::from(([127, 0, 0, 1], port));
        let (agent, url) = stage.agent(&relay.url(), &token, service, &options).await;
        environment.push(("HOOK_URL", format!("{url}podio/hook")));
        Some(Self {
            stage,
            environment,
            _sandbox: sandbox,
            _relay: relay,
            handler,
            agent,
        })
    }

    /// Runs the script, which creates hooks and changes an item.
    /// The handler receives exactly what Podio would send.
    async fn through(self) -> Process {
        let mut script = node::run("script.js", &[], &self.environment);
        let status = script.wait_for_end().await;
        assert!(
            status.success(),
            "{:?} {}",
            script.stdout(),
            script.stderr()
        );
        let active = wait_for_line(&script, |line| line["active"].is_array()).await;
        let done = wait_for_line(&script, |line| line["item"].is_u64()).await;
        assert_eq!(done["revisions"], serde_json::json!([1, 2, 3]));

        let item = done["item"].to_string();
        for revision in ["0", "1", "3"] {
            let fired = |line: &Value| {
                line["item_id"] == item.as_str() && line["item_revision_id"] == revision
            };
            wait_for_line(&self.handler, fired).await;
        }
        let answered = || (self.stage.events(&["status:200"]).len() >= 5).then_some(());
        let state = || format!("{:#?}", self.stage.events(&[]));
        eventually("five answers", answered, state).await;
        assert_eq!(self.stage.events(&[]).len(), 5, "hook=false fires nothing");

        let seen = lines(&self.handler);
        let count = |suits: &dyn Fn(&&Value) -> bool| seen.iter().filter(suits).count();
        assert_eq!(count(&|line| !line["failed"].is_null()), 0, "{seen:?}");
        assert_eq!(count(&|line| line["type"] == "item.create"), 1, "{seen:?}");
        assert_eq!(count(&|line| line["type"] == "item.update"), 2, "{seen:?}");
        for hook in active["active"].as_array().unwrap() {
            let id = hook.to_string();
            assert_eq!(count(&|line| line["validated"] == *id), 1, "{seen:?}");
        }
        self.agent
    }
}

/// Returns the sandbox's invented credentials, as environment variables of the scripts.
fn credentials(stage: &Stage) -> Vec<(&'static str, String)> {
    let seed: Value = serde_json::from_str(&stage.succeed(&["sandbox", "--print-seed"])).unwrap();
    let (client, app) = (&seed["clients"][0], &seed["spaces"][0]["apps"][0]);
    vec![
        ("CLIENT_ID", text(client, "client_id").to_owned()),
        ("CLIENT_SECRET", text(client, "client_secret").to_owned()),
        ("APP_ID", app["app_id"].to_string()),
        ("APP_TOKEN", text(app, "token").to_owned()),
    ]
}

/// Returns the JSON lines that a script has printed.
fn lines(process: &Process) -> Vec<Value> {
    let printed = process.stdout();
    let parsed = printed.iter().map(|line| serde_json::from_str(line));
    parsed.collect::<Result<_, _>>().unwrap()
}

/// Waits until a script prints a matching line, and returns the first one.
async fn wait_for_line(process: &Process, suits: impl Fn(&Value) -> bool) -> Value {
    let found = || lines(process).into_iter().find(|line| suits(line));
    eventually("a line of a script", found, || {
        format!("{:#?}\n{}", process.stdout(), process.stderr())
    })
    .await
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}
