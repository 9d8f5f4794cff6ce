//! Tests which events leave a queue: those that are acknowledged, too old, or removed to make room.

use std::time::Duration;

use podtap_disk::age::Now;
use podtap_wire::Seq;

use super::bench::{Bench, NOBODY, WIDE, append, append_numbers, numbers, read};
use crate::queue::{AppendError, EngineLimits, Gap, Totals};

/// Returns the time after this many hours, with a wall clock and a running time that agree.
fn after_hours(hours: u64) -> Now {
    Now {
        wall_ms: i64::try_from(hours * 3_600_000).unwrap(),
        steady: Duration::from_hours(hours),
    }
}

pub(crate) async fn acknowledged_events_are_gone_and_the_rest_stays<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    append_numbers(&*queue, tunnel, 5).await;

    queue.acknowledge(tunnel, NOBODY, Seq(3)).await.unwrap();
    queue.acknowledge(tunnel, NOBODY, Seq(2)).await.unwrap();

    assert_eq!(numbers(&read(&*queue, tunnel, 0).await), [4, 5]);
    let depth = queue.depth(tunnel).await.unwrap();
    assert_eq!(
        (depth.removed, depth.last, depth.events()),
        (Seq(3), Seq(5), 2)
    );
    queue.acknowledge(tunnel, NOBODY, Seq(99)).await.unwrap();
    assert_eq!(queue.totals().await.unwrap(), Totals::default());
    assert_eq!(
        append(&*queue, tunnel, "x").await,
        Ok(Seq(6)),
        "not removed beforehand"
    );
    assert_eq!(numbers(&read(&*queue, tunnel, 0).await), [6]);
}

pub(crate) async fn a_large_backlog_is_acknowledged_at_once<B: Bench>() {
    const MANY: u64 = 5000;
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    let appends = (0..MANY).map(|_| append(&*queue, tunnel, "x"));
    futures_util::future::join_all(appends).await;

    queue
        .acknowledge(tunnel, NOBODY, Seq(MANY - 1))
        .await
        .unwrap();

    assert_eq!(numbers(&read(&*queue, tunnel, 0).await), [MANY]);
    assert_eq!(queue.totals().await.unwrap().events, 1);
}

pub(crate) async fn a_full_queue_refuses_until_there_is_room<B: Bench>() {
    let bench = B::new(EngineLimits {
        max_events: 2,
        ..WIDE
    })
    .await;
    let queue = bench.queue();
    let (tunnel, other) = (bench.tunnel().await, bench.tunnel().await);
    append_numbers(&*queue, tunnel, 2).await;

    assert_eq!(append(&*queue, tunnel, "x").await, Err(AppendError::Full));

    assert_eq!(append(&*queue, other, "x").await, Ok(Seq(1)));
    queue.acknowledge(tunnel, NOBODY, Seq(1)).await.unwrap();
    assert_eq!(
        append(&*queue, tunnel, "x").await,
        Ok(Seq(3)),
        "no number is lost"
    );
}

pub(crate) async fn bytes_fill_a_queue_as_well<B: Bench>() {
    let bench = B::new(EngineLimits {
        max_bytes: 5000,
        ..WIDE
    })
    .await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    let body = "x".repeat(3000);
    assert_eq!(append(&*queue, tunnel, &body).await, Ok(Seq(1)));

    assert_eq!(append(&*queue, tunnel, &body).await, Err(AppendError::Full));

    assert_eq!(append(&*queue, tunnel, "small").await, Ok(Seq(2)));
    queue.acknowledge(tunnel, NOBODY, Seq(1)).await.unwrap();
    assert_eq!(append(&*queue, tunnel, &body).await, Ok(Seq(3)));
}

pub(crate) async fn one_owner_leaves_room_for_the_others<B: Bench>() {
    const MIB: usize = 1024 * 1024;
    let bench = B::new(EngineLimits {
        max_total_bytes: 12 * MIB as u64,
        ..WIDE
    })
    .await;
    let queue = bench.queue();
    let body = "x".repeat(MIB / 2);
    let fill = async |tunnel| {
        let mut stored = 0;
        loop {
            match append(&*queue, tunnel, &body).await {
                Ok(Seq(seq)) => stored = seq,
                Err(why) => break (stored, why),
            }
        }
    };
    let hog = bench.tunnel_of("hog").await;
    let (hogs, why) = fill(hog).await;
    assert_eq!(why, AppendError::ShareOfDisk);
    assert!((8..=12).contains(&hogs), "a half of all: {hogs}");
    // A second tunnel does not raise the share of its owner.
    let (more, why) = fill(bench.tunnel_of("hog").await).await;
    assert_eq!((more, why), (0, AppendError::ShareOfDisk));

    let (others, why) = fill(bench.tunnel_of("other").await).await;
    assert_eq!(why, AppendError::ShareOfDisk);
    assert!((4..=6).contains(&others), "a half of the rest: {others}");
    // Each further owner still gets a small amount, until nothing is left.
    let mut owners = 0;
    loop {
        let tunnel = bench.tunnel_of(&format!("owner-{owners}")).await;
        match fill(tunnel).await {
            (1.., AppendError::ShareOfDisk) => owners += 1,
            (_, AppendError::AllFull) => break,
            other => panic!("{owners}: {other:?}"),
        }
    }
    assert!(owners >= 1);

    queue.acknowledge(hog, NOBODY, Seq(hogs)).await.unwrap();
    assert_eq!(append(&*queue, hog, &body).await, Ok(Seq(hogs + 1)));
}

pub(crate) async fn what_is_too_old_becomes_a_gap<B: Bench>() {
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

pub(crate) async fn an_acknowledgement_past_a_gap_forgets_it<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    append_numbers(&*queue, tunnel, 3).await;
    for hours in [0, 2] {
        let max_age = Duration::from_hours(1);
        queue.expire(max_age, after_hours(hours)).await.unwrap();
    }
    append_numbers(&*queue, tunnel, 1).await;
    queue.acknowledge(tunnel, NOBODY, Seq(2)).await.unwrap();
    assert_eq!(queue.gaps(tunnel).await.unwrap().len(), 1);

    queue.acknowledge(tunnel, NOBODY, Seq(4)).await.unwrap();

    assert_eq!(queue.gaps(tunnel).await.unwrap(), []);
}

/// Returns limits that two events of about 3,000 bytes each fill.
fn for_two() -> [EngineLimits; 4] {
    [
        EngineLimits {
            max_events: 2,
            ..WIDE
        },
        EngineLimits {
            max_bytes: 8000,
            ..WIDE
        },
        EngineLimits {
            max_owner_events: 2,
            ..WIDE
        },
        EngineLimits {
            max_owner_bytes: 8000,
            ..WIDE
        },
    ]
}

pub(crate) async fn what_an_agent_has_is_never_in_the_way<B: Bench>() {
    let body = "x".repeat(3000);
    for limits in for_two() {
        let bench = B::new(limits).await;
        let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
        for number in 1..=9 {
            let stored = append(&*queue, tunnel, &body).await;
            assert_eq!(stored, Ok(Seq(number)));
            queue.acknowledge_soon(tunnel, NOBODY, Seq(number - 1));
        }
    }
}

pub(crate) async fn what_an_agent_has_is_not_counted<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    append_numbers(&*queue, tunnel, 5).await;

    queue.acknowledge_soon(tunnel, NOBODY, Seq(3));
    queue.acknowledge_soon(tunnel, NOBODY, Seq(2));

    let depth = queue.depth(tunnel).await.unwrap();
    assert_eq!((depth.removed, depth.events()), (Seq(3), 2));
    assert_eq!(numbers(&read(&*queue, tunnel, 0).await), [4, 5]);
}

pub(crate) async fn what_an_agent_has_is_not_missing_when_it_is_too_old<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    append_numbers(&*queue, tunnel, 3).await;
    let max_age = Duration::from_hours(1);
    queue.expire(max_age, after_hours(0)).await.unwrap();

    queue.acknowledge_soon(tunnel, NOBODY, Seq(2));
    queue.expire(max_age, after_hours(2)).await.unwrap();

    let gaps = queue.gaps(tunnel).await.unwrap();
    let ends: Vec<_> = gaps.iter().map(|gap| (gap.from.0, gap.to.0)).collect();
    assert_eq!(ends, [(3, 3)], "what it does not have");
}

pub(crate) async fn what_an_agent_has_is_deleted_before_the_end<B: Bench>() {
    let bench = B::new(WIDE).await;
    let tunnel = bench.tunnel().await;
    append_numbers(&*bench.queue(), tunnel, 3).await;

    bench.queue().acknowledge_soon(tunnel, NOBODY, Seq(2));
    bench.queue().close().await;

    let bench = bench.restart().await;
    let queue = bench.queue();
    assert_eq!(numbers(&read(&*queue, tunnel, 0).await), [3]);
    assert_eq!(queue.totals().await.unwrap().events, 1);
}

pub(crate) async fn what_an_agent_has_is_deleted_by_the_clock<B: Bench>() {
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    append_numbers(&*queue, tunnel, 3).await;

    queue.acknowledge_soon(tunnel, NOBODY, Seq(3));

    while queue.totals().await.unwrap() != Totals::default() {
        queue.settle().await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) async fn many_that_an_agent_has_wait_for_no_clock<B: Bench>() {
    const MANY: u64 = 3000;
    let bench = B::new(WIDE).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    let appends = (0..MANY).map(|_| append(&*queue, tunnel, "x"));
    futures_util::future::join_all(appends).await;

    queue.acknowledge_soon(tunnel, NOBODY, Seq(MANY));

    while queue.totals().await.unwrap() != Totals::default() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
