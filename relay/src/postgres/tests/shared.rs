//! Tests two relays on one database.

use std::time::Duration;

use jiff::Timestamp;
use podtap_wire::{EventId, HeaderList, Seq, WebhookRequest, WebhookResponse};
use tokio_postgres::SimpleQueryMessage;

use super::Pg;
use crate::postgres::statements::Statements;
use crate::queue::conformance::Bench as _;
use crate::queue::{AppendError, EngineLimits, ReadLimit, SessionId, TunnelId};
use crate::refused::RefusalTally;
use crate::roster::{ClaimOutcome, HoldingAgent, TunnelClaim};
use crate::store::conformance::claim;

const ALL: ReadLimit = ReadLimit {
    events: 100_000,
    bytes: 1 << 30,
};

/// Returns two relays, or `None` if PostgreSQL is not installed.
async fn two() -> Option<(Pg, Pg)> {
    super::shared_server()?;
    let limits = EngineLimits::from(&crate::config::Limits::default());
    let first = Pg::open(limits).await;
    let second = first.beside().await;
    Some((first, second))
}

async fn append(relay: &Pg, tunnel: TunnelId) -> Seq {
    try_append(relay, tunnel).await.unwrap()
}

async fn try_append(relay: &Pg, tunnel: TunnelId) -> Result<Seq, AppendError> {
    let received_at = Timestamp::from_millisecond(1_764_000_000_123).unwrap();
    let request = WebhookRequest {
        received_at,
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: HeaderList::default(),
        peer: None,
        body: "x".into(),
    };
    let id = EventId::generate(received_at).unwrap();
    relay.queue().append(tunnel, id, request).await
}

async fn take(relay: &Pg, tunnel: TunnelId, claim: TunnelClaim) -> SessionId {
    match relay.store.roster.take(tunnel, claim, None).await.unwrap() {
        ClaimOutcome::Taken { session, .. } => session,
        ClaimOutcome::Contested(holder) => panic!("{holder:?} has it"),
    }
}

/// Waits until a relay knows this session, and returns what it knows.
async fn sees(relay: &Pg, session: SessionId) -> HoldingAgent {
    loop {
        if let Some(everyone) = relay.store.roster.everyone().await.unwrap() {
            let mut holders = everyone.holders.into_iter().map(|(_, holder)| holder);
            if let Some(holder) = holders.find(|holder| holder.session == session) {
                return holder;
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_planned_for_empty_tables_is_good_for_large_ones() {
    let Some((first, _)) = two().await else {
        return;
    };
    let own = first.database.connector().own().await.unwrap();
    let _statements = Statements::prepare(&own.client).await.unwrap();
    // Only the statements that the driver prepared on this connection are visible.
    let names = "SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements";
    let prepared = own.client.query(names, &[]).await.unwrap();
    let mut seen = 0;
    for row in prepared {
        let (name, text): (String, String) = (row.get(0), row.get(1));
        let about_events = text.contains("podtap_events") || text.contains("podtap_queues");
        if !about_events || text.contains("coalesce(sum(last_bytes") {
            continue;
        }
        let nulls = vec!["NULL"; usize::try_from(row.get::<_, i32>(2)).unwrap()].join(", ");
        let explain = format!("EXPLAIN EXECUTE \"{name}\" ({nulls})");
        let plan = own.client.simple_query(&explain).await.unwrap();
        let plan: Vec<_> = { plan.iter() }
            .filter_map(|line| match line {
                SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            })
            .collect();
        let plan = plan.join("\n");
        for word in ["Seq Scan", "Hash Join", "Merge Join"] {
            assert!(!plan.contains(word), "{text}\n{plan}");
        }
        seen += 1;
    }
    assert!(seen >= 4, "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_without_asking_is_numbered_by_the_database() {
    let Some((first, second)) = two().await else {
        return;
    };
    let tunnel = first.tunnel().await;
    let mut numbers = Vec::new();
    for _ in 0..20 {
        numbers.push(append(&first, tunnel).await.0);
        numbers.push(append(&second, tunnel).await.0);
    }
    assert_eq!(numbers, (1..=40).collect::<Vec<u64>>());
    // After the tunnel was deleted, an append fails.
    first.delete(tunnel).await;
    let unknown = try_append(&first, tunnel).await;
    assert_eq!(unknown, Err(AppendError::UnknownTunnel));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_number_one_tunnel_without_holes_and_each_wakes_the_other() {
    const EACH: u64 = 300;
    let Some((first, second)) = two().await else {
        return;
    };
    let tunnel = first.tunnel().await;
    let reading = async {
        let (mut cursor, mut seen) = (Seq(0), Vec::new());
        while cursor.0 < 2 * EACH {
            let events = first.queue().read_after(tunnel, cursor, ALL).await.unwrap();
            cursor = events.last().unwrap().seq;
            seen.extend(events.iter().map(|event| event.seq.0));
        }
        seen
    };
    let appends = async |relay: &Pg| {
        let all = (0..EACH).map(|_| append(relay, tunnel));
        futures_util::future::join_all(all).await
    };

    let (seen, given, others) = tokio::join!(reading, appends(&first), appends(&second));

    let all: Vec<u64> = (1..=2 * EACH).collect();
    assert_eq!(seen, all);
    let mut numbers: Vec<u64> = given.iter().chain(&others).map(|seq| seq.0).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_relay_has_just_stored_is_not_read_back() {
    let Some((first, second)) = two().await else {
        return;
    };
    let tunnel = first.tunnel().await;
    let _session = first.queue().follow(tunnel).await.unwrap();
    append(&second, tunnel).await;
    append(&first, tunnel).await;
    append(&first, tunnel).await;
    // Events in memory can be read even if their rows are gone.
    let client = first.database.client().await.unwrap();
    let emptied = "DELETE FROM podtap_events WHERE seq > 1";
    assert_eq!(client.execute(emptied, &[]).await.unwrap(), 2);

    let mut seen = Vec::new();
    for after in [0, 1] {
        let queue = first.queue();
        seen.push(queue.read_after(tunnel, Seq(after), ALL).await.unwrap());
    }

    let numbers = seen.iter().map(|events| events.iter().map(|it| it.seq.0));
    let numbers: Vec<Vec<u64>> = numbers.map(Iterator::collect).collect();
    assert_eq!(numbers, [vec![1], vec![2, 3]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_lost_its_tunnel_to_another_relay_removes_nothing() {
    let Some((first, second)) = two().await else {
        return;
    };
    let tunnel = first.tunnel().await;
    let old = take(&first, tunnel, claim(1)).await;
    for _ in 0..3 {
        append(&first, tunnel).await;
    }
    first
        .queue()
        .acknowledge(tunnel, old, Seq(1))
        .await
        .unwrap();

    let new = take(&second, tunnel, claim(2)).await;
    first
        .queue()
        .acknowledge(tunnel, old, Seq(3))
        .await
        .unwrap();
    first.queue().acknowledge_soon(tunnel, old, Seq(3));

    let depth = first.queue().depth(tunnel).await.unwrap();
    assert_eq!((depth.removed, depth.events()), (Seq(1), 2));
    second
        .queue()
        .acknowledge(tunnel, new, Seq(2))
        .await
        .unwrap();
    let depth = first.queue().depth(tunnel).await.unwrap();
    assert_eq!(depth.removed, Seq(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sees_who_is_connected_to_the_other() {
    let Some((first, second)) = two().await else {
        return;
    };
    let tunnel = first.tunnel().await;
    let session = take(&first, tunnel, claim(1)).await;

    let holder = sees(&second, session).await;

    assert!(!holder.is_here);
    assert_eq!(holder.connected, claim(1).connected);
    assert!(sees(&first, session).await.is_here);
    let late = TunnelClaim {
        comes_back: true,
        ..claim(0)
    };
    let contested = second.store.roster.take(tunnel, late, None).await.unwrap();
    assert!(
        matches!(contested, ClaimOutcome::Contested(_)),
        "{contested:?}"
    );
    // The command line sees the connected agent too.
    let tunnels = second.store.registry.tunnels(None).await.unwrap();
    assert!(tunnels[0].connected.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_asks_the_other_whether_its_agent_lives() {
    let Some((first, second)) = two().await else {
        return;
    };
    let tunnel = first.tunnel().await;
    let session = take(&first, tunnel, claim(1)).await;
    let answers = async {
        loop {
            let everyone = first.store.roster.everyone().await.unwrap();
            if everyone.is_some_and(|everyone| everyone.asked == [session]) {
                return first.store.roster.answer(session).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let patience = Duration::from_mins(1);
    let (lives, ()) = tokio::join!(second.store.roster.ask(session, patience), answers);
    assert_eq!(lives, Ok(true));

    let silent = second.store.roster.ask(session, Duration::ZERO).await;
    assert_eq!(silent, Ok(false));
    let nobody = second.store.roster.ask(SessionId(999), patience).await;
    assert_eq!(nobody, Ok(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_was_not_seen_for_a_while_has_no_tunnel() {
    let Some((first, second)) = two().await else {
        return;
    };
    let tunnel = first.tunnel().await;
    let session = take(&first, tunnel, claim(2)).await;
    sees(&second, session).await;
    let client = first.database.client().await.unwrap();
    client
        .batch_execute("UPDATE podtap_relays SET seen_at = now() - interval '11 seconds'")
        .await
        .unwrap();

    let late = TunnelClaim {
        comes_back: true,
        ..claim(1)
    };
    take(&second, tunnel, late).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_finds_the_relay_that_waits_for_it_and_no_other() {
    let Some((first, second)) = two().await else {
        return;
    };
    let id = || EventId::generate(Timestamp::UNIX_EPOCH).unwrap();
    let (wanted, given_up, nobodys) = (id(), id(), id());
    let response = |body: &'static str| WebhookResponse {
        status: 201,
        headers: HeaderList::from_iter([("x-raw", b"\xff".to_vec())]),
        body: body.into(),
    };
    first.store.answers.expect(wanted).await.unwrap();
    first.store.answers.expect(given_up).await.unwrap();
    first.store.answers.forget(given_up);
    // The row of a forgotten answer is deleted soon.
    let client = first.database.client().await.unwrap();
    let waiting = async || -> i64 {
        let count = "SELECT count(*) FROM podtap_answers";
        client.query_one(count, &[]).await.unwrap().get(0)
    };
    while waiting().await != 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    for (id, body) in [
        (nobodys, "a"),
        (given_up, "b"),
        (wanted, "c"),
        (wanted, "d"),
    ] {
        second.store.answers.post(id, response(body)).await.unwrap();
    }

    let arrived = first.store.answers.take_arrived().await;
    assert_eq!(arrived, [(wanted, response("c"))], "the first, and once");
    assert_eq!(waiting().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_go_to_the_relay_that_has_the_agent_and_to_no_other() {
    let Some((first, second)) = two().await else {
        return;
    };
    let (served, idle) = (first.tunnel().await, first.tunnel().await);
    take(&first, served, claim(1)).await;
    let tally = |count: u32| RefusalTally {
        kind: "too-large".into(),
        reason: "body over 9 bytes".to_owned(),
        count: count.into(),
        last_at: Timestamp::from_second(count.into()).unwrap(),
    };
    let refused = |relay: &Pg| relay.store.refused.clone().unwrap();
    let unknown = TunnelId(i64::MAX);
    for count in [3, 4] {
        let all = [served, idle, unknown].map(|tunnel| (tunnel, tally(count)));
        refused(&second).pass_on(all.to_vec()).await.unwrap();
    }

    assert_eq!(refused(&second).collect().await.unwrap(), []);
    let mut heard = Vec::new();
    while heard.is_empty() {
        heard = refused(&first).collect().await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let all = RefusalTally {
        count: 7,
        ..tally(4)
    };
    assert_eq!(heard, [(served, all)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_each_relay_refused_is_listed_together_until_that_relay_ends() {
    let Some((first, second)) = two().await else {
        return;
    };
    let (tunnel, unknown) = (first.tunnel().await, TunnelId(i64::MAX));
    let tally = |reason: &str, count: u32| RefusalTally {
        kind: "too-large".into(),
        reason: reason.to_owned(),
        count: count.into(),
        last_at: Timestamp::from_second(count.into()).unwrap(),
    };
    let keep = async |relay: &Pg, tunnel, tally| {
        let refused = relay.store.refused.as_ref().unwrap();
        refused.keep(vec![(tunnel, tally)]).await.unwrap();
    };
    let listed = async || {
        let tunnels = second.store.registry.tunnels(Some("ada".to_owned())).await;
        let refused = tunnels.unwrap().remove(0).refused;
        let facts = refused.into_iter().map(|it| (it.count, it.reason));
        facts.collect::<Vec<_>>()
    };
    for (count, all) in [(3, 5), (4, 6)] {
        keep(&first, tunnel, tally("body over 9 bytes", count)).await;
        keep(&second, tunnel, tally("body over 8 bytes", 2)).await;
        keep(&second, unknown, tally("body over 8 bytes", 2)).await;
        assert_eq!(listed().await, [(all, "body over 9 bytes".to_owned())]);
    }

    first.queue().close().await;
    assert_eq!(listed().await, [(2, "body over 8 bytes".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_ends_gives_its_tunnels_back() {
    let Some((first, second)) = two().await else {
        return;
    };
    let tunnel = first.tunnel().await;
    let session = take(&first, tunnel, claim(1)).await;

    first.store.roster.leave(tunnel, session);
    first.queue().close().await;

    let client = second.database.client().await.unwrap();
    let left =
        "SELECT (SELECT count(*) FROM podtap_sessions), (SELECT count(*) FROM podtap_relays)";
    let left = client.query_one(left, &[]).await.unwrap();
    assert_eq!((left.get::<_, i64>(0), left.get::<_, i64>(1)), (0, 1));
}
