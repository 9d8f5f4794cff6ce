//! Tests hooks that live as long as the agent, with
//! sandbox, relay and agent connected to each other.

use std::time::Duration;

use podtap_agent::hooks::{HookReport, HookState, plan};
use podtap_agent::{HooksError, PlaceRef, RunError, TunnelClient};
use podtap_connect::tls::Trust;
use podtap_podio::client::{Hook, HookStatus};
use podtap_podio::{EventType, RefType};
use podtap_sandbox::Fault;

use crate::support::circle::Circle;
use crate::support::eventually;
use crate::support::podio::ORDERS;
use crate::support::running::RunningAgent;

#[tokio::test]
async fn hooks_are_active_while_the_agent_runs_and_gone_when_it_has_ended() {
    let circle = Circle::start("item.*,comment.create").await;
    let (client, url) = (&circle.podio.client, "http://127.0.0.1:9/another");
    let theirs = client.create_hook(RefType::App, ORDERS, url, EventType::ItemUpdate);
    let theirs = theirs.await.unwrap();

    let running = RunningAgent::start(circle.config.clone());
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
    running.stop().await;

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
    let running = RunningAgent::start(circle.config.clone());
    running.all(&HookState::Active).await;
    running.crash().await;
    assert_eq!(circle.hooks().await.len(), 2);

    circle.config.podio.hooks = None;
    let running = RunningAgent::start(circle.config.clone());
    eventually("the hooks are gone", || async {
        let left = circle.hooks().await;
        left.is_empty().then_some(()).ok_or(format!("{left:#?}"))
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn hooks_that_stay_are_used_by_the_next_start_and_not_doubled() {
    let circle = Circle::start("item.update").await.keep();
    let running = RunningAgent::start(circle.config.clone());
    running.all(&HookState::Active).await;
    running.stop().await;
    let kept = circle.hooks().await;
    assert_eq!(kept.len(), 1);

    let running = RunningAgent::start(circle.config.clone());
    running.all(&HookState::Active).await;
    assert_eq!(circle.hooks().await, kept);
    running.stop().await;
}

#[tokio::test]
async fn what_podio_refuses_is_told_and_the_rest_goes_on() {
    let mut circle = Circle::start("item.update").await;
    let hooks = circle.config.podio.hooks.as_mut().unwrap();
    hooks
        .wanted
        .extend(plan(PlaceRef::app(1), "item.update").unwrap());

    let running = RunningAgent::start(circle.config.clone());
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
    running.stop().await;
}

#[tokio::test]
async fn an_url_that_podio_would_not_call_is_refused_with_the_reason() {
    let mut circle = Circle::start("item.update").await;
    // This URL is not on this machine, so the hook's URL
    // is checked as for Podio itself. No call is made.
    circle.config.podio.client.base_url = "https://podio.invalid".parse().unwrap();

    let mut running = RunningAgent::start(circle.config.clone());
    let ended = running.agent.join_next().await.unwrap().unwrap();

    let Err(RunError::Hooks(HooksError::Uncallable { source, .. })) = ended else {
        panic!("{ended:?}");
    };
    assert!(source.to_string().contains("this machine"));
}

#[tokio::test]
async fn hooks_follow_the_tunnel_to_its_new_url() {
    let circle = Circle::start("item.update,item.create").await;
    let running = RunningAgent::start(circle.config.clone());
    running.all(&HookState::Active).await;
    let before = circle.hooks().await[0].url.clone();

    let link = circle.config.link.clone().unwrap();
    let owner = TunnelClient::new(&link, &Trust::default()).unwrap();
    let grace = Duration::from_mins(1);
    owner.rotate(&link.tunnel, grace).await.unwrap();

    let hooks = eventually(
        "both hooks are on the new URL, and no other is left",
        || async {
            let hooks = circle.hooks().await;
            let is_there = |hook: &Hook| hook.url != before && hook.status == HookStatus::Active;
            let all = hooks.len() == 2 && hooks.iter().all(is_there);
            all.then_some(hooks.clone()).ok_or(format!("{hooks:#?}"))
        },
    )
    .await;
    let url = running.handle.status().borrow().public_url.clone().unwrap();
    assert!(
        hooks.iter().all(|hook| hook.url.starts_with(&url)),
        "{url}: {hooks:#?}"
    );
    running.all(&HookState::Active).await;
    running.stop().await;
    assert_eq!(circle.hooks().await, []);
}

#[tokio::test]
async fn hooks_are_made_once_the_api_is_back() {
    let circle = Circle::start("item.update").await;
    // Log in first, so that the fault affects the hooks and not the token.
    circle.hooks().await;
    circle.podio.handle.set_fault(Some(Fault::Status(503)));
    let running = RunningAgent::start(circle.config.clone());
    let reports = running.all_failed().await;
    let HookState::Failed { reason } = &reports[0].state else {
        panic!("{reports:#?}");
    };
    assert!(reason.contains("trying again"), "{reason}");
    let told = running.handle.status().borrow().failed_hooks.clone();
    assert_eq!(told.len(), 1, "{told:?}");

    circle.podio.handle.set_fault(None);

    running.all(&HookState::Active).await;
    assert_eq!(circle.hooks().await.len(), 1);
    assert!(running.handle.status().borrow().failed_hooks.is_empty());
    running.stop().await;
}
