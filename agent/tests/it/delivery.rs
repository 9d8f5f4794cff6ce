//! Tests delivery from events in the history to a local service on loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::running::{RunningAgent, append, rows};
use crate::support::{
    DEADLINE, Reaction, Received, Service, answer, browsing, delivering, event, eventually,
    history_of, item_update, nowhere, ok, target_of,
};
use podtap_agent::history::Filter;
use podtap_agent::history::{self, DeliveryState, EventRow, History, Outcome};
use podtap_agent::{Agent, Change, ServiceState};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

impl RunningAgent {
    /// Waits until nothing is pending.
    async fn all_delivered(&self) -> Vec<EventRow> {
        eventually("all is delivered", || async {
            let rows = self.rows().await;
            let done = rows.iter().all(|row| row.state == DeliveryState::Delivered);
            if done {
                Ok(rows)
            } else {
                Err(format!("{rows:#?}"))
            }
        })
        .await
    }
}

#[tokio::test]
async fn what_waits_in_the_history_is_delivered_and_its_attempt_is_kept() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| answer(201, "made")).await;
    append(&folder, vec![item_update(1, 4711)]).await;

    let running = RunningAgent::start(delivering(&folder, service.address));
    let rows = running.all_delivered().await;

    let attempts = running.handle.history().attempts(rows[0].id).await.unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].number, attempts[0].replay), (1, false));
    assert_eq!(
        attempts[0].url,
        format!("http://{}/podio/hook", service.address)
    );
    let Outcome::Answered {
        status,
        headers,
        body,
        body_bytes,
    } = &attempts[0].outcome
    else {
        panic!("{attempts:?}");
    };
    assert_eq!((*status, &body[..], *body_bytes), (201, &b"made"[..], 4));
    assert_eq!(headers.get("x-service").unwrap(), "yes");
    assert_eq!(rows[0].last.as_ref().unwrap().outcome, Ok(201));
    running.stop().await;
}

#[tokio::test]
async fn the_bytes_are_the_bytes() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| ok()).await;
    let mut odd = event(1, "");
    odd.request.path = "/a%2Fb//c/./d%zz?x=%20&y=".to_owned();
    odd.request.body = vec![0, 0xff, 0xfe, b'\r', b'\n'].into();
    odd.request.headers = [
        ("host", "hooks.test"),
        ("x-twice", "1"),
        ("x-twice", "2"),
        ("connection", "x-gone"),
        ("x-gone", "1"),
        ("transfer-encoding", "chunked"),
    ]
    .into_iter()
    .collect();
    let mut get = event(2, "");
    get.request.method = "GET".to_owned();
    let mut head = event(3, "");
    head.request.method = "HEAD".to_owned();
    append(&folder, vec![odd, get, head, event(4, "")]).await;

    let mut config = delivering(&folder, service.address);
    config.delivery.concurrency = 1;
    let running = RunningAgent::start(config);
    running.all_delivered().await;

    let received = service.requests();
    let find = |method: &str| {
        received
            .iter()
            .find(|got| got.head.starts_with(method))
            .unwrap()
    };
    let odd = received
        .iter()
        .find(|got| got.request_line().contains("%2F"))
        .unwrap();
    assert_eq!(
        odd.request_line(),
        "POST /a%2Fb//c/./d%zz?x=%20&y= HTTP/1.1"
    );
    assert_eq!(odd.body, [0, 0xff, 0xfe, b'\r', b'\n']);
    assert_eq!(odd.header("content-length"), Some("5"));
    assert_eq!(odd.head.matches("x-twice").count(), 2);
    assert_eq!(
        (odd.header("x-gone"), odd.header("transfer-encoding")),
        (None, None)
    );
    assert_eq!(
        odd.header("host"),
        Some(service.address.to_string().as_str())
    );
    assert_eq!(odd.header("x-forwarded-host"), Some("hooks.test"));
    for bodiless in [find("GET"), find("HEAD")] {
        assert_eq!(bodiless.header("content-length"), None, "{bodiless:?}");
        assert_eq!(bodiless.header("transfer-encoding"), None, "{bodiless:?}");
    }
    let empty = received
        .iter()
        .rfind(|got| got.head.starts_with("POST /podio"))
        .unwrap();
    assert_eq!(empty.header("content-length"), Some("0"));
    running.stop().await;
}

#[tokio::test]
async fn events_of_one_object_keep_their_order_and_objects_go_side_by_side() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| Reaction::Late(Duration::from_millis(2))).await;
    let events = (0..200)
        .map(|number| item_update(number, number % 5))
        .collect();
    append(&folder, events).await;

    let running = RunningAgent::start(delivering(&folder, service.address));
    running.all_delivered().await;

    let number = |body: &[u8], name: &str| -> u64 {
        podtap_podio::decode(None, body).unwrap().id(name).unwrap()
    };
    let received = service.requests();
    assert_eq!(received.len(), 200);
    for item in 0..5 {
        let revisions: Vec<u64> = received
            .iter()
            .filter(|got| number(&got.body, "item_id") == item)
            .map(|got| number(&got.body, "item_revision_id"))
            .collect();
        assert!(
            revisions.is_sorted() && revisions.len() == 40,
            "{item}: {revisions:?}"
        );
    }
    running.stop().await;
}

#[tokio::test]
async fn a_local_service_that_is_down_makes_lanes_wait_and_nothing_is_marked_failed() {
    let folder = TempDir::new().unwrap();
    let (gone, address) = nowhere();
    append(&folder, vec![item_update(1, 1), item_update(2, 2)]).await;

    let running = RunningAgent::start(delivering(&folder, address));
    let mut status = running.handle.status();
    let down = status.wait_for(|status| matches!(status.service, ServiceState::Down { .. }));
    let reason = match &down.await.unwrap().service {
        ServiceState::Down { reason, .. } => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(reason, "connection refused");
    assert!(running.rows().await.iter().all(|row| row.attempts == 0));

    drop(gone);
    let service = Service::on(TcpListener::bind(address).await.unwrap(), |_| ok());
    let rows = running.all_delivered().await;
    assert!(rows.iter().all(|row| row.attempts == 1), "{rows:#?}");
    assert_eq!(service.requests().len(), 2);
    assert!(matches!(
        running.handle.status().borrow().service,
        ServiceState::Up { .. }
    ));
    running.stop().await;
}

/// Closes the connection for each request whose body ends with `poison`.
fn poisoned_by(poison: &'static [u8]) -> impl Fn(&Received) -> Reaction {
    move |got| {
        if got.body.ends_with(poison) {
            Reaction::HangUp
        } else {
            ok()
        }
    }
}

#[tokio::test]
async fn an_event_that_the_service_does_not_bear_lets_its_successor_go_and_is_given_up() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(poisoned_by(b"poison")).await;
    append(&folder, vec![event(1, "poison"), event(2, "healthy")]).await;

    let running = RunningAgent::start(delivering(&folder, service.address));
    let rows = running.all_delivered().await;

    let attempts = running.handle.history().attempts(rows[0].id).await.unwrap();
    // The first loss, and the one after another event was answered.
    assert_eq!(attempts.len(), 2, "{attempts:#?}");
    assert!(
        attempts
            .iter()
            .all(|attempt| matches!(attempt.outcome, Outcome::Failed { .. }))
    );
    assert_eq!(rows[1].last.as_ref().unwrap().outcome, Ok(200));
    let received = service.requests();
    let mut bodies: Vec<_> = received.iter().map(|got| &got.body[..]).collect();
    // One over the other event's connection, and one more over a new one.
    assert!(bodies.len() <= 8, "{bodies:?}");
    bodies.dedup();
    assert_eq!(bodies, [&b"poison"[..], b"healthy", b"poison"]);
    running.stop().await;
}

#[tokio::test]
async fn an_event_that_the_service_does_not_bear_is_given_up_though_it_is_alone() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(poisoned_by(b"poison")).await;
    append(&folder, vec![event(1, "poison")]).await;

    let running = RunningAgent::start(delivering(&folder, service.address));
    let rows = running.all_delivered().await;

    assert!(rows[0].last.as_ref().unwrap().outcome.is_err());
    assert_eq!(rows[0].attempts, 2, "the first and the last are on record");
    running.stop().await;
}

#[tokio::test]
async fn events_that_the_service_does_not_bear_are_given_up_though_there_is_no_other() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(poisoned_by(b"hook_id=7")).await;
    // Two events of one object and one of another.
    let events = vec![item_update(1, 1), item_update(2, 1), item_update(3, 2)];
    append(&folder, events).await;

    let running = RunningAgent::start(delivering(&folder, service.address));
    let rows = running.all_delivered().await;

    for row in rows {
        assert!(row.last.as_ref().unwrap().outcome.is_err(), "{row:?}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_port_with_nothing_behind_it_uses_up_no_event_that_is_alone() {
    let folder = TempDir::new().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = port.local_addr().unwrap();
    let mut closing = JoinSet::new();
    closing.spawn(async move {
        while let Ok((connection, _)) = port.accept().await {
            drop(connection);
        }
    });
    append(&folder, vec![event(1, "waits")]).await;

    let running = RunningAgent::start(delivering(&folder, address));
    let mut status = running.handle.status();
    // More often than an event that takes the service down is tried.
    status
        .wait_for(|status| status.retries >= 30)
        .await
        .unwrap();
    let rows = running.rows().await;
    assert_eq!(rows[0].state, DeliveryState::Pending);
    assert!(rows[0].attempts <= 1, "{rows:#?}");
    running.stop().await;
}

#[tokio::test]
async fn an_event_that_the_service_does_not_bear_is_given_up_and_other_objects_go_on() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(poisoned_by(b"item_revision_id=13&hook_id=7")).await;
    let events = (1..=40).map(|number| item_update(number, number % 10));
    append(&folder, events.collect()).await;

    let running = RunningAgent::start(delivering(&folder, service.address));
    let rows = running.all_delivered().await;

    for (row, number) in rows.iter().zip(1..) {
        let outcome = row.last.as_ref().unwrap().outcome.clone();
        if number == 13 {
            assert!(outcome.is_err() && row.attempts <= 3, "{row:#?}");
        } else {
            assert_eq!(outcome, Ok(200), "{row:#?}");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn a_service_that_drops_each_request_is_away_and_uses_up_no_event() {
    let folder = TempDir::new().unwrap();
    let is_back = Arc::new(AtomicBool::new(false));
    let answers = Arc::clone(&is_back);
    let service = Service::start(move |_| {
        if answers.load(Ordering::Relaxed) {
            ok()
        } else {
            Reaction::HangUp
        }
    })
    .await;
    let events = (1..=12).map(|number| item_update(number, number % 3));
    append(&folder, events.collect()).await;

    let running = RunningAgent::start(delivering(&folder, service.address));
    let mut status = running.handle.status();
    // Far more often than an event is lost before it is given up.
    let lost = status.wait_for(|status| status.retries >= 40);
    let words = match &lost.await.unwrap().service {
        ServiceState::Down { reason, .. } => reason.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(words, "it closed the connection without an answer");
    let rows = running.rows().await;
    assert!(rows.iter().all(|row| row.state == DeliveryState::Pending));
    assert!(rows.iter().all(|row| row.attempts <= 1), "{rows:#?}");
    let dropped = service.requests().len();
    is_back.store(true, Ordering::Relaxed);
    let rows = running.all_delivered().await;

    let answered = |row: &EventRow| row.last.as_ref().unwrap().outcome == Ok(200);
    assert!(rows.iter().all(answered), "{rows:#?}");
    for item in 0..3 {
        let of_item = format!("item_id={item}&");
        let revisions: Vec<u64> = service.requests()[dropped..]
            .iter()
            .map(|got| String::from_utf8_lossy(&got.body).into_owned())
            .filter(|body| body.contains(&of_item))
            .map(|body| {
                let revision = body.split("item_revision_id=").nth(1).unwrap();
                revision.split('&').next().unwrap().parse().unwrap()
            })
            .collect();
        assert!(
            revisions.len() >= 4 && revisions.is_sorted(),
            "{revisions:?}"
        );
    }
    running.stop().await;
}

#[tokio::test]
async fn what_is_no_http_is_an_answer_and_ends_the_attempt() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| Reaction::Answer(b"220 mail ready\r\n".to_vec())).await;
    append(&folder, vec![item_update(1, 1)]).await;

    let running = RunningAgent::start(delivering(&folder, service.address));
    let rows = running.all_delivered().await;

    let outcome = rows[0].last.as_ref().unwrap().outcome.clone();
    let words = outcome.unwrap_err();
    assert!(words.starts_with("its answer is not HTTP: "), "{words}");
    running.stop().await;
}

#[tokio::test]
async fn a_kept_alive_connection_that_died_costs_neither_an_attempt_nor_a_pause() {
    let folder = TempDir::new().unwrap();
    // Answers once per connection, and closes it only when the next request arrives, like a service
    // whose close has not arrived yet.
    let service =
        Service::start_each(|_, nth| if nth == 1 { ok() } else { Reaction::HangUp }).await;
    let events = (1..=60)
        .map(|number| item_update(number, number % 3))
        .collect();
    append(&folder, events).await;

    let running = RunningAgent::start(delivering(&folder, service.address));
    let rows = running.all_delivered().await;

    assert!(rows.iter().all(|row| row.attempts == 1), "{rows:#?}");
    let answered = |row: &EventRow| row.last.as_ref().unwrap().outcome == Ok(200);
    assert!(rows.iter().all(answered), "{rows:#?}");
    assert_eq!(running.handle.status().borrow().retries, 0);
    assert!(
        service.requests().len() > 60,
        "no connection was used again"
    );
    running.stop().await;
}

#[tokio::test]
async fn objects_that_hang_do_not_hold_the_others() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|got| {
        if got.body.windows(8).any(|part| part == b"item_id=") && got.body.ends_with(b"hook_id=7") {
            Reaction::Silence
        } else {
            ok()
        }
    })
    .await;
    let mut events: Vec<_> = (1..=8).map(|number| item_update(number, number)).collect();
    events.push(event(9, "type=item.update&item_id=9&hook_id=8"));
    append(&folder, events).await;

    let running = RunningAgent::start(delivering(&folder, service.address));

    eventually("the ninth is delivered", || async {
        let rows = running.rows().await;
        let ninth = rows.last().unwrap();
        match ninth.state {
            DeliveryState::Delivered => Ok(()),
            _ => Err(format!("{ninth:#?}")),
        }
    })
    .await;
    let mut status = running.handle.status();
    let eight_hang = status.wait_for(|status| status.in_flight == 8);
    let waited = tokio::time::timeout(DEADLINE, eight_hang).await;
    assert!(waited.is_ok(), "{:?}", running.handle.status().borrow());
    running.token.cancel();
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_ends_the_attempt() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| Reaction::Silence).await;
    append(&folder, vec![item_update(1, 1)]).await;

    let mut config = delivering(&folder, service.address);
    config.delivery.timeout = Duration::from_millis(50);
    let running = RunningAgent::start(config);
    let rows = running.all_delivered().await;

    let outcome = rows[0].last.as_ref().unwrap().outcome.clone();
    assert_eq!(outcome, Err("no answer within 50ms".to_owned()));
    assert_eq!(service.requests().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_cut_and_its_size_is_known() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| answer(500, &"x".repeat(10_000))).await;
    append(&folder, vec![item_update(1, 1)]).await;

    let mut config = delivering(&folder, service.address);
    config.delivery.max_response_bytes = 100;
    let running = RunningAgent::start(config);
    let rows = running.all_delivered().await;

    let attempts = running.handle.history().attempts(rows[0].id).await.unwrap();
    let Outcome::Answered {
        body, body_bytes, ..
    } = &attempts[0].outcome
    else {
        panic!()
    };
    assert_eq!((body.len(), *body_bytes), (100, 10_000));
    running.stop().await;
}

#[tokio::test]
async fn without_a_link_nothing_that_waits_is_delivered() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| ok()).await;
    append(&folder, vec![item_update(1, 1)]).await;

    let mut config = browsing(&folder);
    config.target = Some(target_of(service.address));
    let running = RunningAgent::start(config);
    // Another process writes: by the time this is noticed, delivery would have begun.
    let mut changes = running.handle.changes();
    append(&folder, vec![item_update(2, 2)]).await;
    let elsewhere = Change::History(history::HistoryChange::Elsewhere);
    while changes.recv().await.unwrap() != elsewhere {}

    assert!(service.requests().is_empty());
    assert_eq!(
        running
            .handle
            .history()
            .count(Filter::default())
            .await
            .unwrap(),
        2
    );
    running.stop().await;
}

#[tokio::test]
async fn what_has_begun_at_the_end_is_finished() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| Reaction::Late(Duration::from_millis(300))).await;
    append(&folder, vec![item_update(1, 1)]).await;

    let running = RunningAgent::start(delivering(&folder, service.address));
    eventually("the service has it", || async {
        if service.requests().is_empty() {
            Err(String::new())
        } else {
            Ok(())
        }
    })
    .await;
    running.stop().await;

    let rows = rows(&History::open_read_only(&history_of(&folder)).unwrap()).await;
    assert_eq!(rows[0].state, DeliveryState::Delivered);
}

#[tokio::test]
async fn what_cannot_be_finished_at_the_end_is_offered_again() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| Reaction::Silence).await;
    append(&folder, vec![item_update(1, 1)]).await;

    let running = RunningAgent::start(delivering(&folder, service.address));
    eventually("the service has it", || async {
        if service.requests().is_empty() {
            Err(String::new())
        } else {
            Ok(())
        }
    })
    .await;
    let ending = tokio::time::timeout(Duration::from_secs(10), running.stop());
    ending.await.unwrap();

    let second = Service::start(|_| ok()).await;
    let running = RunningAgent::start(delivering(&folder, second.address));
    running.all_delivered().await;
    assert_eq!(second.requests().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn an_agent_that_ended_while_the_service_was_away_starts_again() {
    let folder = TempDir::new().unwrap();
    append(&folder, vec![item_update(1, 4711)]).await;
    let (gone, address) = nowhere();

    for _ in 0..2 {
        let running = RunningAgent::start(delivering(&folder, address));
        let mut status = running.handle.status();
        let away = status.wait_for(|status| matches!(status.service, ServiceState::Down { .. }));
        tokio::time::timeout(DEADLINE, away).await.unwrap().unwrap();
        eventually("the outage is on record", || async {
            // This call reads the outages, too.
            running.handle.standings().await.unwrap();
            let sql = "SELECT count(*) FROM outages WHERE until > since";
            let file = rusqlite::Connection::open(history_of(&folder)).unwrap();
            match file.query_row(sql, [], |row| row.get(0)).unwrap() {
                1 => Ok(()),
                open => Err(format!("{open} are open")),
            }
        })
        .await;
        running.stop().await;
    }

    drop(gone);
    let service = Service::on(TcpListener::bind(address).await.unwrap(), |_| ok());
    let running = RunningAgent::start(delivering(&folder, address));
    running.all_delivered().await;
    assert_eq!(service.requests().len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_second_agent_with_a_link_is_refused_by_the_first_ones_process() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| ok()).await;
    let (_first, _) = Agent::open(delivering(&folder, service.address)).unwrap();

    let refused = Agent::open(delivering(&folder, service.address))
        .unwrap_err()
        .to_string();

    let expected = format!(
        "another podtap listen (pid {}) uses this history",
        std::process::id()
    );
    assert_eq!(refused, expected);
    assert!(Agent::open(browsing(&folder)).is_ok());
}
