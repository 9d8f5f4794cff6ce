//! Tests the listing and management of Podio's hooks for a person, with the sandbox.

use crate::support::eventually;
use crate::support::podio::{ORDERS, PodioAgent};
use podtap_agent::{ManageHooksError, PlaceRef, UrlVerdict};
use podtap_podio::EventType;
use podtap_podio::client::HookStatus;
use podtap_sandbox as sandbox;

const ELSEWHERE: PlaceRef = PlaceRef::app(1);

async fn running() -> PodioAgent {
    PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
        podio.places = vec![ELSEWHERE, PlaceRef::app(ORDERS)];
    })
    .await
}

#[tokio::test]
async fn a_place_that_fails_does_not_hide_the_others() {
    let running = running().await;
    let hook_id = running.hook().await;

    let listing = running.agent.handle.podio_hooks().await.unwrap();

    assert_eq!(listing.places.len(), 2);
    assert_eq!(listing.failed.len(), 1);
    assert_eq!(listing.failed[0].place.at, ELSEWHERE);
    let reason = &listing.failed[0].reason;
    assert!(reason.contains("Podio answered"), "{reason}");
    let [listed] = &listing.hooks[..] else {
        panic!("{listing:#?}");
    };
    assert_eq!(listed.hook.hook_id, hook_id);
    assert_eq!(listed.hook.url, running.podio.ingest);
    assert!(listed.hook.created_by.is_some());
    assert!(!listed.made_here);
    assert_eq!(listed.verdict, UrlVerdict::Unsuspected);
}

#[tokio::test]
async fn a_hook_is_made_verified_again_and_deleted() {
    let running = running().await;
    let (handle, url) = (&running.agent.handle, running.podio.ingest.clone());
    let app = PlaceRef::app(ORDERS);

    let hook_id = handle
        .create_hook(app, EventType::ItemCreate, &url)
        .await
        .unwrap();
    eventually("the hook is active", || async {
        let listing = handle.podio_hooks().await.unwrap();
        let hook = listing.hooks.into_iter().map(|listed| listed.hook);
        let mut hook = hook.filter(|hook| hook.hook_id == hook_id);
        let status = hook.next().map(|hook| hook.status);
        let active = status == Some(HookStatus::Active);
        active.then_some(()).ok_or(format!("{status:?}"))
    })
    .await;

    handle.request_hook_verification(hook_id).await.unwrap();
    let rows = running.wait_for_events(2).await;
    let verified = Some("hook.verify");
    assert!(rows.iter().all(|row| row.event_type.as_deref() == verified));
    let place = rows[0].insight.place.as_ref().map(|place| place.at);
    assert_eq!(place, Some(app), "its events say what it is on");

    handle.delete_hook(hook_id).await.unwrap();
    assert_eq!(handle.podio_hooks().await.unwrap().hooks, []);
    handle.delete_hook(hook_id).await.unwrap();
}

#[tokio::test]
async fn what_the_history_learned_is_listed_without_being_configured() {
    let mut running = running().await;
    let url = running.podio.ingest.clone();
    let created =
        running
            .agent
            .handle
            .create_hook(PlaceRef::app(ORDERS), EventType::ItemCreate, &url);
    let hook_id = created.await.unwrap();

    running.restart(|podio| podio.places = Vec::new()).await;

    let listing = running.agent.handle.podio_hooks().await.unwrap();
    let ids: Vec<_> = listing.hooks.iter().map(|hook| hook.hook.hook_id).collect();
    assert_eq!(ids, [hook_id]);
}

#[tokio::test]
async fn without_credentials_nobody_is_asked() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
        podio.client.credentials = None;
    })
    .await;

    let refused = running.agent.handle.podio_hooks().await.unwrap_err();
    assert!(matches!(refused, ManageHooksError::NoCredentials));
    assert!(refused.to_string().contains("podtap login"), "{refused}");
    let refused = running.agent.handle.delete_hook(7).await.unwrap_err();
    assert!(matches!(refused, ManageHooksError::NoCredentials));
}

#[tokio::test]
async fn near_the_limit_nothing_is_listed() {
    let mut limited = sandbox::SandboxConfig::default();
    limited.rates.general = 40;
    let running = PodioAgent::start(limited, |podio| {
        podio.places = vec![PlaceRef::app(ORDERS)];
    })
    .await;

    let mut listed = 0;
    let refused = loop {
        match running.agent.handle.podio_hooks().await {
            Ok(_) => listed += 1,
            Err(error) => break error,
        }
        assert!(listed < 40, "the limit is never near");
    };

    assert!(
        matches!(refused, ManageHooksError::RateLimitNear(rate) if rate.remaining > 0),
        "{refused}"
    );
}
