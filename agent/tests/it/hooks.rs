//! Hooks that live as long as the agent: sandbox, relay and agent in one circle.

use crate::support::podio::{ORDERS, Podio};
use crate::support::{Service, browsing, eventually, ok, target_of};
use podtap_agent::config::{HooksConfig, LinkConfig};
use podtap_agent::hooks::{HookReport, HookState, plan};
use podtap_agent::{Agent, AgentHandle, Config, HooksError, PlaceRef, RunError};
use podtap_podio::client::{Hook, HookStatus};
use podtap_podio::{EventType, RefType};
use podtap_relay::tunnel::TokenStore;
use podtap_relay::{Config as RelayConfig, Relay};
use podtap_sandbox as sandbox;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A sandbox, a relay, a local service, and the agent's configuration.
struct Circle {
    podio: Podio,
    config: Config,
    _service: Service,
    _running: JoinSet<()>,
    _relay: DropGuard,
    _folders: (TempDir, TempDir, TempDir),
}

impl Circle {
    async fn start(on: &str) -> Self {
        let folders = (
            TempDir::new().unwrap(),
            TempDir::new().unwrap(),
            TempDir::new().unwrap(),
        );
        let aside = folders.2.path().join("aside.db");
        let podio = Podio::start(&aside, sandbox::Config::default()).await;
        let (relay, token) = (folders.1.path(), CancellationToken::new());
        let owner = TokenStore::open(relay).unwrap();
        let secret = owner.create("ada").unwrap();
        let bound = Relay::bind(RelayConfig::new(relay)).await.unwrap();
        let url = format!("http://{}", bound.local_addr()).parse().unwrap();
        let mut running = JoinSet::new();
        let stop = token.clone();
        running.spawn(async move { bound.run(stop).await.unwrap() });
        let service = Service::start(|_| ok()).await;
        let mut config = browsing(&folders.0);
        config.link = Some(LinkConfig::new(
            url,
            secret.reveal().into(),
            "crm".parse().unwrap(),
        ));
        config.target = Some(target_of(service.address));
        config.podio.client = podio.config.clone();
        config.podio.hooks = Some(HooksConfig {
            wanted: plan(PlaceRef::app(ORDERS), on).unwrap(),
            path: "/podio/hook".to_owned(),
            keep: false,
            optional: false,
        });
        Self {
            podio,
            config,
            _service: service,
            _running: running,
            _relay: token.drop_guard(),
            _folders: folders,
        }
    }

    async fn hooks(&self) -> Vec<Hook> {
        self.podio.client.hooks(RefType::App, ORDERS).await.unwrap()
    }

    fn keep(mut self) -> Self {
        self.config.podio.hooks.as_mut().unwrap().keep = true;
        self
    }
}

struct Running {
    handle: AgentHandle,
    token: CancellationToken,
    agent: JoinSet<Result<(), RunError>>,
}

impl Running {
    fn start(config: &Config) -> Self {
        let (agent, handle) = Agent::open(config.clone()).unwrap();
        let token = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(agent.run(token.clone()));
        Self {
            handle,
            token,
            agent: running,
        }
    }

    async fn all(&self, state: &HookState) -> Vec<HookReport> {
        eventually("every hook is as wanted", || async {
            let reports = self.handle.hooks().borrow().clone();
            let all = reports.iter().all(|report| report.state == *state);
            all.then_some(reports.clone())
                .ok_or(format!("{reports:#?}"))
        })
        .await
    }

    async fn end(mut self) {
        self.token.cancel();
        self.agent.join_next().await.unwrap().unwrap().unwrap();
    }

    /// Ends it as a crash does: nothing of it runs any more.
    async fn crash(mut self) {
        self.agent.abort_all();
        while self.agent.join_next().await.is_some() {}
    }
}

#[tokio::test]
async fn hooks_are_active_while_the_agent_runs_and_gone_when_it_has_ended() {
    let circle = Circle::start("item.*,comment.create").await;
    let (client, url) = (&circle.podio.client, "http://127.0.0.1:9/another");
    let theirs = client.create_hook(RefType::App, ORDERS, url, EventType::ItemUpdate);
    let theirs = theirs.await.unwrap();

    let running = Running::start(&circle.config);
    let reports = running.all(&HookState::Active).await;

    assert_eq!(reports.len(), 4);
    let hooks = circle.hooks().await;
    assert_eq!(hooks.len(), 5);
    let ours = hooks.iter().filter(|hook| hook.hook_id != theirs);
    for hook in ours {
        assert!(hook.url.ends_with("/podio/hook"), "{}", hook.url);
        assert_eq!(hook.status, HookStatus::Active);
    }

    let handle = running.handle.clone();
    running.end().await;

    let left: Vec<_> = circle
        .hooks()
        .await
        .iter()
        .map(|hook| hook.hook_id)
        .collect();
    assert_eq!(left, [theirs]);
    let reports = handle.hooks().borrow().clone();
    assert!(
        reports
            .iter()
            .all(|report| report.state == HookState::Removed)
    );
}

#[tokio::test]
async fn the_next_start_removes_what_a_crash_left() {
    let mut circle = Circle::start("item.update,item.create").await;
    let running = Running::start(&circle.config);
    running.all(&HookState::Active).await;
    running.crash().await;
    assert_eq!(circle.hooks().await.len(), 2);

    circle.config.podio.hooks = None;
    let running = Running::start(&circle.config);
    eventually("the hooks are gone", || async {
        let left = circle.hooks().await;
        left.is_empty().then_some(()).ok_or(format!("{left:#?}"))
    })
    .await;
    running.end().await;
}

#[tokio::test]
async fn hooks_that_stay_are_used_by_the_next_start_and_not_doubled() {
    let circle = Circle::start("item.update").await.keep();
    let running = Running::start(&circle.config);
    running.all(&HookState::Active).await;
    running.end().await;
    let kept = circle.hooks().await;
    assert_eq!(kept.len(), 1);

    let running = Running::start(&circle.config);
    running.all(&HookState::Active).await;
    assert_eq!(circle.hooks().await, kept);
    running.end().await;
}

#[tokio::test]
async fn what_podio_refuses_is_told_and_the_rest_goes_on() {
    let mut circle = Circle::start("item.update").await;
    let hooks = circle.config.podio.hooks.as_mut().unwrap();
    hooks
        .wanted
        .extend(plan(PlaceRef::app(1), "item.update").unwrap());

    let running = Running::start(&circle.config);
    let reports = eventually("both are settled", || async {
        let reports = running.handle.hooks().borrow().clone();
        let is_open =
            |report: &HookReport| matches!(report.state, HookState::Waiting | HookState::Made);
        let settled = !reports.iter().any(is_open);
        settled
            .then_some(reports.clone())
            .ok_or(format!("{reports:#?}"))
    })
    .await;

    let [fine, refused] = &reports[..] else {
        panic!("{reports:#?}");
    };
    assert_eq!(fine.state, HookState::Active);
    assert!(
        matches!(&refused.state, HookState::Failed { reason } if reason.contains("Podio answered"))
    );
    running.end().await;
}

#[tokio::test]
async fn an_url_that_podio_would_not_call_is_refused_with_the_reason() {
    let mut circle = Circle::start("item.update").await;
    // Not this machine's: so the URL is checked as for Podio itself. Nobody is called.
    circle.config.podio.client.base_url = "https://podio.invalid".parse().unwrap();

    let mut running = Running::start(&circle.config);
    let ended = running.agent.join_next().await.unwrap().unwrap();

    let Err(RunError::Hooks(HooksError::Uncallable { source, .. })) = ended else {
        panic!("{ended:?}");
    };
    assert!(source.to_string().contains("this machine"));
}
