//! `podtap why`: produces each cause, which must be found.

use podtap_podio::client::{Client, Credentials, Grant, PodioClientConfig, WriteOptions};
use serde_json::{Value, json};

use crate::hooks::{APP, CREDENTIALS, Podio};
use crate::support::{Process, Relay, Service, Stage, eventually, form_post, pause};

struct World {
    stage: Stage,
    podio: Podio,
    service: Service,
    relay: Relay,
    token: String,
}

impl World {
    async fn new(relay_options: &[&str]) -> Self {
        let stage = Stage::new();
        let podio = Podio::start(&stage).await;
        let relay = stage.relay_with("127.0.0.1:0", relay_options).await;
        let token = stage.token("ann");
        let service = Service::answering(|request| {
            let is_bad = request.body.windows(8).any(|word| word == b"comment_");
            let answer = http::Response::builder().status(if is_bad { 500 } else { 200 });
            answer.body(http_body_util::Full::from("ok")).unwrap()
        })
        .await;
        Self {
            stage,
            podio,
            service,
            relay,
            token,
        }
    }

    /// Starts an agent with the app's credentials, and waits for its URL.
    async fn listen(&self, options: &[&str]) -> (Process, String) {
        let agent = self.start(options);
        let ready = agent.object("ready", |_| true).await;
        let url = format!("{}podio/hook", ready["url"].as_str().unwrap());
        (agent, url)
    }

    fn start(&self, options: &[&str]) -> Process {
        let (target, url) = (self.service.address().to_string(), self.relay.url());
        let fixed = [
            "listen", &target, "--relay", &url, "--name", "crm", "--json",
        ];
        let mut command = self
            .podio
            .command(&self.stage, &[&fixed[..], options].concat());
        command.env("PODTAP_TOKEN", &self.token);
        Process::spawn(command)
    }

    fn podtap(&self, args: &[&str]) -> Value {
        self.podio.objects(&self.stage, args).remove(0)
    }

    /// Changes something as a person, in Podio itself.
    fn by_hand(&self, args: &[&str]) -> String {
        let fixed = ["sandbox", "do", "--json", "--podio-url", &self.podio.url];
        let done = self.podtap(&[&fixed[..], args].concat());
        done["object"].as_str().unwrap().to_owned()
    }

    /// Changes an item with an API client that suppresses hooks.
    async fn silently(&self, item: &str) {
        let value = |name: &str| {
            let pair = CREDENTIALS.iter().find(|(key, _)| *key == name).unwrap();
            pair.1.to_owned()
        };
        let client = Client::new(PodioClientConfig {
            base_url: self.podio.url.parse().unwrap(),
            credentials: Some(Credentials {
                client_id: value("PODTAP_PODIO_CLIENT_ID"),
                client_secret: value("PODTAP_PODIO_CLIENT_SECRET").into(),
                grant: Grant::App {
                    app_id: APP.parse().unwrap(),
                    app_token: value("PODTAP_PODIO_APP_TOKEN").into(),
                },
            }),
            ..PodioClientConfig::default()
        });
        let options = WriteOptions {
            hook: false,
            silent: false,
        };
        let fields = json!({ "title": "Changed quietly" });
        let item = item.parse().unwrap();
        let written = client
            .unwrap()
            .update_item(item, &fields, None, options)
            .await;
        written.unwrap();
    }

    fn why(&self, subject: &str) -> Value {
        self.podtap(&["why", subject, "--name", "crm", "--json"])
    }

    /// Asks until the cause is found: the agent shares its state a little later.
    async fn because(&self, subject: &str, cause: &str) -> Value {
        let mut told = Value::Null;
        for _ in 0..300 {
            told = self.why(subject);
            if told["cause"] == cause {
                assert!(cause == "answered" || told["cure"].is_string(), "{told}");
                return told;
            }
            pause(std::time::Duration::from_millis(200)).await;
        }
        panic!("{subject}: not {cause} but {told:#}");
    }
}

fn item(id: &str) -> String {
    format!("item:{id}")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_arrive_is_put_down_to_the_first_link_that_is_broken() {
    let world = World::new(&[]).await;
    let order = world.by_hand(&["item.create", "title=Chair"]);
    let (mut agent, url) = world.listen(&["--no-verify"]).await;
    assert_eq!(world.why("item:1")["cause"], "no-change");
    let told = world.because(&item(&order), "no-hook").await;
    assert!(told["conclusion"].as_str().unwrap().contains(APP), "{told}");
    assert_eq!(told["links"].as_array().unwrap().len(), 9);

    let create = |url: &str| {
        let hook = world.podtap(&["hooks", "create", "item.update", url, "--json"]);
        hook["hook_id"].as_str().unwrap().to_owned()
    };
    // Podio's times are whole seconds.
    world.by_hand(&["item.update", &order, "title=Table"]);
    pause(std::time::Duration::from_millis(1100)).await;
    create("http://203.0.113.9/old");
    world.because(&item(&order), "hook-elsewhere").await;
    let hook = create(&url);
    world.because(&item(&order), "hook-inactive").await;
    world.because("item.update", "hook-inactive").await;

    agent.terminate();
    agent.wait_for_end().await;
    let (mut agent, _) = world.listen(&[]).await;
    world.podio.run(&world.stage, &["hooks", "verify", &hook]);
    agent.object("verify", |verify| verify["ok"] == true).await;
    world.because(&item(&order), "hook-younger").await;
    world.because(&format!("hook:{hook}"), "answered").await;

    world.by_hand(&["item.update", &order, "title=Shelf"]);
    let told = world.because(&item(&order), "answered").await;
    assert!(told["id"].is_string(), "{told}");
    world.silently(&order).await;
    // The hook works, since it fires for another item.
    let other = world.by_hand(&["item.create", "title=Lamp"]);
    world.by_hand(&["item.update", &other, "title=Torch"]);
    world.because(&item(&other), "answered").await;
    let told = world.because(&item(&order), "hook-false").await;
    let conclusion = told["conclusion"].as_str().unwrap();
    assert!(conclusion.contains("probably"), "{told}");

    agent.terminate();
    agent.wait_for_end().await;
    world.by_hand(&["item.update", &order, "title=Box"]);
    world.because(&item(&order), "no-agent").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_the_relay_refused_is_told_from_one_that_podio_never_sent() {
    // Large enough for the verification, too small for an update.
    let world = World::new(&["--max-body", "60"]).await;
    let on = ["--app", APP, "--on", "item.update"];
    let (agent, _) = world.listen(&on).await;
    agent.object("verify", |verify| verify["ok"] == true).await;
    let order = world.by_hand(&["item.create", "title=Chair"]);
    world.by_hand(&["item.update", &order, "title=Table"]);
    agent.object("refused", |_| true).await;
    let told = world.because(&item(&order), "refused").await;
    let conclusion = told["conclusion"].as_str().unwrap();
    assert!(conclusion.contains("body over 60 bytes"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_its_relay_says_so() {
    let mut world = World::new(&[]).await;
    let on = ["--app", APP, "--on", "item.update", "--keep-hooks"];
    let (agent, _) = world.listen(&on).await;
    agent.object("verify", |verify| verify["ok"] == true).await;
    world.relay.process.kill();
    let order = world.by_hand(&["item.create", "title=Chair"]);
    world.by_hand(&["item.update", &order, "title=Table"]);
    world.because(&item(&order), "link-down").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_is_followed_to_the_answer() {
    let world = World::new(&[]).await;
    let (agent, url) = world.listen(&["--break-loops"]).await;
    form_post(
        &url,
        b"type=comment.create&item_id=5&comment_id=8&hook_id=3",
    )
    .await;
    agent.object("attempt", |_| true).await;
    let bare = |subject: &str| {
        let args = ["why", subject, "--name", "crm", "--json"];
        serde_json::from_str::<Value>(&world.stage.succeed(&args)).unwrap()
    };
    let told = bare("item:5");
    assert_eq!(told["cause"], "error-answer", "{told}");
    assert_eq!(told["links"][0]["holds"], Value::Null, "{told}");

    for revision in 0..12 {
        let update = format!("type=item.update&item_id=7&item_revision_id={revision}&hook_id=5");
        form_post(&url, update.as_bytes()).await;
    }
    agent.object("loop", |_| true).await;
    form_post(
        &url,
        b"type=item.update&item_id=7&item_revision_id=12&hook_id=5",
    )
    .await;
    let held = || Some(bare("item:7")).filter(|told| told["cause"] == "held-loop");
    let told = eventually("it is held", held, || bare("item:7").to_string()).await;
    assert!(
        told["cure"].as_str().unwrap().contains("hook=false"),
        "{told}"
    );

    let address = world.service.address();
    let World { service, stage, .. } = world;
    drop(service);
    form_post(
        &url,
        b"type=item.update&item_id=8&item_revision_id=0&hook_id=5",
    )
    .await;
    let why = |stage: &Stage| {
        let args = ["why", "item:8", "--name", "crm", "--json"];
        serde_json::from_str::<Value>(&stage.succeed(&args)).unwrap()
    };
    let down = || Some(why(&stage)).filter(|told| told["cause"] == "service-down");
    eventually("it waits for the service", down, || why(&stage).to_string()).await;
    let _service = Service::back_at(address).await;
    let answered = || Some(why(&stage)).filter(|told| told["cause"] == "answered");
    eventually("it is answered", answered, || why(&stage).to_string()).await;

    let (code, stdout, _) = stage.run(&["why", "item:8", "--name", "crm"]);
    assert_eq!(code, 0);
    assert!(stdout.lines().count() <= 14, "one screen: {stdout}");
    assert!(
        stdout.lines().next().unwrap().contains("was answered 200"),
        "{stdout}"
    );
    let (code, _, stderr) = stage.run(&["why", "item.updat", "--name", "crm"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("did you mean item.update"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_found_by_the_url_of_its_page() {
    let world = World::new(&[]).await;
    let (_agent, _) = world.listen(&["--app", APP, "--on", "item.*"]).await;
    let page = format!("https://podio.com/sandbox/apps/{APP}/items/2");
    let told = world.why(&page);
    assert!(
        told["subject"].as_str().unwrap().starts_with("item "),
        "{told}"
    );
    let id = told["subject"].as_str().unwrap().replace("item ", "item:");
    assert_eq!(world.why(&id)["subject"], told["subject"]);
    for (page, code, said) in [
        (
            "https://podio.com/other/apps/9/items/2",
            1,
            "not to a known app",
        ),
        ("https://podio.com/sandbox/apps/9", 2, "not to an item"),
    ] {
        let output = world
            .podio
            .command(&world.stage, &["why", page, "--name", "crm"]);
        let output = { output }.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
}
