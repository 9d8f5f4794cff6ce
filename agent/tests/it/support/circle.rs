//! Sandbox, relay and agent connected to each other: a hook
//! of the sandbox leads through the relay to the agent.

use podtap_agent::config::HooksConfig;
use podtap_agent::hooks::{HookReport, HookState, plan};
use podtap_agent::{AgentConfig, PlaceRef};
use podtap_podio::RefType;
use podtap_podio::client::Hook;
use podtap_sandbox as sandbox;
use tempfile::TempDir;

use super::podio::{ORDERS, Podio};
use super::relay::TestRelay;
use super::running::RunningAgent;
use super::{Service, browsing, eventually, ok, target_of};

/// A sandbox, a relay, a local service, and the agent's configuration.
pub(crate) struct Circle {
    pub(crate) podio: Podio,
    pub(crate) config: AgentConfig,
    _service: Service,
    _relay: TestRelay,
    _folders: (TempDir, TempDir),
}

impl Circle {
    pub(crate) async fn start(on: &str) -> Self {
        let folders = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let aside = folders.1.path().join("aside.db");
        let podio = Podio::start(&aside, sandbox::SandboxConfig::default()).await;
        let relay = TestRelay::start().await;
        let service = Service::start(|_| ok()).await;
        let mut config = browsing(&folders.0);
        config.link = Some(relay.link().await);
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
            _relay: relay,
            _folders: folders,
        }
    }

    pub(crate) async fn hooks(&self) -> Vec<Hook> {
        self.podio.client.hooks(RefType::App, ORDERS).await.unwrap()
    }

    pub(crate) fn keep(mut self) -> Self {
        self.config.podio.hooks.as_mut().unwrap().keep = true;
        self
    }
}

impl RunningAgent {
    pub(crate) async fn all(&self, state: &HookState) -> Vec<HookReport> {
        eventually("every hook is as wanted", || async {
            let reports = self.handle.hooks().borrow().clone();
            let all = reports.iter().all(|report| report.state == *state);
            all.then_some(reports.clone())
                .ok_or(format!("{reports:#?}"))
        })
        .await
    }

    pub(crate) async fn all_failed(&self) -> Vec<HookReport> {
        eventually("every hook has failed", || async {
            let reports = self.handle.hooks().borrow().clone();
            let is_failed = |report: &HookReport| matches!(report.state, HookState::Failed { .. });
            let all = reports.iter().all(is_failed);
            all.then_some(reports.clone())
                .ok_or(format!("{reports:#?}"))
        })
        .await
    }
}
