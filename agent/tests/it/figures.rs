//! Tests the data of the screens beside the list, from the sandbox's webhooks to the figures.

use crate::support::podio::{ORDERS, PodioAgent};
use crate::support::{answer, eventually, ok};
use podtap_agent::Replay;
use podtap_agent::figures::{Holds, MINUTES, MinuteState, QuietStep, TimelineEntry, TimelineEvent};
use podtap_podio::client::{Client, WriteOptions};
use podtap_podio::{ObjectKind, ObjectRef};
use podtap_sandbox as sandbox;
use serde_json::json;

const QUIETLY: WriteOptions = WriteOptions {
    hook: false,
    silent: false,
};

async fn update(running: &PodioAgent, item: u64, revision: u64, hook_id: u64) {
    let body =
        format!("type=item.update&item_id={item}&item_revision_id={revision}&hook_id={hook_id}");
    running.podio.forge(&body).await;
}

#[tokio::test]
async fn hooks_have_their_calls_failures_and_times_and_replays_are_none() {
    let running = PodioAgent::answering(|received| {
        let body = String::from_utf8_lossy(&received.body).into_owned();
        if body.contains("hook_id=8") {
            answer(500, "no")
        } else {
            ok()
        }
    })
    .await;
    for revision in 0..3 {
        update(&running, 1, revision, 7).await;
    }
    update(&running, 2, 0, 8).await;
    let rows = running.wait_for_events(4).await;
    running
        .agent
        .handle
        .replay(Replay {
            event: rows[0].id,
            target: None,
            edited: None,
        })
        .await
        .unwrap();

    let traffic = running.agent.handle.traffic().await.unwrap();

    let [seven, eight] = &traffic.hooks[..] else {
        panic!("{traffic:#?}");
    };
    assert_eq!((seven.hook_id, seven.calls, seven.failed), (Some(7), 3, 0));
    assert_eq!(seven.event_type.as_deref(), Some("item.update"));
    assert_eq!(seven.per_minute.len(), MINUTES);
    assert_eq!(seven.per_minute.iter().sum::<u64>(), 3);
    assert!(seven.p50.is_some() && seven.p50 <= seven.max);
    assert_eq!((eight.hook_id, eight.calls, eight.failed), (Some(8), 1, 1));
    assert_eq!(eight.distance.failed_soon, 1);
    assert!(eight.distance.nearest() > 0.06);

    // Reading on from there adds the new events, and none twice.
    update(&running, 1, 3, 7).await;
    running.wait_for_events(5).await;
    let traffic = running.agent.handle.traffic().await.unwrap();
    assert_eq!(traffic.hooks[0].calls, 4);
    let times = running.agent.handle.answer_times().await.unwrap();
    assert_eq!((times.answered, times.unanswered), (5, 0));
    let counted: u64 = times.buckets.iter().map(|bucket| bucket.count).sum();
    assert_eq!((counted, times.over_limit), (5, 0));
}

fn events(entries: &[TimelineEntry]) -> Vec<&TimelineEvent> {
    let events = entries.iter().filter_map(|entry| match entry {
        TimelineEntry::Event(event) => Some(&**event),
        TimelineEntry::Missing { .. } => None,
    });
    events.collect()
}

async fn change(client: &Client, item: u64, status: &str) {
    let fields = json!({ "status": status });
    client
        .update_item(item, &fields, None, QUIETLY)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_timeline_tells_who_made_each_change_through_which_client_and_what_never_came() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
        podio.enrich = false;
    })
    .await;
    let ours = &running.podio.client;
    let fields = json!({ "title": "A walnut desk", "status": "New" });
    let item = ours.create_item(ORDERS, &fields, QUIETLY).await.unwrap();
    change(ours, item, "Paid").await;
    change(&running.podio.colleague(), item, "Shipped").await;
    change(ours, item, "New").await;
    let hook_id = running.hook().await;
    running.wait_for_events(1).await;
    for revision in [1, 2, 3] {
        update(&running, item, revision, hook_id).await;
    }
    update(&running, 4711, 1, hook_id).await;
    update(&running, item, 6, hook_id).await;
    let rows = running.wait_for_events(6).await;
    for row in &rows[3..5] {
        running.agent.handle.explain(row.id).await.unwrap();
    }
    let object = ObjectRef {
        kind: ObjectKind::Item,
        id: item,
    };

    let timeline = eventually("the gap is marked", || async {
        let timeline = running.agent.handle.timeline(object).await.unwrap();
        let last = timeline.entries.iter().rev().nth(1);
        let is_gap = last == Some(&TimelineEntry::Missing { from: 4, to: 5 });
        is_gap
            .then_some(timeline.clone())
            .ok_or(format!("{timeline:#?}"))
    })
    .await;

    assert_eq!(timeline.title.as_deref(), Some("A walnut desk"));
    assert_eq!(
        (timeline.app.as_deref(), timeline.left_out),
        (Some("Orders"), 0)
    );
    let events = events(&timeline.entries);
    let revisions: Vec<_> = events
        .iter()
        .filter_map(|event| event.row.revision)
        .collect();
    assert_eq!(revisions, [1, 2, 3, 6]);
    assert!(events.iter().all(|event| event.row.last.is_some()));
    let author = |index: usize| events[index].author.clone().unwrap();
    assert_eq!(author(0).who.as_deref(), Some("Ada Holm"));
    assert_eq!(
        (author(0).via.as_deref(), author(0).own),
        (Some("Podtap"), Some(true))
    );
    assert_eq!(author(1).own, Some(false));
    assert_eq!(author(1).via.as_deref(), Some("Invoicing bridge"));
    assert_eq!(events[0].changes[0].to, "Paid");
    // Podio was not asked about these events, so their author is unknown.
    assert_eq!(
        (events[2].author.clone(), events[3].author.clone()),
        (None, None)
    );
    let budget = running.agent.handle.api_budget().await.unwrap();
    assert!(budget.remaining < budget.limit, "{budget:?}");
}

#[tokio::test]
async fn the_last_hour_begins_with_what_the_agent_has_seen() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    update(&running, 1, 0, 7).await;
    running.wait_for_events(1).await;
    // The relay of these tests does not exist.
    let minutes = eventually("the minute is known", || async {
        let minutes = running.agent.handle.past_hour();
        let newest = minutes[MINUTES - 1];
        let is_known = newest.service == MinuteState::Up && newest.link == MinuteState::Away;
        is_known.then_some(minutes).ok_or(format!("{newest:?}"))
    })
    .await;
    assert_eq!(minutes.len(), MINUTES);
    let before = minutes[..MINUTES - 2].iter();
    assert!(
        before
            .clone()
            .all(|minute| minute.link == MinuteState::Unknown)
    );
    assert!(
        minutes
            .windows(2)
            .all(|pair| pair[1].at.duration_since(pair[0].at).as_secs() == 60)
    );
}

#[tokio::test]
async fn the_chain_says_which_link_is_broken_and_what_to_do() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    let chain = eventually("the link is known to be away", || async {
        let chain = running.agent.handle.why_quiet().await.unwrap();
        let link = chain.links[3].clone();
        (link.holds == Holds::No)
            .then_some(chain)
            .ok_or(format!("{link:?}"))
    })
    .await;
    let steps: Vec<_> = chain.links.iter().map(|link| link.step).collect();
    assert_eq!(
        steps,
        [
            QuietStep::HookExists,
            QuietStep::HookActive,
            QuietStep::RelayReachable,
            QuietStep::LinkUp,
            QuietStep::ServiceUp
        ]
    );
    assert_eq!(chain.break_at().unwrap().step, QuietStep::LinkUp);
    let broken = chain.links.iter().filter(|link| link.holds == Holds::No);
    for link in broken {
        assert!(link.cure.is_some() && !link.reason.is_empty(), "{link:?}");
    }
    update(&running, 1, 0, 7).await;
    running.wait_for_events(1).await;
    let chain = running.agent.handle.why_quiet().await.unwrap();
    assert_eq!(chain.links[0].holds, Holds::Yes);
    assert_eq!(chain.links[4].holds, Holds::Yes);
}
