//! Tests routes and several targets: which events go to which local services, in which order,
//! whatever the services do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use jiff::Timestamp;
use podtap_agent::history::{DeliveryState, EventRow, HoldReason, NewEvent, SavedFilters};
use podtap_agent::routes::{Route, Routes};
use podtap_agent::{AgentConfig, Replay, ServiceState};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::running::{RunningAgent, append};
use crate::support::{
    Reaction, Service, answer, delivering, event, eventually, item_update, ok, target_of,
};

fn route(text: &str) -> Route {
    Route::parse(text, Timestamp::UNIX_EPOCH, &SavedFilters::default()).unwrap()
}

/// Returns the configuration of an agent with these routes and no other target.
fn routing(folder: &TempDir, routes: &[String]) -> AgentConfig {
    let mut config = delivering(folder, "127.0.0.1:9".parse().unwrap());
    config.target = None;
    config.routes = routes.iter().map(|text| route(text)).collect();
    config
}

fn task(number: u64, task: u64) -> NewEvent {
    event(
        number,
        &format!("type=task.create&task_id={task}&hook_id=8"),
    )
}

impl RunningAgent {
    /// Waits until nothing is pending.
    async fn wait_until_settled(&self) -> Vec<EventRow> {
        self.until("nothing waits", |row| row.state != DeliveryState::Pending)
            .await
    }

    async fn until(&self, what: &str, suits: impl Fn(&EventRow) -> bool) -> Vec<EventRow> {
        eventually(what, || async {
            let rows = self.rows().await;
            if !rows.is_empty() && rows.iter().all(&suits) {
                Ok(rows)
            } else {
                Err(format!("{rows:#?}"))
            }
        })
        .await
    }

    /// Returns the targets of an event's attempts, in order.
    async fn targets(&self, row: &EventRow) -> Vec<String> {
        let attempts = self.handle.history().attempts(row.id).await.unwrap();
        let targets = attempts.into_iter().map(|attempt| attempt.target.unwrap());
        targets.collect()
    }
}

/// Returns an address on which nothing listens.
async fn nobody() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn events_go_where_their_routes_lead_and_what_no_route_takes_is_held() {
    let folder = TempDir::new().unwrap();
    let (items, tasks) = (
        Service::start(|_| ok()).await,
        Service::start(|_| ok()).await,
    );
    let events = vec![item_update(1, 5), task(2, 9), event(3, "type=space.update")];
    append(&folder, events).await;
    let routes = [
        format!("type:item.*=http://{}/items", items.address),
        format!("type:task.*=http://{}", tasks.address),
    ];

    let running = RunningAgent::start(routing(&folder, &routes));
    let rows = running.wait_until_settled().await;

    assert_eq!((items.count(), tasks.count()), (1, 1));
    assert_eq!(
        items.requests()[0].request_line(),
        "POST /items/podio/hook HTTP/1.1"
    );
    let items_at = format!("http://{}/items", items.address);
    assert_eq!(running.targets(&rows[0]).await, [items_at]);
    assert_eq!(
        running.targets(&rows[1]).await,
        [target_of(tasks.address).to_string()]
    );
    let held = (rows[2].state, rows[2].insight.hold);
    assert_eq!(held, (DeliveryState::Held, Some(HoldReason::NoRoute)));

    // A replay goes to the same target.
    let replay = Replay {
        event: rows[1].id,
        target: None,
        edited: None,
    };
    let again = running.handle.replay(replay).await.unwrap();
    assert_eq!(again.target, Some(target_of(tasks.address).to_string()));
    running.stop().await;
}

#[tokio::test]
async fn a_target_that_is_away_holds_up_nothing_but_what_is_for_it() {
    let folder = TempDir::new().unwrap();
    let away = nobody().await;
    let there = Service::start(|_| ok()).await;
    // More events than are read ahead of their delivery.
    let mut events: Vec<_> = (1..=1_500)
        .map(|number| item_update(number, number))
        .collect();
    events.extend((1_501..=1_520).map(|number| task(number, number)));
    append(&folder, events).await;
    let routes = [
        format!("type:item.*=http://{away}"),
        format!("=http://{}", there.address),
    ];

    let running = RunningAgent::start(routing(&folder, &routes));
    eventually("the others are delivered", || async {
        let count = there.count();
        if count == 20 {
            Ok(())
        } else {
            Err(count.to_string())
        }
    })
    .await;

    let mut status = running.handle.status();
    let told = status.wait_for(|status| {
        matches!(status.service, ServiceState::Down { .. }) && status.pending == 1_500
    });
    let told = told.await.unwrap().clone();
    let ServiceState::Down { reason, .. } = told.service else {
        unreachable!()
    };
    assert!(reason.starts_with(&format!("http://{away}: ")), "{reason}");
    assert!(matches!(told.targets[1].service, ServiceState::Up { .. }));
    running.stop().await;
}

#[tokio::test]
async fn an_event_for_several_targets_waits_for_each_and_goes_to_none_again() {
    let folder = TempDir::new().unwrap();
    let away = nobody().await;
    let there = Service::start(|_| answer(500, "no")).await;
    append(&folder, vec![item_update(1, 5)]).await;
    let routes = [
        format!("+type:item.*=http://{}", there.address),
        format!("=http://{away}"),
    ];

    let running = RunningAgent::start(routing(&folder, &routes));
    let rows = running
        .until("one has answered", |row| row.attempts == 1)
        .await;
    assert_eq!(rows[0].state, DeliveryState::Pending, "the other has not");
    let outcome = rows[0].outcome().map(|it| it.outcome.clone());
    assert_eq!(outcome, Some(Ok(500)), "a bad answer is shown at once");
    running.stop().await;

    // After a restart, only the other target still has to get the event.
    let running = RunningAgent::start(routing(&folder, &routes));
    let mut status = running.handle.status();
    let down = |status: &podtap_agent::Status| matches!(status.service, ServiceState::Down { .. });
    status.wait_for(down).await.unwrap();
    let back = Service::on(TcpListener::bind(away).await.unwrap(), |_| ok());
    let rows = running.wait_until_settled().await;

    assert_eq!((there.count(), back.count()), (1, 1));
    let both = [target_of(there.address), target_of(away)].map(|target| target.to_string());
    assert_eq!(running.targets(&rows[0]).await, both);
    assert_eq!(rows[0].state, DeliveryState::Delivered);
    let last = rows[0].last.as_ref().unwrap();
    assert_eq!(last.outcome, Ok(500), "the worst of the answers is shown");

    // A replay to the target that failed shows its current state.
    let replay = Replay {
        event: rows[0].id,
        target: Some(target_of(away)),
        edited: None,
    };
    running.handle.replay(replay).await.unwrap();
    assert_eq!(
        running.rows().await[0].last.as_ref().unwrap().outcome,
        Ok(200)
    );
    running.stop().await;
}

#[tokio::test]
async fn what_is_owed_to_a_target_that_is_gone_is_owed_no_more() {
    let folder = TempDir::new().unwrap();
    let away = nobody().await;
    let there = Service::start(|_| ok()).await;
    append(&folder, vec![item_update(1, 5)]).await;
    let both = [
        format!("+=http://{}", there.address),
        format!("=http://{away}"),
    ];
    let running = RunningAgent::start(routing(&folder, &both));
    let rows = running
        .until("one has answered", |row| row.attempts == 1)
        .await;
    assert_eq!(
        rows[0].outcome(),
        None,
        "one good answer does not hide the wait for the other"
    );
    running.stop().await;

    let running = RunningAgent::start(routing(&folder, &both[..1]));
    running.wait_until_settled().await;

    assert_eq!(there.count(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_target_can_be_set_and_changed_while_the_agent_runs() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (
        Service::start(|_| ok()).await,
        Service::start(|_| ok()).await,
    );
    let running = RunningAgent::start(routing(&folder, &[]));
    assert!(running.handle.status().borrow().target.is_none());

    append(&folder, vec![item_update(1, 5)]).await;
    assert!(
        running
            .handle
            .set_routes(Routes::to(Some(target_of(first.address))), false)
    );
    running.wait_until_settled().await;
    assert!(
        running
            .handle
            .set_routes(Routes::to(Some(target_of(second.address))), false)
    );
    let mut status = running.handle.status();
    let is_second =
        |status: &podtap_agent::Status| status.target == Some(target_of(second.address));
    status.wait_for(is_second).await.unwrap();
    append(&folder, vec![item_update(2, 5)]).await;
    running.wait_until_settled().await;

    assert_eq!((first.count(), second.count()), (1, 1));
    running.stop().await;
}

#[tokio::test]
async fn what_was_held_for_want_of_a_target_is_delivered_where_a_person_says_so() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| ok()).await;
    let held = |number, item, seq| NewEvent {
        state: DeliveryState::Held,
        seq,
        ..item_update(number, item)
    };
    let seq = item_update(1, 5).seq;
    assert!(seq.is_some(), "a relay brought it");
    // The last event was imported or triggered: it did not come through a relay.
    append(
        &folder,
        vec![held(1, 5, seq), held(2, 5, seq), held(3, 5, None)],
    )
    .await;
    let running = RunningAgent::start(routing(&folder, &[]));
    let routes = || Routes::to(Some(target_of(service.address)));
    assert!(running.handle.set_routes(routes(), false));
    let mut status = running.handle.status();
    let is_set = |status: &podtap_agent::Status| status.target.is_some();
    status.wait_for(is_set).await.unwrap();
    assert!(running.handle.set_routes(routes(), true));
    let rows = running
        .until("all that a relay brought is delivered", |row| {
            row.state == DeliveryState::Delivered || row.revision == Some(3)
        })
        .await;
    assert_eq!(rows[2].state, DeliveryState::Held);
    let bodies: Vec<_> = service.requests().into_iter().map(|it| it.body).collect();
    let revisions = [1, 2].map(|number| item_update(number, 5).request.body.to_vec());
    assert_eq!(bodies, revisions);
    running.stop().await;
}

/// Generates a service's reactions to its requests, one after another.
fn reactions() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0_u8..4, 1..12)
}

/// Starts a service that reacts in this way, and never
/// closes the connection twice for the same event.
async fn start_scripted(script: Vec<u8>) -> Service {
    let state = Mutex::new((0_usize, BTreeSet::new()));
    Service::start(move |received| {
        let mut state = state.lock().unwrap();
        let (count, hung_up) = &mut *state;
        let reaction = script[*count % script.len()];
        *count += 1;
        match reaction {
            0 if hung_up.insert(received.body.clone()) => Reaction::HangUp,
            1 => answer(500, "no"),
            2 => Reaction::Late(std::time::Duration::from_millis(3)),
            _ => ok(),
        }
    })
    .await
}

/// Returns, per object, the revisions that a service received, each at its first time.
fn orders(service: &Service) -> BTreeMap<u64, Vec<u64>> {
    let mut orders: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for received in service.requests() {
        let form = url::form_urlencoded::parse(&received.body);
        let form: BTreeMap<_, _> = form.into_owned().collect();
        let number = |name: &str| form[name].parse::<u64>().unwrap();
        let seen = orders.entry(number("item_id")).or_default();
        let revision = number("item_revision_id");
        if !seen.contains(&revision) {
            seen.push(revision);
        }
    }
    orders
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn each_target_gets_what_is_for_it_in_the_order_of_each_object(
        items in prop::collection::vec(1_u64..5, 1..40),
        scripts in prop::array::uniform3(reactions()),
        restarts in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = TempDir::new().unwrap();
            let [all, odd, rest] = scripts;
            let all = start_scripted(all).await;
            let odd = start_scripted(odd).await;
            let rest = start_scripted(rest).await;
            let mut expected = [const { BTreeMap::<u64, Vec<u64>>::new() }; 3];
            let events = (1_u64..).zip(&items).map(|(number, item)| {
                let is_odd = item % 2 == 1;
                for (target, wants) in [(0, true), (1, is_odd), (2, !is_odd)] {
                    if wants {
                        expected[target].entry(*item).or_default().push(number);
                    }
                }
                item_update(number, *item)
            });
            append(&folder, events.collect()).await;
            let routes = [
                format!("+type:item.*=http://{}", all.address),
                format!("item_id:1=http://{}", odd.address),
                format!("item_id:3=http://{}", odd.address),
                format!("=http://{}", rest.address),
            ];
            if restarts {
                let running = RunningAgent::start(routing(&folder, &routes));
                let some = || async {
                    let count = all.count();
                    if count > 0 { Ok(()) } else { Err(String::new()) }
                };
                eventually("it has begun", some).await;
                running.stop().await;
            }
            let running = RunningAgent::start(routing(&folder, &routes));
            running.wait_until_settled().await;
            running.stop().await;
            let got = [&all, &odd, &rest].map(orders);
            assert_eq!(got, expected);
        });
    }
}
