//! Tests `hook.verify` from the sandbox's webhook to an active hook.

use crate::support::eventually;
use crate::support::podio::{ORDERS, PodioAgent};
use podtap_agent::history::{self, DeliveryState, HoldReason, Verification};
use podtap_agent::{Change, PodioConfig};
use podtap_podio::client::HookStatus;
use podtap_sandbox::{self as sandbox, Fault, Observation};

/// Waits until each of `count` events has an outcome; returns them, oldest first.
async fn outcomes(running: &PodioAgent, count: usize) -> Vec<Verification> {
    eventually("every hook.verify has an outcome", || async {
        let rows = running.rows().await;
        let outcomes: Vec<_> = rows
            .iter()
            .rev()
            .filter_map(|row| row.insight.verification.clone())
            .collect();
        if outcomes.len() == count {
            Ok(outcomes)
        } else {
            Err(format!("{rows:#?}"))
        }
    })
    .await
}

fn reason(verification: &Verification) -> &str {
    match verification {
        Verification::Failed { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_new_hook_is_active_without_anybody_doing_anything() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    let mut changes = running.agent.handle.changes();

    let hook_id = running.hook().await;

    assert_eq!(outcomes(&running, 1).await, [Verification::Validated]);
    assert_eq!(running.status(hook_id).await, HookStatus::Active);
    loop {
        if let Change::History(history::HistoryChange::Verified {
            hook_id: told,
            verification,
            ..
        }) = changes.recv().await.unwrap()
        {
            assert_eq!((told, verification.is_ok()), (Some(hook_id), true));
            break;
        }
    }
}

#[tokio::test]
async fn it_works_without_credentials() {
    let no_credentials = |podio: &mut PodioConfig| podio.client.credentials = None;
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), no_credentials).await;

    let hook_id = running.hook().await;

    assert_eq!(outcomes(&running, 1).await, [Verification::Validated]);
    assert_eq!(running.status(hook_id).await, HookStatus::Active);
}

#[tokio::test]
async fn where_podio_wants_credentials_the_cure_is_told() {
    let sandbox = sandbox::SandboxConfig {
        validate_requires_auth: true,
        ..sandbox::SandboxConfig::default()
    };
    let running = PodioAgent::start(sandbox, |podio| podio.client.credentials = None).await;

    running.hook().await;

    let found = outcomes(&running, 1).await;
    assert!(reason(&found[0]).contains("set Podio credentials"));
}

#[tokio::test]
async fn every_verification_of_a_hook_is_answered_also_the_second() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    let hook_id = running.hook().await;
    outcomes(&running, 1).await;

    let client = &running.podio.client;
    client.request_hook_verification(hook_id).await.unwrap();

    assert_eq!(
        outcomes(&running, 2).await,
        [Verification::Validated, Verification::Validated]
    );
}

#[tokio::test]
async fn an_error_that_may_pass_is_tried_again() {
    let mut running = PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
        podio.verify = false;
    })
    .await;
    let hook_id = running.hook().await;
    running.wait_for_events(1).await;
    let mut observed = running.podio.handle.subscribe();

    running.podio.handle.set_fault(Some(Fault::Status(503)));
    running.restart(|_| {}).await;
    let is_refused = |seen: &Observation| matches!(seen, Observation::Call { status: 503, path, .. } if path.ends_with("/validate"));
    while !is_refused(&observed.recv().await.unwrap()) {}
    running.podio.handle.set_fault(None);

    assert_eq!(outcomes(&running, 1).await, [Verification::Validated]);
    assert_eq!(running.status(hook_id).await, HookStatus::Active);
}

#[tokio::test]
async fn a_forged_event_fails_once_however_often_it_comes() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
        podio.client.credentials = None;
    })
    .await;
    let mut observed = running.podio.handle.subscribe();
    for _ in 0..20 {
        running
            .podio
            .forge("type=hook.verify&hook_id=1&code=abc")
            .await;
    }
    running
        .podio
        .forge("type=hook.verify&hook_id=1%2F..&code=abc")
        .await;

    let found = outcomes(&running, 21).await;

    assert!(reason(&found[0]).contains("400") || reason(&found[0]).contains("404"));
    assert!(reason(&found[20]).contains("missing or not a number"));
    running
        .podio
        .forge("type=hook.verify&hook_id=1&code=abc")
        .await;
    outcomes(&running, 22).await;
    let mut calls = 0;
    while let Ok(observation) = observed.try_recv() {
        calls += usize::from(matches!(observation, Observation::Call { .. }));
    }
    assert_eq!(calls, 1);
}

#[tokio::test]
async fn a_refusal_is_no_failure_where_the_list_shows_the_hook_active() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
        podio.places = vec![podtap_agent::PlaceRef::app(ORDERS)];
    })
    .await;
    let hook_id = running.hook().await;
    outcomes(&running, 1).await;

    // This looks like a code that another receiver has already used.
    let used = format!("type=hook.verify&hook_id={hook_id}&code=00000000");
    running.podio.forge(&used).await;

    let found = outcomes(&running, 2).await;
    assert_eq!(found[1], Verification::ActiveAnyway);
}

#[tokio::test]
async fn what_was_not_answered_before_a_crash_is_answered_after_it() {
    let mut running = PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
        podio.verify = false;
    })
    .await;
    let hook_id = running.hook().await;
    running.wait_for_events(1).await;
    assert_eq!(running.status(hook_id).await, HookStatus::Inactive);

    running.restart(|_| {}).await;

    assert_eq!(outcomes(&running, 1).await, [Verification::Validated]);
    assert_eq!(running.status(hook_id).await, HookStatus::Active);
}

#[tokio::test]
async fn a_hook_verify_reaches_the_local_service_unless_told_otherwise() {
    for forward in [true, false] {
        let running = PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
            podio.forward_verify = forward;
        })
        .await;
        running.hook().await;
        outcomes(&running, 1).await;
        let row = running.wait_for_events(1).await.remove(0);
        let (state, hold) = if forward {
            (DeliveryState::Delivered, None)
        } else {
            (DeliveryState::Held, Some(HoldReason::Verify))
        };
        assert_eq!((row.state, row.insight.hold), (state, hold));
        assert_eq!(running.service.requests().len(), usize::from(forward));
    }
}
