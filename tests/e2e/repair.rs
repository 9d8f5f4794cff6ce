//! `podtap repair`: finds the events that an outage lost, adds each once, and sends it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::hooks::{Podio, are_verified};
use crate::support::{Process, Relay, Service, Stage, eventually};

struct World {
    stage: Stage,
    podio: Podio,
    service: Service,
    _relay: Relay,
    _agent: Process,
}

impl World {
    /// Starts an agent with active hooks for items and comments, and waits at least one
    /// second: Podio's times of changes are whole seconds, so a repair ignores the first one.
    async fn new() -> Self {
        let stage = Stage::new();
        let podio = Podio::start(&stage).await;
        let relay = stage.relay().await;
        let service = Service::start().await;
        let on = ["--on", "item.*,comment.create"];
        let agent = Process::spawn(podio.listen(&stage, (&service, &relay), &on));
        are_verified(&agent, 4).await;
        let second = Timestamp::now().as_second();
        let is_over = || (Timestamp::now().as_second() > second).then_some(());
        eventually("the next second", is_over, String::new).await;
        Self {
            stage,
            podio,
            service,
            _relay: relay,
            _agent: agent,
        }
    }

    fn outage(&self, state: &str) {
        let args = ["sandbox", "outage", state, "--podio-url", &self.podio.url];
        self.podio.run(&self.stage, &args);
    }

    fn perform(&self, args: &[&str]) -> String {
        let fixed = ["sandbox", "do", "--json", "--podio-url", &self.podio.url];
        let done = self
            .podio
            .objects(&self.stage, &[&fixed[..], args].concat());
        done[0]["object"].as_str().unwrap().to_owned()
    }

    /// Waits until the local service has received `count` events of items, and returns them.
    async fn wait_for_items(&self, count: usize) -> Vec<String> {
        let told = || {
            let all = self.service.requests().into_iter();
            let all = all.map(|request| String::from_utf8(request.body.to_vec()).unwrap());
            let told: Vec<String> = all.filter(|body| body.contains("type=item.")).collect();
            (told.len() >= count).then_some(told)
        };
        eventually("item events", told, String::new).await
    }

    fn repair(&self, args: &[&str]) -> Vec<Value> {
        let fixed = ["repair", "--until", "0s", "--name", "crm", "--json"];
        self.podio
            .objects(&self.stage, &[&fixed[..], args].concat())
    }
}

fn found_events(repaired: &Value) -> BTreeSet<(String, String, u64)> {
    let found = repaired["found"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    found
        .map(|one| {
            (
                text(&one["event"]),
                text(&one["object"]),
                one["revision"].as_u64().unwrap(),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_outage_swallowed_is_added_once_and_sent_on_demand() {
    let world = World::new().await;
    world.outage("on");
    let item = world.perform(&["item.create", "title=Lost"]);
    world.perform(&["item.update", &item, "title=Lost too"]);
    world.perform(&["comment.create", &item]);
    world.outage("off");
    world.perform(&["item.update", &item, "title=Arrived"]);
    world.wait_for_items(1).await;
    let object = format!("item {item}");
    let expected = BTreeSet::from([
        ("item.create".to_owned(), object.clone(), 0),
        ("item.update".to_owned(), object.clone(), 1),
    ]);

    let listed = world.repair(&["--dry-run"]);
    assert_eq!(found_events(&listed[0]), expected, "{listed:?}");
    assert_eq!(world.stage.events(&["repaired:yes"]).len(), 0);
    for (until, is_told) in [(&[][..], true), (&["--until", "0s"], false)] {
        let args = [&["repair", "--dry-run", "--name", "crm"], until].concat();
        let mut command = world.podio.command(&world.stage, &args);
        let stderr = String::from_utf8(command.output().unwrap().stderr).unwrap();
        let told = stderr.contains("were left out, because their events may still arrive");
        assert_eq!(told, is_told, "{stderr}");
    }
    let printed = world.repair(&[]);
    assert_eq!(
        (found_events(&printed[0]), printed.len()),
        (expected.clone(), 1)
    );
    assert_eq!(printed[0]["unfinished"], serde_json::json!([]));
    let events = world.stage.events(&["repaired:yes"]);
    assert_eq!(events.len(), 2);
    for event in &events {
        assert_eq!(
            (&event["seq"], &event["repaired"]),
            (&Value::Null, &true.into())
        );
        assert_eq!(event["path"], "/podio/hook");
        assert_eq!(event["attempts"], serde_json::json!([]));
    }

    let sent = world.repair(&["--deliver"]);
    assert!(found_events(&sent[0]).is_empty(), "nothing twice: {sent:?}");
    let attempts: Vec<&Value> = sent.iter().filter(|one| one["type"] == "attempt").collect();
    assert_eq!(attempts.len(), 2);
    for attempt in &attempts {
        assert_eq!(
            (&attempt["replay"], &attempt["attempt"]),
            (&false.into(), &1.into())
        );
    }
    let told = world.wait_for_items(3).await;
    assert!(told[1].contains("type=item.create"), "{told:?}");
    assert!(told[2].contains("item_revision_id=1"), "{told:?}");
    let again = world.repair(&["--deliver"]);
    assert_eq!(again.len(), 1, "{again:?}");
    // The update that arrived no longer shows a gap before it.
    let closed = || {
        let missing = world.stage.events(&["missing:yes"]);
        missing.is_empty().then_some(())
    };
    eventually("the gap is closed", closed, String::new).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_looked_for_is_said() {
    let stage = Stage::new();
    let run = |args: &[&str]| stage.run(&[&["repair", "--name", "crm"], args].concat());
    let (code, _, stderr) = run(&[]);
    assert!(code == 6 && stderr.contains("no history yet"), "{stderr}");
    let (code, _, stderr) = run(&["--since", "1m", "--until", "2m"]);
    assert!(code == 2 && stderr.contains("no time between"), "{stderr}");
    for (args, said) in [
        (&["--since", "soon"][..], "since cannot be `soon`"),
        (&["--until", "soon"], "until cannot be `soon`"),
        (&["--dry-run", "--deliver"], "cannot be used with"),
        (&["--to", "3000"], "--deliver"),
    ] {
        let (code, _, stderr) = run(args);
        assert!(code == 2 && stderr.contains(said), "{args:?}: {stderr}");
    }

    let service = Service::start().await;
    let target = service.address().to_string();
    let agent = stage.listen(&[&target]);
    agent.object("ready", |_| true).await;
    let (code, _, stderr) = run(&[]);
    assert!(code == 1 && stderr.contains("credentials"), "{stderr}");
    let podio = Podio::start(&stage).await;
    let output = podio
        .command(&stage, &["repair", "--name", "crm"])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(6), "{stderr}");
    assert!(stderr.contains("no hook of this tunnel"), "{stderr}");
}
