//! Hooks that exist while `listen` runs, and the commands that manage hooks, with the sandbox.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Process, Relay, Service, Stage, command, eventually, get, split_url};

/// The invented credentials of the sandbox's first app.
pub(crate) const CREDENTIALS: &[(&str, &str)] = &[
    ("PODTAP_PODIO_CLIENT_ID", "podtap"),
    ("PODTAP_PODIO_CLIENT_SECRET", "sandbox-secret"),
    ("PODTAP_PODIO_APP_ID", APP),
    ("PODTAP_PODIO_APP_TOKEN", "sandbox-orders-token"),
];
pub(crate) const APP: &str = "30682880";

pub(crate) struct Podio {
    _sandbox: Process,
    pub(crate) url: String,
}

impl Podio {
    pub(crate) async fn start(stage: &Stage) -> Self {
        let sandbox = stage.start(&["sandbox", "--json", "--listen", "127.0.0.1:0"]);
        let ready = sandbox.object("ready", |_| true).await;
        let url = ready["podio_url"].as_str().unwrap().to_owned();
        Self {
            _sandbox: sandbox,
            url,
        }
    }

    pub(crate) fn command(&self, stage: &Stage, args: &[&str]) -> std::process::Command {
        let mut command = command(stage, args);
        command
            .env("PODTAP_PODIO_URL", &self.url)
            .envs(CREDENTIALS.iter().copied());
        command
    }

    /// Starts an agent for the tunnel `crm` that has Podio credentials; returns its public URL
    /// too.
    async fn listen_alone(&self, stage: &Stage, service: &Service) -> (Process, String) {
        let target = service.address().to_string();
        let args = ["listen", &target, "--name", "crm", "--json"];
        let agent = Process::spawn(self.command(stage, &args));
        let ready = agent.object("ready", |_| true).await;
        (agent, ready["url"].as_str().unwrap().to_owned())
    }

    /// Runs a command, which must succeed, and returns the objects that it printed.
    pub(crate) fn objects(&self, stage: &Stage, args: &[&str]) -> Vec<Value> {
        let output = self.command(stage, args).output().unwrap();
        assert!(output.status.success(), "podtap {args:?}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        crate::support::schema::check(true, text.lines());
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Runs a command, which must succeed.
    pub(crate) fn run(&self, stage: &Stage, args: &[&str]) {
        let output = self.command(stage, args).output().unwrap();
        assert!(output.status.success(), "podtap {args:?}: {output:?}");
    }

    pub(crate) fn hooks(&self, stage: &Stage) -> Vec<Value> {
        self.objects(stage, &["hooks", "list", "--json", "--name", "crm"])
    }

    /// Returns a command that listens for hooks on the app, through a relay, as the tunnel `crm`.
    pub(crate) fn listen(
        &self,
        stage: &Stage,
        (service, relay): (&Service, &Relay),
        args: &[&str],
    ) -> std::process::Command {
        let (target, url) = (service.address().to_string(), relay.url());
        let fixed = ["listen", &target, "--relay", &url, "--name", "crm"];
        let on_app = ["--json", "--app", APP];
        let mut listen = self.command(stage, &[&fixed[..], &on_app, args].concat());
        listen.env("PODTAP_TOKEN", stage.token("ann"));
        listen
    }

    fn hooks_on(&self, stage: &Stage, url: &str) -> Vec<Value> {
        let mut hooks = self.hooks(stage);
        hooks.retain(|hook| hook["url"] == url);
        hooks
    }
}

/// Waits until this number of hooks is active.
pub(crate) async fn are_verified(agent: &Process, count: usize) {
    let verified = || {
        let ok = agent.objects("verify").into_iter();
        let ok = ok.filter(|verify| verify["ok"] == true);
        (ok.count() == count).then_some(())
    };
    eventually("the validations", verified, || agent.stdout().join("\n")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listen_makes_hooks_has_them_verified_and_removes_exactly_those() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let podio = Podio::start(&stage).await;
    let relay = stage.relay().await;
    let other = [
        "hooks",
        "create",
        "item.update",
        "http://127.0.0.1:9/old",
        "--json",
    ];
    podio.objects(&stage, &other);
    let on = ["--on", "item.*,comment.create"];
    let listen = podio.listen(&stage, (&service, &relay), &on);

    let mut agent = Process::spawn(listen);

    are_verified(&agent, 4).await;
    let ready = agent.object("ready", |_| true).await;
    let hook_url = format!("{}podio/hook", ready["url"].as_str().unwrap());
    let ours = podio.hooks_on(&stage, &hook_url);
    let mut events: Vec<&str> = ours
        .iter()
        .map(|hook| hook["event"].as_str().unwrap())
        .collect();
    events.sort_unstable();
    assert_eq!(
        events,
        [
            "comment.create",
            "item.create",
            "item.delete",
            "item.update"
        ]
    );
    assert!(
        ours.iter().all(|hook| hook["status"] == "active"),
        "{ours:?}"
    );
    let limit = agent.object("rate-limit", |_| true).await;
    assert!(
        limit["remaining"].as_u64() < limit["limit"].as_u64(),
        "{limit}"
    );
    assert!(limit["resets_by"].is_string(), "{limit}");

    agent.terminate();
    assert_eq!(
        agent.wait_for_end().await.code(),
        Some(143),
        "{}",
        agent.stderr()
    );
    let left = podio.hooks(&stage);
    assert_eq!(
        left.len(),
        1,
        "only the hook that was there before is left: {left:?}"
    );
    assert_eq!(left[0]["url"], "http://127.0.0.1:9/old");

    let id = left[0]["hook_id"].as_str().unwrap();
    assert!(
        podio
            .command(&stage, &["hooks", "delete", id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(podio.hooks(&stage).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_closed_leaves_no_hook_and_nohup_goes_on() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let podio = Podio::start(&stage).await;
    let target = service.address().to_string();
    let args = [
        "listen",
        &target,
        "--json",
        "--app",
        APP,
        "--on",
        "item.update",
    ];

    let mut agent = Process::spawn(podio.command(&stage, &args));
    agent.object("verify", |verify| verify["ok"] == true).await;
    agent.signal(Signal::HUP);
    assert_eq!(
        agent.wait_for_end().await.code(),
        Some(129),
        "{}",
        agent.stderr()
    );
    assert_eq!(podio.hooks(&stage).len(), 0);

    let listen = podio.command(&stage, &args);
    let mut kept = std::process::Command::new("sh");
    kept.args(["-c", r#"trap "" HUP; exec "$@""#, "sh"]);
    kept.arg(listen.get_program()).args(listen.get_args());
    for (name, value) in listen.get_envs() {
        match value {
            Some(value) => kept.env(name, value),
            None => kept.env_remove(name),
        };
    }
    let mut agent = Process::spawn(kept);
    agent.object("ready", |_| true).await;
    agent.signal(Signal::HUP);
    agent.object("verify", |verify| verify["ok"] == true).await;
    agent.terminate();
    assert_eq!(
        agent.wait_for_end().await.code(),
        Some(143),
        "{}",
        agent.stderr()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_refused_with_podios_own_words() {
    let stage = Stage::new();
    let podio = Podio::start(&stage).await;

    let mut list = podio.command(&stage, &["hooks", "list"]);
    let output = list
        .env("PODTAP_PODIO_CLIENT_SECRET", "wrong-secret")
        .output()
        .unwrap();

    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_ne!(output.status.code(), Some(0));
    assert!(stderr.starts_with("error: Podio's API"), "{stderr}");
    assert!(!stderr.contains("wrong-secret"), "{stderr}");

    let (code, _, stderr) = stage.run(&["hooks", "list"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("PODTAP_PODIO_CLIENT_ID"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_explained_once_and_the_answer_kept() {
    let stage = Stage::new();
    let podio = Podio::start(&stage).await;
    let service = Service::start().await;
    let (_relay, _, _agent, url) = stage.way_to(&service, &["--no-verify"]).await;
    let body = b"type=item.update&item_id=3276908608&item_revision_id=0&hook_id=1";
    crate::support::form_post(&url, body).await;
    service.wait_for(1).await;
    let id = stage.wait_until_settled(&[], 1)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();

    let explain = ["explain", &id, "--name", "crm", "--json"];
    let (code, _, stderr) = stage.run(&explain);
    assert_eq!(code, 3, "without credentials: {stderr}");
    let explained = podio.objects(&stage, &explain);
    assert_eq!(explained[0]["type"], "explanation");
    assert!(explained[0]["title"].is_string(), "{explained:?}");

    drop(podio);
    let (code, stdout, stderr) = stage.run(&explain);
    assert_eq!(code, 0, "what is known is kept in the history: {stderr}");
    assert!(stdout.contains("explanation"), "{stdout}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_in_the_browser_is_kept_for_the_next_command() {
    let stage = Stage::new();
    let podio = Podio::start(&stage).await;
    let known = |args: &[&str]| {
        let mut command = command(&stage, args);
        command.env("PODTAP_PODIO_URL", &podio.url);
        command.env("PODTAP_PODIO_CLIENT_ID", "podtap");
        command.env("PODTAP_PODIO_CLIENT_SECRET", "sandbox-secret");
        command
    };
    let list = ["hooks", "list", "--app", APP];
    let refused = known(&list).output().unwrap();
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    let mut login = Process::spawn(known(&["login"]));
    let page = || {
        login.stdout().into_iter().find_map(|line| {
            Some(line.trim().to_owned()).filter(|line| line.starts_with("http://"))
        })
    };
    let page = eventually("the page to open", page, || login.stderr()).await;

    // As a browser does: once the person agrees, the page redirects to the waiting command.
    let (authority, path) = split_url(&page);
    let answer = get(authority, path).await;
    let back = answer
        .header("location")
        .unwrap_or_else(|| panic!("{answer:?}"))
        .to_owned();
    let (authority, path) = split_url(&back);
    assert_eq!(get(authority, path).await.status, 200);

    assert_eq!(
        login.wait_for_end().await.code(),
        Some(0),
        "{}",
        login.stderr()
    );
    let listed = known(&list).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_several_hooks_has_its_own_result_and_a_bad_url_is_refused() {
    let stage = Stage::new();
    let podio = Podio::start(&stage).await;
    let create = |event: &str, url: &str| {
        let args = ["hooks", "create", event, url, "--json"];
        podio.command(&stage, &args).output().unwrap()
    };
    let made = create("item.create,item.update", "http://127.0.0.1:9/h");
    assert!(made.status.success(), "{made:?}");
    let ids: Vec<String> = podio
        .hooks(&stage)
        .iter()
        .map(|hook| hook["hook_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 2);

    for url in [
        "ftp://a.example.com/",
        "http://u:p@a.example.com/",
        "http://a.example.com/#x",
    ] {
        let refused = create("item.update", url);
        assert_eq!(refused.status.code(), Some(2), "{url}: {refused:?}");
    }
    let mistyped = create("item.craete", "http://127.0.0.1:9/h");
    let told = String::from_utf8_lossy(&mistyped.stderr).into_owned();
    assert!(told.contains("did you mean `item.create`"), "{told}");

    let args = ["hooks", "delete", &ids[0], "999", &ids[1]];
    let deleted = podio.command(&stage, &args).output().unwrap();
    assert_eq!(deleted.status.code(), Some(6), "{deleted:?}");
    let told = String::from_utf8_lossy(&deleted.stdout).into_owned();
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(!told.contains("999"), "{told}");
    assert_eq!(podio.hooks(&stage).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_move_to_the_tunnel_and_back() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let podio = Podio::start(&stage).await;
    let old = "http://127.0.0.1:9/podio/hook?env=prod";
    podio.objects(&stage, &["hooks", "create", "item.update", old, "--json"]);
    let (_agent, url) = podio.listen_alone(&stage, &service).await;

    let moved = podio
        .command(&stage, &["hooks", "move", APP, "--to", &url])
        .output()
        .unwrap();
    assert!(moved.status.success(), "{moved:?}");
    let hooks = podio.hooks(&stage);
    assert_eq!(hooks.len(), 1, "{hooks:?}");
    assert_eq!(hooks[0]["url"], format!("{url}podio/hook?env=prod"));
    assert_eq!(hooks[0]["status"], "active");
    assert_eq!(hooks[0]["url_verdict"], "this tunnel");

    let undone = podio
        .command(&stage, &["hooks", "move", "--undo"])
        .output()
        .unwrap();
    assert!(undone.status.success(), "{undone:?}");
    let hooks = podio.hooks(&stage);
    assert_eq!((hooks.len(), hooks[0]["url"].as_str()), (1, Some(old)));
    let again = podio
        .command(&stage, &["hooks", "move", "--undo"])
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(6), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn adopted_hooks_lead_here_until_the_command_is_ended() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let podio = Podio::start(&stage).await;
    let old = "http://127.0.0.9/podio/hook";
    podio.objects(&stage, &["hooks", "create", "item.update", old, "--json"]);
    let (_agent, url) = podio.listen_alone(&stage, &service).await;

    let args = ["hooks", "adopt", APP, "--name", "crm"];
    let mut adopting = Process::spawn(podio.command(&stage, &args));
    eventually(
        "the hook leads to the tunnel",
        || {
            let hooks = podio.hooks(&stage);
            let [hook] = &hooks[..] else { return None };
            let is_here =
                hook["url"].as_str().unwrap().starts_with(&url) && hook["status"] == "active";
            is_here.then_some(())
        },
        || format!("{:#?}", podio.hooks(&stage)),
    )
    .await;
    eventually(
        "it says until when",
        || {
            let said = adopting.stdout().join("\n");
            said.contains("until you end this command").then_some(())
        },
        || adopting.stderr(),
    )
    .await;
    adopting.terminate();
    assert!(!adopting.wait_for_end().await.success());

    let hooks = podio.hooks(&stage);
    assert_eq!((hooks.len(), hooks[0]["url"].as_str()), (1, Some(old)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_with_names_of_podios_own_is_warned_of() {
    let stage = Stage::new();
    let podio = Podio::start(&stage).await;
    let create = |url: &str| {
        let args = ["hooks", "create", "item.update", url, "--json"];
        let made = podio.command(&stage, &args).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stderr).unwrap()
    };
    let told = create("http://127.0.0.9/h?type=x&env=dev&item_id=1");
    assert!(told.contains("the same names (item_id, type)"), "{told}");
    let told = create("http://127.0.0.9/h?env=dev");
    assert!(!told.contains("the same names"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_that_cannot_be_had_are_told_with_the_cure_and_wrong_credentials_end_the_start() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let podio = Podio::start(&stage).await;
    let target = service.address().to_string();
    let args = [
        "listen",
        &target,
        "--name",
        "crm",
        "--json",
        "--app",
        "999",
        "--on",
        "item.update",
    ];
    let agent = Process::spawn(podio.command(&stage, &args));
    let hook = agent.object("hook", |hook| hook["state"] == "failed").await;
    let why = hook["error"].as_str().unwrap();
    assert!(why.contains("is app 999 the right id?"), "{why}");
    drop(agent);

    let args = [
        "listen",
        &target,
        "--name",
        "other",
        "--json",
        "--app",
        APP,
        "--on",
        "item.update",
    ];
    // On a separate stage, where no tokens of the right credentials are stored.
    let stage = Stage::new();
    let mut listen = podio.command(&stage, &args);
    listen.env("PODTAP_PODIO_CLIENT_SECRET", "wrong");
    let mut agent = Process::spawn(listen);
    assert_eq!(
        agent.wait_for_end().await.code(),
        Some(3),
        "{}",
        agent.stderr()
    );
    assert!(
        agent.stderr().contains("--hooks-optional"),
        "{}",
        agent.stderr()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_without_rights_is_told_whose_credentials_are_needed() {
    let stage = Stage::new();
    let podio = Podio::start(&stage).await;
    let url = "https://hooks.example.com/in";
    for args in [
        &["hooks", "list", "--app", "30682881"][..],
        &["hooks", "create", "item.update", url, "--app", "30682881"],
    ] {
        let output = podio.command(&stage, args).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "podtap {args:?}: {told}");
        assert!(told.contains("403 forbidden"), "podtap {args:?}: {told}");
        assert!(told.contains("`podtap login`"), "podtap {args:?}: {told}");
    }
}
