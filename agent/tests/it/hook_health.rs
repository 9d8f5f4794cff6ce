//! Tests that hooks are checked while the agent runs, with sandbox, relay and agent connected to
//! each other, and with short times.

use std::time::Duration;

use podtap_agent::figures::Holds;
use podtap_agent::history::{self, Finding, FindingPosition, HookCondition, HookNews};
use podtap_agent::hooks::HookState;
use podtap_agent::{AgentHandle, Change};
use podtap_podio::client::HookStatus;
use podtap_podio::{EventType, RefType};
use podtap_sandbox::{Fault, Observation};
use serde_json::Value;

use crate::support::circle::Circle;
use crate::support::eventually;
use crate::support::podio::ORDERS;
use crate::support::running::RunningAgent;

const SHORT: Duration = Duration::from_millis(200);

async fn looking_after(on: &str) -> Circle {
    let mut circle = Circle::start(on).await;
    circle.config.podio.hooks_read_every = SHORT;
    circle
}

/// Returns the reported news of hooks, in order.
async fn hook_news(handle: &AgentHandle, from: FindingPosition) -> Vec<HookNews> {
    let findings = handle.history().findings_after(from, 1_000).await.unwrap();
    let hooks = findings
        .into_iter()
        .filter_map(|(_, finding)| match finding {
            Finding::Hook(news) => Some(*news),
            _ => None,
        });
    hooks.collect()
}

/// Returns the hooks that are reported as gone.
async fn hooks_gone(handle: &AgentHandle, from: FindingPosition) -> Vec<u64> {
    let news = hook_news(handle, from).await.into_iter();
    let gone = news.filter(|news| news.state == HookCondition::Gone);
    gone.map(|news| news.hook_id).collect()
}

/// Disables a hook in the sandbox, as Podio does after too many failures.
fn disable(circle: &Circle, hook_id: u64) {
    let handle = &circle.podio.handle;
    let file = handle.save_if_changed(&mut u64::MAX.clone()).unwrap();
    let mut world: Value = serde_json::from_slice(&file.unwrap()).unwrap();
    let active = &mut world["hooks"][hook_id.to_string()]["active"];
    assert_eq!(*active, true);
    *active = false.into();
    handle.restore(world.to_string().as_bytes()).unwrap();
}

#[tokio::test]
async fn a_hook_that_becomes_inactive_is_told_and_verified_again() {
    let circle = looking_after("item.update").await;
    let running = RunningAgent::start(circle.config.clone());
    let hook_id = running.all(&HookState::Active).await[0].hook_id.unwrap();
    let begin = running.handle.history().end().await.unwrap().finding;
    let mut changes = running.handle.changes();
    let chain = eventually("the hooks were read", || async {
        let chain = running.handle.why_quiet().await.unwrap();
        let is_read = chain.links[1].reason == "Podio says so";
        is_read
            .then_some(chain.clone())
            .ok_or(format!("{chain:#?}"))
    })
    .await;
    assert_eq!(chain.links[0].holds, Holds::Yes);

    let inactive = HookCondition::Inactive { verifying: true };
    disable(&circle, hook_id);

    let news = eventually("it is active again", || async {
        let news = hook_news(&running.handle, begin).await;
        // The first verification may have taken long enough to be reported, too.
        let since = news.iter().position(|news| news.state == inactive);
        let since = since.map_or(&[][..], |since| &news[since..]);
        (since.len() >= 2)
            .then_some(since.to_vec())
            .ok_or(format!("{news:#?}"))
    })
    .await;
    let states: Vec<_> = news.iter().map(|news| news.state).collect();
    assert_eq!(states, [inactive, HookCondition::Active]);
    assert_eq!(news[0].hook_id, hook_id);
    assert_eq!(news[0].event_type.as_deref(), Some("item.update"));
    assert_eq!(news[0].place.as_ref().unwrap().at.ref_id, ORDERS);
    assert_eq!(circle.hooks().await[0].status, HookStatus::Active);
    let mut is_announced = false;
    while let Ok(change) = changes.try_recv() {
        is_announced |= matches!(change, Change::History(history::HistoryChange::Hook(_)));
    }
    assert!(is_announced);
    running.stop().await;
}

#[tokio::test]
async fn a_hook_that_somebody_deleted_is_told_and_one_that_was_deleted_here_is_not() {
    let circle = looking_after("item.update,item.create").await;
    let running = RunningAgent::start(circle.config.clone());
    let reports = running.all(&HookState::Active).await;
    let [here, there] = [0, 1].map(|index: usize| reports[index].hook_id.unwrap());
    let begin = running.handle.history().end().await.unwrap().finding;
    // Hooks that were never seen cannot be reported as gone.
    eventually("both were seen", || async {
        let chain = running.handle.why_quiet().await.unwrap();
        let reason = chain.links[0].reason.clone();
        reason.contains("2 hooks").then_some(()).ok_or(reason)
    })
    .await;

    running.handle.delete_hook(here).await.unwrap();
    circle.podio.client.delete_hook(there).await.unwrap();

    let news = eventually("the other one is told", || async {
        let news = hooks_gone(&running.handle, begin).await;
        (!news.is_empty()).then_some(news).ok_or(String::new())
    })
    .await;
    assert_eq!(news, [there]);
    running.stop().await;
}

#[tokio::test]
async fn hooks_that_lead_elsewhere_are_nobodys_business() {
    let circle = looking_after("item.update").await;
    let (client, url) = (&circle.podio.client, "http://127.0.0.1:9/another");
    let theirs = client.create_hook(RefType::App, ORDERS, url, EventType::ItemUpdate);
    let theirs = theirs.await.unwrap();
    let running = RunningAgent::start(circle.config.clone());
    let ours = running.all(&HookState::Active).await[0].hook_id.unwrap();
    let begin = running.handle.history().end().await.unwrap().finding;
    eventually("ours was seen", || async {
        let chain = running.handle.why_quiet().await.unwrap();
        let reason = chain.links[0].reason.clone();
        reason.contains("1 hook ").then_some(()).ok_or(reason)
    })
    .await;

    client.delete_hook(theirs).await.unwrap();
    client.delete_hook(ours).await.unwrap();

    let news = eventually("ours is told", || async {
        let news = hooks_gone(&running.handle, begin).await;
        (!news.is_empty()).then_some(news).ok_or(String::new())
    })
    .await;
    assert_eq!(news, [ours]);
    running.stop().await;
}

#[tokio::test]
async fn where_podio_cannot_be_asked_it_is_not_asked_again_at_once() {
    let circle = looking_after("item.update").await;
    let running = RunningAgent::start(circle.config.clone());
    let hook_id = running.all(&HookState::Active).await[0].hook_id.unwrap();
    let begin = running.handle.history().end().await.unwrap().finding;
    eventually("the hook was seen", || async {
        let chain = running.handle.why_quiet().await.unwrap();
        let reason = chain.links[1].reason.clone();
        (reason == "Podio says so").then_some(()).ok_or(reason)
    })
    .await;
    // No verification arrives, so that the hook stays inactive and is to be checked again soon.
    circle.podio.handle.set_outage(true);
    disable(&circle, hook_id);
    eventually("it is told to be inactive", || async {
        let news = hook_news(&running.handle, begin).await;
        (!news.is_empty()).then_some(()).ok_or(String::new())
    })
    .await;
    circle.podio.handle.set_fault(Some(Fault::Status(503)));
    let mut seen = circle.podio.handle.subscribe();

    tokio::time::sleep(SHORT * 5).await;

    let mut calls = 0;
    while let Ok(seen) = seen.try_recv() {
        calls += usize::from(matches!(seen, Observation::Call { .. }));
    }
    assert!(calls < 60, "{calls} calls in five readings");
    running.stop().await;
}
