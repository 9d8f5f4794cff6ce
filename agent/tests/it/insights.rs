//! Tests what the agent finds out, from the sandbox's webhooks to the history's readers.

use crate::support::podio::{ORDERS, PodioAgent, webhook_at};
use crate::support::{answer, eventually};
use podtap_agent::history::{self, DeliveryState, Duplicate, EventRow, HoldReason};
use podtap_agent::{Change, ExplainError, Explanation, PlaceRef};
use podtap_podio::client::{Credentials, Grant, WriteOptions};
use podtap_podio::standing::Judgement;
use podtap_podio::{EventType, ObjectKind, ObjectRef, RefType};
use podtap_sandbox as sandbox;
use serde_json::json;

const ITEM: ObjectRef = ObjectRef {
    kind: ObjectKind::Item,
    id: 4711,
};

async fn update(running: &PodioAgent, revision: u64, hook_id: u64) {
    let body =
        format!("type=item.update&item_id=4711&item_revision_id={revision}&hook_id={hook_id}");
    running.podio.forge(&body).await;
}

/// Returns the row with this index, counted from the oldest, once it looks as `wanted`.
async fn row(running: &PodioAgent, index: usize, wanted: impl Fn(&EventRow) -> bool) -> EventRow {
    eventually("the row looks as wanted", || async {
        let rows = running.rows().await;
        match rows.into_iter().rev().nth(index) {
            Some(row) if wanted(&row) => Ok(row),
            other => Err(format!("{other:#?}")),
        }
    })
    .await
}

#[tokio::test]
async fn duplicates_and_gaps_are_marked_and_a_late_arrival_closes_its_gap() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    for (revision, hook_id) in [(3, 7), (7, 7), (7, 7), (7, 8), (5, 7)] {
        update(&running, revision, hook_id).await;
    }

    let first = row(&running, 0, |_| true).await;
    let late = row(&running, 4, |row| row.insight.missing == 1).await;
    let gap = row(&running, 1, |row| row.insight.missing == 1).await;
    let again = row(&running, 2, |row| row.insight.duplicate.is_some()).await;
    let other_hook = row(&running, 3, |row| row.insight.duplicate.is_some()).await;

    assert_eq!((first.insight.missing, late.revision), (0, Some(5)));
    assert_eq!((late.insight.late, gap.insight.late), (Some(7), None));
    let of = gap.position;
    let duplicate = |same_hook| Some(Duplicate { of, same_hook });
    assert_eq!(again.insight.duplicate, duplicate(true));
    assert_eq!(other_hook.insight.duplicate, duplicate(false));
    assert_eq!(again.insight.missing, 0);

    update(&running, 4, 7).await;
    update(&running, 6, 7).await;
    row(&running, 1, |row| row.insight.missing == 0).await;
    row(&running, 4, |row| row.insight.missing == 0).await;
}

#[tokio::test]
async fn a_loop_is_told_once_and_its_object_held_until_released() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
        podio.break_loops = true;
    })
    .await;
    let mut changes = running.agent.handle.changes();
    for revision in 0..12 {
        update(&running, revision, 7).await;
    }
    eventually("the loop is found", || async {
        let loops = running.agent.handle.history().loops().await.unwrap();
        (!loops.is_empty()).then_some(()).ok_or(String::new())
    })
    .await;
    let before = running.rows().await.len();
    for revision in 20..25 {
        update(&running, revision, 7).await;
    }

    let rows = running.wait_for_events(before + 5).await;
    for row in &rows[..5] {
        assert_eq!(row.state, DeliveryState::Held);
        assert_eq!(row.insight.hold, Some(HoldReason::Loop));
    }
    let loops = running.agent.handle.history().loops().await.unwrap();
    assert_eq!(loops.len(), 1);
    assert_eq!((loops[0].object, loops[0].hook_id), (ITEM, 7));
    assert!(loops[0].consecutive);
    assert_eq!(running.agent.handle.held_objects(), [ITEM]);
    let mut told = 0;
    while let Ok(change) = changes.try_recv() {
        told += usize::from(matches!(
            change,
            Change::History(history::HistoryChange::Loop(_))
        ));
    }
    assert_eq!(told, 1);

    assert!(running.agent.handle.release(ITEM).await.unwrap());
    update(&running, 30, 7).await;
    let rows = running.wait_for_events(before + 6).await;
    assert_eq!(rows[0].state, DeliveryState::Delivered);
    assert_eq!(rows[1].state, DeliveryState::Held);
    assert_eq!(running.agent.handle.held_objects(), []);
}

#[tokio::test]
async fn an_object_stays_held_after_a_restart() {
    let mut running = PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
        podio.break_loops = true;
    })
    .await;
    for revision in 0..12 {
        update(&running, revision, 7).await;
    }
    eventually("the object is held", || async {
        let held = running.agent.handle.held_objects();
        (held == [ITEM]).then_some(()).ok_or(format!("{held:?}"))
    })
    .await;

    running.restart(|podio| podio.break_loops = true).await;

    assert_eq!(running.agent.handle.held_objects(), [ITEM]);
    update(&running, 40, 7).await;
    assert_eq!(
        running.wait_for_events(13).await[0].insight.hold,
        Some(HoldReason::Loop)
    );
}

#[tokio::test]
async fn a_service_that_fails_would_have_lost_its_hook() {
    let running = PodioAgent::answering(|_| answer(500, "no")).await;
    for revision in 0..20 {
        let item = 100 + revision;
        let body = format!("type=item.update&item_id={item}&item_revision_id={revision}&hook_id=7");
        running.podio.forge(&body).await;
    }
    running.wait_for_events(20).await;

    let standings = running.agent.handle.standings().await.unwrap();

    assert_eq!(standings.len(), 1);
    assert!(matches!(standings[0].current, Judgement::Suspended { .. }));
    assert_eq!((standings[0].calls, standings[0].missed), (15, 5));
    assert_eq!(running.agent.handle.standings().await.unwrap(), standings);
}

#[tokio::test]
async fn a_hook_gets_the_name_of_its_app_from_the_list() {
    let mut running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    running.hook().await;

    running
        .restart(|podio| podio.places = vec![PlaceRef::app(ORDERS)])
        .await;

    let row = row(&running, 0, |row| row.insight.place.is_some()).await;
    assert_eq!(row.insight.place.unwrap().to_string(), "Orders");
}

/// Creates an item of the sandbox and updates it once; returns the event of the update.
async fn change_item(running: &PodioAgent) -> (u64, EventRow) {
    let client = &running.podio.client;
    for event in [
        EventType::ItemCreate,
        EventType::ItemUpdate,
        EventType::ItemDelete,
    ] {
        let url = &running.podio.ingest;
        client
            .create_hook(RefType::App, ORDERS, url, event)
            .await
            .unwrap();
    }
    eventually("the hooks are active", || async {
        let hooks = client.hooks(RefType::App, ORDERS).await.unwrap();
        let active = |hook: &podtap_podio::client::Hook| {
            hook.status == podtap_podio::client::HookStatus::Active
        };
        hooks
            .iter()
            .all(active)
            .then_some(())
            .ok_or(format!("{hooks:?}"))
    })
    .await;
    let options = WriteOptions::default();
    let fields = json!({ "title": "A walnut desk", "status": "New" });
    let item = client.create_item(ORDERS, &fields, options).await.unwrap();
    let fields = json!({ "status": "Paid" });
    client
        .update_item(item, &fields, None, options)
        .await
        .unwrap();
    let rows = running.wait_for_events(5).await;
    (item, rows[0].clone())
}

#[tokio::test]
async fn an_update_is_explained_field_by_field_and_asked_for_once() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    let (_, event) = change_item(&running).await;

    let told = running.agent.handle.explain(event.id).await.unwrap();

    assert_eq!(told.title.as_deref(), Some("A walnut desk"));
    assert_eq!(told.app.as_deref(), Some("Orders"));
    assert_eq!(told.who.as_deref(), Some("Ada Holm"));
    assert_eq!(told.via.as_deref(), Some("Podtap"));
    assert_eq!(told.changes.len(), 1, "{told:#?}");
    let change = &told.changes[0];
    assert_eq!(
        (&*change.field, &*change.from, &*change.to),
        ("Status", "New", "Paid")
    );

    running
        .podio
        .handle
        .set_fault(Some(sandbox::Fault::Status(500)));
    assert_eq!(running.agent.handle.explain(event.id).await.unwrap(), told);
}

#[tokio::test]
async fn a_creation_is_told_as_it_was_also_when_the_item_has_changed_since() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    let (item_id, _) = change_item(&running).await;
    let created = format!("type=item.create&item_id={item_id}&item_revision_id=0&hook_id=7");
    let id = running.podio.forge(&created).await;

    let told = running.agent.handle.explain(id).await.unwrap();

    let status = told.changes.iter().find(|change| change.field == "Status");
    assert_eq!(status.unwrap().to, "New", "{told:#?}");
    assert_eq!(told.title.as_deref(), Some("A walnut desk"));
}

#[tokio::test]
async fn what_is_gone_is_told_honestly() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    let id = running
        .podio
        .forge("type=item.update&item_id=99&item_revision_id=3&hook_id=7")
        .await;

    let told: Explanation = running.agent.handle.explain(id).await.unwrap();

    assert_eq!(told.title, None);
    assert!(
        told.notes
            .iter()
            .any(|note| note.contains("the item is gone")),
        "{told:#?}"
    );
}

#[tokio::test]
async fn without_credentials_podio_is_not_asked_and_wrong_ones_are_told() {
    let mut running = PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
        podio.client.credentials = None;
    })
    .await;
    let id = running
        .podio
        .forge("type=item.update&item_id=99&item_revision_id=3")
        .await;
    let refused = running.agent.handle.explain(id).await;
    assert!(matches!(refused, Err(ExplainError::NoCredentials)));

    running
        .restart(|podio| {
            podio.client.credentials = Some(Credentials {
                client_id: "podtap".to_owned(),
                client_secret: "wrong".into(),
                grant: Grant::Stored,
            });
        })
        .await;
    let refused = running.agent.handle.explain(id).await;
    assert!(matches!(refused, Err(ExplainError::Podio(_))));
}

#[tokio::test]
async fn posts_contacts_and_members_are_looked_up_as_far_as_podio_tells() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    let make = async |event: &str, values: &[(&str, &str)]| {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let command = sandbox::SandboxCommand {
            event: event.to_owned(),
            object: None,
            values: values.iter().map(own).collect(),
        };
        running.podio.handle.perform(&command).await.unwrap()
    };
    let post = make("status.create", &[("value", "Closed on Friday\nall day")]).await;
    let mail = [("name", "Carla Braun"), ("mail", "carla@example.com")];
    let contact = make("contact.create", &mail).await;
    let explain = async |body: String| {
        let id = running.podio.forge(&body).await;
        running.agent.handle.explain(id).await.unwrap()
    };

    let told = explain(format!("type=status.create&status_id={post}&hook_id=7")).await;
    assert_eq!(told.title.as_deref(), Some("Closed on Friday"));
    assert_eq!(told.who.as_deref(), Some("Ada Holm"));
    assert_eq!(told.changes[0].to, "Closed on Friday\nall day");
    let told = explain(format!(
        "type=contact.update&profile_id={contact}&hook_id=7"
    ))
    .await;
    assert_eq!(told.title.as_deref(), Some("Carla Braun"));
    assert_eq!(told.notes[0], "mail: carla@example.com");
    let told = explain("type=member.add&user_id=8123457&hook_id=7".to_owned()).await;
    assert_eq!(
        (&*told.changes[0].from, &*told.changes[0].to),
        ("", "Björn Lind")
    );
    let told = explain("type=member.remove&user_id=8123457&hook_id=7".to_owned()).await;
    assert_eq!(
        (&*told.changes[0].from, &*told.changes[0].to),
        ("Björn Lind", "")
    );

    // If the event names the object in another way, or
    // Podio no longer has it, the explanation says so.
    let told = explain("type=status.update&post=4&hook_id=7".to_owned()).await;
    assert!(told.notes[0].contains("`status_id`"), "{told:?}");
    let told = explain("type=contact.update&profile_id=4&hook_id=7".to_owned()).await;
    assert!(told.notes[0].starts_with("the contact is gone"), "{told:?}");
    let told = explain("type=contact.delete&profile_id=4&hook_id=7".to_owned()).await;
    assert!(told.notes[0].contains("deleted"), "{told:?}");
}

#[tokio::test]
async fn near_the_rate_limit_nothing_is_asked() {
    let sandbox = sandbox::SandboxConfig {
        rates: sandbox::CallRates {
            general: 20,
            ..sandbox::CallRates::default()
        },
        ..sandbox::SandboxConfig::default()
    };
    let running = PodioAgent::start(sandbox, |_| {}).await;
    let mut refused = false;
    for item in 0..20 {
        let body = format!("type=item.update&item_id={item}&item_revision_id=0&hook_id=7");
        let id = running.podio.forge(&body).await;
        match running.agent.handle.explain(id).await {
            Ok(_) => {}
            Err(ExplainError::RateLimitNear { remaining, limit }) => {
                assert!(remaining < limit / 10, "{remaining} of {limit}");
                refused = true;
                break;
            }
            Err(error) => assert!(refused, "{error}"),
        }
    }
    assert!(refused);
}

#[tokio::test]
async fn after_a_delete_what_was_last_known_is_told() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    let (item, update) = change_item(&running).await;
    running.agent.handle.explain(update.id).await.unwrap();
    running
        .podio
        .client
        .delete_item(item, WriteOptions::default())
        .await
        .unwrap();
    let rows = running.wait_for_events(6).await;
    assert_eq!(rows[0].event_type.as_deref(), Some("item.delete"));

    let told = running.agent.handle.explain(rows[0].id).await.unwrap();

    assert_eq!(told.title.as_deref(), Some("A walnut desk"));
    assert_eq!(told.app.as_deref(), Some("Orders"));
    let status = told
        .changes
        .iter()
        .find(|change| change.field == "Status")
        .unwrap();
    assert_eq!((&*status.from, &*status.to), ("Paid", ""));
    // The list shows the title, too, and what each event changed.
    let remembered = running.agent.handle.recall_rows(&rows).await.unwrap();
    assert_eq!(
        remembered[&rows[0].id].title.as_deref(),
        Some("A walnut desk")
    );
    let changes = &remembered[&update.id].changes;
    assert!(matches!(changes.as_slice(), [change] if change.field == "Status"));
}

#[tokio::test]
async fn the_newest_events_are_explained_before_anybody_asks_and_remembered_after_a_delete() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    let (item, update) = change_item(&running).await;
    eventually("the list knows what changed", || async {
        let rows = running.rows().await;
        let known = running.agent.handle.recall_rows(&rows).await.unwrap();
        let known = known.get(&update.id).cloned().unwrap_or_default();
        let changes = known.changes.as_slice();
        matches!(changes, [change] if change.field == "Status")
            .then_some(())
            .ok_or(format!("{known:?}"))
    })
    .await;

    let options = WriteOptions::default();
    running
        .podio
        .client
        .delete_item(item, options)
        .await
        .unwrap();
    let rows = running.wait_for_events(6).await;

    let told = running.agent.handle.explain(rows[0].id).await.unwrap();
    assert_eq!(told.title.as_deref(), Some("A walnut desk"));
}

#[tokio::test]
async fn what_somebody_looks_at_is_asked_about_however_old_it_is() {
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    let (item, _) = change_item(&running).await;
    // No event reports this revision.
    let silent = WriteOptions {
        hook: false,
        ..WriteOptions::default()
    };
    let fields = json!({ "status": "New" });
    let client = &running.podio.client;
    client
        .update_item(item, &fields, None, silent)
        .await
        .unwrap();
    let ago = jiff::SignedDuration::from_hours(2);
    let old = format!("type=item.update&item_id={item}&item_revision_id=2&hook_id=77");
    let old = webhook_at(jiff::Timestamp::now() - ago, old.into_bytes());
    let id = old.id;
    running.podio.writer.append(vec![old]).await.unwrap();
    let mut changes = running.agent.handle.changes();
    let rows = running.rows().await;
    let row: Vec<_> = rows.into_iter().filter(|row| row.id == id).collect();

    running.agent.handle.ask_ahead([id]);

    let told = eventually("the change is known", || async {
        let mut found = running.agent.handle.recall_rows(&row).await.unwrap();
        let told = found.remove(&id).filter(|told| !told.changes.is_empty());
        told.ok_or("nothing is remembered of it".to_owned())
    })
    .await;
    assert_eq!(told.title.as_deref(), Some("A walnut desk"));
    assert_eq!(told.changes[0].field, "Status");
    let mut named = false;
    while let Ok(change) = changes.try_recv() {
        named |= change == Change::History(history::HistoryChange::Named);
    }
    assert!(named, "a list is told that there is more to show");
}

#[tokio::test]
async fn what_waits_for_a_service_that_is_away_counts_against_its_hook() {
    let mut running = PodioAgent::start(sandbox::SandboxConfig::default(), |_| {}).await;
    running
        .podio
        .forge("type=item.update&item_id=1&item_revision_id=0&hook_id=7")
        .await;
    running.wait_for_events(1).await;
    running.stop_service().await;
    for item in 100..120 {
        let body = format!("type=item.update&item_id={item}&item_revision_id=0&hook_id=7");
        running.podio.forge(&body).await;
    }

    eventually("the hook would be suspended", || async {
        let standings = running.agent.handle.standings().await.unwrap();
        let hook = standings.iter().find(|standing| standing.hook_id == 7);
        let is_suspended = |standing: &podtap_agent::HookStanding| {
            matches!(standing.current, Judgement::Suspended { .. })
        };
        hook.is_some_and(is_suspended)
            .then_some(())
            .ok_or(format!("{hook:?}"))
    })
    .await;
}
