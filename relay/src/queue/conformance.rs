//! What every engine must do: one function a promise, stamped for each engine by [`conformance`].
//!
//! An engine brings a [`Bench`]: how to make a queue with given limits, a tunnel in it, and how to
//! restart it. A promise that an engine cannot be tested for is not a promise.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use podtap_disk::age::Now;
use podtap_wire::{EventFrame, EventId, HeaderList, Seq, WebhookRequest};

use super::{AppendError, Gap, Queue, QueueError, QueueLimits, ReadLimit, Totals, TunnelId};

/// An engine under test.
pub(super) trait Bench: Sized {
    /// An empty queue.
    async fn new(limits: QueueLimits) -> Self;
    /// The queue, as the relay uses it.
    fn queue(&self) -> Arc<dyn Queue>;
    /// A new tunnel.
    async fn tunnel(&self) -> TunnelId;
    /// Deletes a tunnel behind the queue's back, as another process does.
    async fn delete(&self, tunnel: TunnelId);
    /// Ends the queue without warning and opens it again.
    async fn restart(self) -> Self;
}

/// Writes a test for each promise, for one engine.
macro_rules! conformance {
    ($bench:ty: $($promise:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $promise() {
            let patience = std::time::Duration::from_secs(20);
            let promise = $crate::queue::conformance::$promise::<$bench>();
            tokio::time::timeout(patience, promise).await.expect("it hangs");
        }
    )+};
    ($bench:ty) => {
        $crate::queue::conformance::conformance!($bench:
            events_come_back_as_they_were_appended,
            numbers_count_from_one_in_each_tunnel,
            concurrent_appends_get_numbers_without_holes,
            a_read_at_the_end_waits_for_the_next_event,
            a_read_brings_no_more_than_it_may,
            acknowledged_events_are_gone_and_the_rest_stays,
            everything_outlives_a_restart,
            numbers_are_never_used_twice,
            a_large_backlog_is_acknowledged_at_once,
            a_full_queue_refuses_until_there_is_room,
            bytes_fill_a_queue_as_well,
            what_is_too_old_becomes_a_gap,
            an_acknowledgement_past_a_gap_forgets_it,
            a_deleted_tunnel_is_unknown,
            a_closed_queue_refuses,
        );
    };
}
pub(super) use conformance;

const WIDE: QueueLimits = QueueLimits {
    max_events: 1_000_000,
    max_bytes: 1 << 30,
    max_owner_events: 1_000_000,
    max_owner_bytes: 1 << 30,
    min_free_bytes: 0,
    reserve_bytes: 0,
};

const ALL: ReadLimit = ReadLimit {
    events: 100_000,
    bytes: 1 << 30,
};

fn webhook(body: impl Into<Vec<u8>>) -> WebhookRequest {
    WebhookRequest {
        received_at: Timestamp::from_millisecond(1_764_000_000_123).unwrap(),
        method: "POST".to_owned(),
        path: "/a%2F?q=1".to_owned(),
        headers: HeaderList::from_iter([("x-raw", b"\xff\x00".to_vec()), ("x", b"1".to_vec())]),
        peer: Some([192, 0, 2, 1].into()),
        body: body.into().into(),
    }
}

async fn append(queue: &dyn Queue, tunnel: TunnelId, body: &str) -> Result<Seq, AppendError> {
    let webhook = webhook(body);
    let id = EventId::generate(webhook.received_at).unwrap();
    queue.append(tunnel, id, webhook).await
}

async fn append_numbers(queue: &dyn Queue, tunnel: TunnelId, count: u64) {
    for number in 1..=count {
        append(queue, tunnel, &number.to_string()).await.unwrap();
    }
}

async fn read(queue: &dyn Queue, tunnel: TunnelId, after: u64) -> Vec<EventFrame> {
    queue.read_after(tunnel, Seq(after), ALL).await.unwrap()
}

fn numbers(events: &[EventFrame]) -> Vec<u64> {
    events.iter().map(|event| event.seq.0).collect()
}

pub(super) async fn events_come_back_as_they_were_appended<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    let every_byte: Vec<u8> = (0..=255).collect();
    let requests = [
        webhook(every_byte),
        WebhookRequest {
            peer: Some("2001:db8::1".parse().unwrap()),
            headers: HeaderList::default(),
            ..webhook("")
        },
        WebhookRequest {
            peer: None,
            ..webhook(vec![7; 1_000_000])
        },
    ];
    let mut appended = Vec::new();
    for request in requests {
        let id = EventId::generate(request.received_at).unwrap();
        let seq = queue.append(tunnel, id, request.clone()).await.unwrap();
        appended.push(EventFrame { seq, id, request });
    }

    assert_eq!(read(&*queue, tunnel, 0).await, appended);
}

pub(super) async fn numbers_count_from_one_in_each_tunnel<B: Bench>() {
    let bench = B::new(WIDE).await;
    let queue = bench.queue();
    let (first, second) = (bench.tunnel().await, bench.tunnel().await);
    assert_ne!(first, second);
    for number in 1..4 {
        assert_eq!(append(&*queue, first, "a").await, Ok(Seq(number)));
        assert_eq!(append(&*queue, second, "b").await, Ok(Seq(number)));
    }

    let events = read(&*queue, second, 1).await;

    assert_eq!(numbers(&events), [2, 3]);
    assert!(events.iter().all(|event| event.request.body == "b"));
}

pub(super) async fn concurrent_appends_get_numbers_without_holes<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    let appends = (0..500).map(|_| append(&*queue, tunnel, "x"));

    let mut given: Vec<u64> = futures_util::future::join_all(appends)
        .await
        .into_iter()
        .map(|seq| seq.unwrap().0)
        .collect();

    given.sort_unstable();
    assert_eq!(given, (1..=500).collect::<Vec<_>>());
    assert_eq!(numbers(&read(&*queue, tunnel, 0).await), given);
}

pub(super) async fn a_read_at_the_end_waits_for_the_next_event<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    append_numbers(&*queue, tunnel, 1).await;
    let mut waiting = queue.read_after(tunnel, Seq(1), ALL);
    let early = tokio::time::timeout(Duration::from_millis(50), &mut waiting).await;
    assert!(early.is_err(), "{early:?}");

    let (events, _) = tokio::join!(waiting, append(&*queue, tunnel, "2"));

    assert_eq!(numbers(&events.unwrap()), [2]);
}

pub(super) async fn a_read_brings_no_more_than_it_may<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    for _ in 0..5 {
        append(&*queue, tunnel, &"x".repeat(1000)).await.unwrap();
    }
    let limited = async |events, bytes| {
        let at_most = ReadLimit { events, bytes };
        numbers(&queue.read_after(tunnel, Seq(1), at_most).await.unwrap())
    };

    assert_eq!(limited(2, 1 << 20).await, [2, 3]);
    assert_eq!(
        limited(100, 2500).await,
        [2, 3, 4],
        "until the limit is reached"
    );
    assert_eq!(limited(100, 1).await, [2], "one at least");
}

pub(super) async fn acknowledged_events_are_gone_and_the_rest_stays<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    append_numbers(&*queue, tunnel, 5).await;

    queue.acknowledge(tunnel, Seq(3)).await.unwrap();
    queue.acknowledge(tunnel, Seq(2)).await.unwrap();

    assert_eq!(numbers(&read(&*queue, tunnel, 0).await), [4, 5]);
    let depth = queue.depth(tunnel).await.unwrap();
    assert_eq!(
        (depth.removed, depth.last, depth.events()),
        (Seq(3), Seq(5), 2)
    );
    queue.acknowledge(tunnel, Seq(99)).await.unwrap();
    assert_eq!(queue.totals().await.unwrap(), Totals::default());
    assert_eq!(
        append(&*queue, tunnel, "x").await,
        Ok(Seq(6)),
        "not removed beforehand"
    );
    assert_eq!(numbers(&read(&*queue, tunnel, 0).await), [6]);
}

pub(super) async fn everything_outlives_a_restart<B: Bench>() {
    let bench = B::new(WIDE).await;
    let tunnel = bench.tunnel().await;
    append_numbers(&*bench.queue(), tunnel, 5).await;
    bench.queue().acknowledge(tunnel, Seq(2)).await.unwrap();
    let before = (
        bench.queue().depth(tunnel).await,
        read(&*bench.queue(), tunnel, 0).await,
    );

    let bench = bench.restart().await;

    let queue = bench.queue();
    assert_eq!(
        (queue.depth(tunnel).await, read(&*queue, tunnel, 0).await),
        before
    );
}

pub(super) async fn numbers_are_never_used_twice<B: Bench>() {
    let bench = B::new(WIDE).await;
    let tunnel = bench.tunnel().await;
    append_numbers(&*bench.queue(), tunnel, 3).await;
    bench.queue().acknowledge(tunnel, Seq(3)).await.unwrap();

    let bench = bench.restart().await;

    assert_eq!(append(&*bench.queue(), tunnel, "x").await, Ok(Seq(4)));
}

pub(super) async fn a_large_backlog_is_acknowledged_at_once<B: Bench>() {
    const MANY: u64 = 5000;
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    let appends = (0..MANY).map(|_| append(&*queue, tunnel, "x"));
    futures_util::future::join_all(appends).await;

    queue.acknowledge(tunnel, Seq(MANY - 1)).await.unwrap();

    assert_eq!(numbers(&read(&*queue, tunnel, 0).await), [MANY]);
    assert_eq!(queue.totals().await.unwrap().events, 1);
}

pub(super) async fn a_full_queue_refuses_until_there_is_room<B: Bench>() {
    let bench = B::new(QueueLimits {
        max_events: 2,
        ..WIDE
    })
    .await;
    let queue = bench.queue();
    let (tunnel, other) = (bench.tunnel().await, bench.tunnel().await);
    append_numbers(&*queue, tunnel, 2).await;

    assert_eq!(append(&*queue, tunnel, "x").await, Err(AppendError::Full));

    assert_eq!(append(&*queue, other, "x").await, Ok(Seq(1)));
    queue.acknowledge(tunnel, Seq(1)).await.unwrap();
    assert_eq!(
        append(&*queue, tunnel, "x").await,
        Ok(Seq(3)),
        "no number is lost"
    );
}

pub(super) async fn bytes_fill_a_queue_as_well<B: Bench>() {
    let bench = B::new(QueueLimits {
        max_bytes: 5000,
        ..WIDE
    })
    .await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    let body = "x".repeat(3000);
    assert_eq!(append(&*queue, tunnel, &body).await, Ok(Seq(1)));

    assert_eq!(append(&*queue, tunnel, &body).await, Err(AppendError::Full));

    assert_eq!(append(&*queue, tunnel, "small").await, Ok(Seq(2)));
    queue.acknowledge(tunnel, Seq(1)).await.unwrap();
    assert_eq!(append(&*queue, tunnel, &body).await, Ok(Seq(3)));
}

/// Running time of this many hours, by clocks that agree.
fn after_hours(hours: u64) -> Now {
    Now {
        wall_ms: i64::try_from(hours * 3_600_000).unwrap(),
        steady: Duration::from_hours(hours),
    }
}

pub(super) async fn what_is_too_old_becomes_a_gap<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    append_numbers(&*queue, tunnel, 3).await;
    let max_age = Duration::from_hours(24);
    queue.expire(max_age, after_hours(0)).await.unwrap();
    append_numbers(&*queue, tunnel, 1).await;
    let ahead = Now {
        wall_ms: 8 * 24 * 3_600_000,
        ..after_hours(1)
    };
    queue.expire(max_age, ahead).await.unwrap();
    assert_eq!(
        queue.gaps(tunnel).await.unwrap(),
        [],
        "a clock that jumps ahead"
    );

    queue.expire(max_age, after_hours(24)).await.unwrap();

    let bench = bench.restart().await;
    let queue = bench.queue();
    let left = read(&*queue, tunnel, 0).await;
    assert_eq!(
        left.iter().map(|event| event.seq).collect::<Vec<_>>(),
        [Seq(4)]
    );
    let gaps = queue.gaps(tunnel).await.unwrap();
    let [Gap { from, to, reason }] = &gaps[..] else {
        panic!("{gaps:?}")
    };
    assert_eq!((*from, *to), (Seq(1), Seq(3)));
    assert!(!reason.is_empty());
}

pub(super) async fn an_acknowledgement_past_a_gap_forgets_it<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    append_numbers(&*queue, tunnel, 3).await;
    for hours in [0, 2] {
        let max_age = Duration::from_hours(1);
        queue.expire(max_age, after_hours(hours)).await.unwrap();
    }
    append_numbers(&*queue, tunnel, 1).await;
    queue.acknowledge(tunnel, Seq(2)).await.unwrap();
    assert_eq!(queue.gaps(tunnel).await.unwrap().len(), 1);

    queue.acknowledge(tunnel, Seq(4)).await.unwrap();

    assert_eq!(queue.gaps(tunnel).await.unwrap(), []);
}

pub(super) async fn a_deleted_tunnel_is_unknown<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    append_numbers(&*queue, tunnel, 3).await;

    bench.delete(tunnel).await;

    assert_eq!(
        append(&*queue, tunnel, "x").await,
        Err(AppendError::UnknownTunnel)
    );
    assert_eq!(
        queue.acknowledge(tunnel, Seq(1)).await,
        Err(QueueError::UnknownTunnel)
    );
    assert_eq!(queue.depth(tunnel).await, Err(QueueError::UnknownTunnel));
    assert_eq!(queue.totals().await.unwrap(), Totals::default());
    assert_ne!(bench.tunnel().await, tunnel);
}

pub(super) async fn a_closed_queue_refuses<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    assert_eq!(queue.probe().await, Ok(()));

    queue.close().await;

    assert_eq!(queue.probe().await, Err(AppendError::Unavailable));
    assert_eq!(
        append(&*queue, tunnel, "x").await,
        Err(AppendError::Unavailable)
    );
    assert_eq!(
        queue.acknowledge(tunnel, Seq(1)).await,
        Err(QueueError::Unavailable)
    );
}
