//! Tests that events come out as they went in: their numbers, order, waiting, restarts and
//! the ends of queues.

use std::time::Duration;

use podtap_wire::{EventFrame, EventId, HeaderList, Seq, WebhookRequest};

use super::bench::{ALL, Bench, NOBODY, WIDE, append, append_numbers, numbers, read, webhook};
use crate::queue::{AppendError, QueueError, ReadLimit, Totals};

pub(crate) async fn events_come_back_as_they_were_appended<B: Bench>() {
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

pub(crate) async fn numbers_count_from_one_in_each_tunnel<B: Bench>() {
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

pub(crate) async fn concurrent_appends_get_numbers_without_holes<B: Bench>() {
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

pub(crate) async fn a_read_at_the_end_waits_for_the_next_event<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    append_numbers(&*queue, tunnel, 1).await;
    let mut waiting = queue.read_after(tunnel, Seq(1), ALL);
    let early = tokio::time::timeout(Duration::from_millis(50), &mut waiting).await;
    assert!(early.is_err(), "{early:?}");

    let (events, _) = tokio::join!(waiting, append(&*queue, tunnel, "2"));

    assert_eq!(numbers(&events.unwrap()), [2]);
}

pub(crate) async fn a_read_brings_no_more_than_it_may<B: Bench>() {
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

pub(crate) async fn everything_outlives_a_restart<B: Bench>() {
    let bench = B::new(WIDE).await;
    let tunnel = bench.tunnel().await;
    append_numbers(&*bench.queue(), tunnel, 5).await;
    bench
        .queue()
        .acknowledge(tunnel, NOBODY, Seq(2))
        .await
        .unwrap();
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

pub(crate) async fn numbers_are_never_used_twice<B: Bench>() {
    let bench = B::new(WIDE).await;
    let tunnel = bench.tunnel().await;
    append_numbers(&*bench.queue(), tunnel, 3).await;
    bench
        .queue()
        .acknowledge(tunnel, NOBODY, Seq(3))
        .await
        .unwrap();

    let bench = bench.restart().await;

    assert_eq!(append(&*bench.queue(), tunnel, "x").await, Ok(Seq(4)));
}

pub(crate) async fn a_deleted_tunnel_is_unknown<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    append_numbers(&*queue, tunnel, 3).await;

    bench.delete(tunnel).await;

    assert_eq!(
        append(&*queue, tunnel, "x").await,
        Err(AppendError::UnknownTunnel)
    );
    assert_eq!(
        queue.acknowledge(tunnel, NOBODY, Seq(1)).await,
        Err(QueueError::UnknownTunnel)
    );
    assert_eq!(queue.depth(tunnel).await, Err(QueueError::UnknownTunnel));
    assert_eq!(queue.totals().await.unwrap(), Totals::default());
    assert_ne!(bench.tunnel().await, tunnel);
}

pub(crate) async fn a_closed_queue_refuses<B: Bench>() {
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
        queue.acknowledge(tunnel, NOBODY, Seq(1)).await,
        Err(QueueError::Unavailable)
    );
}

pub(crate) async fn a_follower_gets_each_event_once_and_in_order<B: Bench>() {
    const MANY: u64 = 3000;
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    let follows = queue.follow(tunnel).await.unwrap();
    let appends = futures_util::future::join_all((0..MANY).map(|_| append(&*queue, tunnel, "x")));
    let reading = async {
        let (mut cursor, mut seen) = (Seq(0), Vec::new());
        while cursor < Seq(MANY) {
            // The reader sometimes keeps up and is sometimes far behind.
            let at_most = ReadLimit {
                events: if cursor.0 % 2 == 0 { 7 } else { 1000 },
                ..ALL
            };
            let events = queue.read_after(tunnel, cursor, at_most).await.unwrap();
            cursor = events.last().unwrap().seq;
            seen.extend(numbers(&events));
            if cursor.0 % 5 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        seen
    };

    let (_, seen) = tokio::join!(appends, reading);

    assert_eq!(seen, (1..=MANY).collect::<Vec<_>>());
    assert_eq!(follows.borrow().last, Seq(MANY));
}
