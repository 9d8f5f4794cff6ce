//! Handlers as Podio's developers write them, in PHP and in Ruby, behind the
//! tunnel: a switch on `type`, with their own validation of `hook.verify`.
//!
//! Need `php` and `ruby`. Without them, the tests print
//! that they are skipped, or fail if `CI` is `true`.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::hooks::{APP, CREDENTIALS};
use crate::support::{Process, Stage, command, eventually, script};

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_in_php_validates_its_hooks_and_hears_what_happens() {
    if !script::available("php", None, "php (Debian: php-cli) is needed") {
        return;
    }
    let play = Play::begin().await;
    let folder = Path::new(TESTS).join("php");
    let args = ["-S", "127.0.0.1:0", "handler.php"];
    let handler = script::run("php", &folder, &args, &play.environment());
    // PHP's own server logs its address.
    let port = || {
        let log = handler.stderr();
        let (_, rest) = log.split_once("(http://127.0.0.1:")?;
        rest.split_once(')')?.0.parse().ok()
    };
    let port: u16 = eventually("the handler listens", port, || handler.stderr()).await;
    play.through(&handler, port).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_in_ruby_validates_its_hooks_and_hears_what_happens() {
    if !script::available("ruby", None, "ruby is needed") {
        return;
    }
    let play = Play::begin().await;
    let folder = Path::new(TESTS).join("ruby");
    let handler = script::run("ruby", &folder, &["handler.rb"], &play.environment());
    let port = wait_for_line(&handler, |line| line["port"].is_u64()).await["port"].as_u64();
    play.through(&handler, port.unwrap().try_into().unwrap())
        .await;
}

/// A sandbox, ready for hooks.
struct Play {
    stage: Stage,
    sandbox: Process,
    url: String,
}

impl Play {
    async fn begin() -> Self {
        let stage = Stage::new();
        let sandbox = stage.start(&["sandbox", "--json", "--listen", "127.0.0.1:0"]);
        let ready = sandbox.object("ready", |_| true).await;
        let url = ready["podio_url"].as_str().unwrap().to_owned();
        Self {
            stage,
            sandbox,
            url,
        }
    }

    fn environment(&self) -> [(&'static str, String); 1] {
        [("API_URL", self.url.clone())]
    }

    /// Runs an agent that creates hooks and leaves their
    /// validation to the handler, then changes items.
    async fn through(self, handler: &Process, port: u16) {
        let Self {
            stage,
            sandbox,
            url,
        } = self;
        let (relay, token) = (stage.relay().await, stage.token("ann"));
        let service = SocketAddr::from(([127, 0, 0, 1], port)).to_string();
        let relay_url = relay.url();
        let listen = "--name crm --json --no-verify --on item.*,comment.create --app";
        let mut args = vec!["listen", &service, "--relay", &relay_url];
        args.extend(listen.split(' '));
        args.push(APP);
        let mut agent = command(&stage, &args);
        agent
            .env("PODTAP_TOKEN", token)
            .env("PODTAP_PODIO_URL", &url)
            .envs(CREDENTIALS.iter().copied());
        let agent = Process::spawn(agent);

        let validated = || {
            let lines = lines(handler);
            let of = lines.iter().filter(|line| line["validated"].is_string());
            let statuses: Vec<_> = of.map(|line| line["status"].as_u64()).collect();
            (statuses.len() == 4).then_some(statuses)
        };
        let state = || format!("{:?} {}", agent.stdout(), handler.stderr());
        let statuses = eventually("the handler validates four hooks", validated, state).await;
        assert_eq!(statuses, [Some(204); 4]);

        let item = "3276908608";
        for (deed, seen) in [
            (&["item.create", "title=Desk"][..], ("item.create", "0")),
            (&["item.update", item, "status=Paid"], ("item.update", "1")),
            (
                &["comment.create", item, "value=Grüße & Küsse"],
                ("comment.create", ""),
            ),
            (&["item.delete", item], ("item.delete", "2")),
        ] {
            let told = stage.succeed(&[&["sandbox", "do", "--podio-url", &url], deed].concat());
            assert!(told.contains("1 webhook"), "{told}");
            let heard = wait_for_line(handler, |line| line["type"] == seen.0).await;
            assert_eq!(
                heard["revision"].as_str().unwrap_or_default(),
                seen.1,
                "{heard}"
            );
            let sent = sandbox
                .object("webhook", |sent| sent["event"] == seen.0)
                .await;
            assert_eq!(sent["status"], 200);
        }
        assert!(!lines(handler).iter().any(|line| !line["unknown"].is_null()));
    }
}

/// Returns the JSON lines that a handler has printed.
fn lines(handler: &Process) -> Vec<Value> {
    let printed = handler.stdout();
    let parsed = printed.iter().map(|line| serde_json::from_str(line));
    parsed.collect::<Result<_, _>>().unwrap()
}

async fn wait_for_line(handler: &Process, suits: impl Fn(&Value) -> bool) -> Value {
    let found = || lines(handler).into_iter().find(|line| suits(line));
    eventually("a line of the handler", found, || {
        format!("{:#?}\n{}", handler.stdout(), handler.stderr())
    })
    .await
}
