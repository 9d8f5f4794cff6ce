//! Tests the stages of held requests: each is sent once and in order, has one outcome, and
//! leaves nothing behind.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use podtap_wire::{EventId, HeaderList, HeldFrame, WebhookRequest, WebhookResponse};
use proptest::prelude::*;

use super::passing::{MAX_BEHIND, MAX_BYTES, MAX_REQUESTS, bytes_of};
use super::*;
use crate::answers::NoOthers;

const TUNNEL: TunnelId = TunnelId(1);
const SHORT: Duration = Duration::from_millis(10);
const LONG: Duration = Duration::from_mins(1);

const FREE: SessionStanding = SessionStanding {
    behind: 0,
    room: Some(WindowRoom {
        requests: usize::MAX,
        bytes: usize::MAX,
    }),
};

fn frame(number: u64, body: usize) -> Arc<HeldFrame> {
    Arc::new(HeldFrame {
        id: EventId::from_bytes(u128::from(number).to_be_bytes()),
        request: WebhookRequest {
            received_at: Timestamp::UNIX_EPOCH,
            method: "POST".to_owned(),
            path: "/".to_owned(),
            headers: HeaderList::default(),
            peer: None,
            body: vec![0; body].into(),
        },
    })
}

fn number(frame: &HeldFrame) -> u64 {
    u64::try_from(u128::from_be_bytes(frame.id.to_bytes())).unwrap()
}

fn answer(status: u16) -> WebhookResponse {
    WebhookResponse {
        status,
        headers: HeaderList::default(),
        body: bytes::Bytes::new(),
    }
}

fn expect_held(holding: HoldOutcome) -> HeldPlace {
    match holding {
        HoldOutcome::Held(place) => place,
        other => panic!("{other:?}"),
    }
}

fn open() -> (Arc<HeldRequests>, SessionDoor) {
    let held = Arc::new(HeldRequests::new(Responders::new(Arc::new(NoOthers))));
    let door = held.open(TUNNEL, usize::MAX).unwrap();
    (held, door)
}

fn numbers_to_send(door: &SessionDoor, standing: SessionStanding) -> Vec<u64> {
    let frames = door.passing.next(standing);
    frames.iter().map(|frame| number(frame)).collect()
}

/// Returns the stored requests in order. Each turn ends at once.
async fn store_all(places: Vec<HeldPlace>) -> Vec<u64> {
    let mut waiting: futures_util::stream::FuturesUnordered<_> = places
        .into_iter()
        .map(|place| async {
            match place.outcome(LONG).await {
                Some(HeldOutcome::Store { frame, .. }) => number(&frame),
                other => panic!("{other:?}"),
            }
        })
        .collect();
    let mut stored = Vec::new();
    while let Some(number) = futures_util::StreamExt::next(&mut waiting).await {
        stored.push(number);
    }
    stored
}

#[tokio::test(start_paused = true)]
async fn an_answer_goes_to_its_request_and_one_that_is_late_to_nobody() {
    let (held_by, door) = open();
    let first = expect_held(held_by.hold(TUNNEL, frame(1, 10)));
    let second = expect_held(held_by.hold(TUNNEL, frame(2, 10)));
    assert_eq!(numbers_to_send(&door, FREE), [1, 2]);

    door.passing.answer(frame(2, 0).id, answer(202));
    door.passing.answer(frame(9, 0).id, answer(500));

    let outcome = second.outcome(LONG).await;
    assert!(matches!(outcome, Some(HeldOutcome::Answered(answer)) if answer.status == 202));
    let Some(HeldOutcome::Store { turn, .. }) = first.outcome(SHORT).await else {
        panic!("it was not answered in time");
    };
    door.passing.answer(frame(1, 0).id, answer(200));
    drop(turn);
    assert_eq!(door.passing.size(), (0, 0));
    assert!(numbers_to_send(&door, FREE).is_empty());
}

#[tokio::test(start_paused = true)]
async fn all_that_is_not_answered_is_stored_in_order_when_the_session_ends() {
    for ends in [
        (|_, door| drop(door)) as fn(&Arc<HeldRequests>, SessionDoor),
        |held: &Arc<HeldRequests>, door| {
            held.close();
            std::mem::forget(door);
        },
        |held: &Arc<HeldRequests>, door| {
            std::mem::forget((held.open(TUNNEL, 9), door));
        },
    ] {
        let (held_by, door) = open();
        let passing = Arc::clone(&door.passing);
        let mut places: Vec<_> = (0..3)
            .map(|number| expect_held(held_by.hold(TUNNEL, frame(number, 1))))
            .collect();
        assert_eq!(numbers_to_send(&door, FREE), [0, 1, 2]);
        places.extend((3..6).map(|number| expect_held(held_by.hold(TUNNEL, frame(number, 1)))));
        // The order of polling must not decide the order of storing.
        places.reverse();

        ends(&held_by, door);

        assert_eq!(store_all(places).await, [0, 1, 2, 3, 4, 5]);
        assert_eq!(passing.size(), (0, 0));
        assert!(passing.next(FREE).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_overtakes_what_waits_in_the_queue_or_is_on_its_way_there() {
    let (held_by, door) = open();
    let behind = |behind| SessionStanding { behind, ..FREE };
    let first = expect_held(held_by.hold(TUNNEL, frame(1, 1)));
    assert!(
        numbers_to_send(&door, behind(MAX_BEHIND)).is_empty(),
        "it waits"
    );
    assert!(numbers_to_send(&door, behind(MAX_BEHIND + 1)).is_empty());
    let Some(HeldOutcome::Store { mut turn, .. }) = first.outcome(LONG).await else {
        panic!("it is turned away");
    };
    turn.is_over();

    let second = expect_held(held_by.hold(TUNNEL, frame(2, 1)));
    assert!(
        numbers_to_send(&door, FREE).is_empty(),
        "the first is not stored yet"
    );
    drop(turn);
    assert!(numbers_to_send(&door, behind(1)).is_empty(), "nor sent");
    assert_eq!(numbers_to_send(&door, FREE), [2]);
    drop(second);
}

#[tokio::test(start_paused = true)]
async fn an_agent_without_room_gets_no_more() {
    let (held_by, door) = open();
    let places: Vec<_> = (0..5)
        .map(|number| expect_held(held_by.hold(TUNNEL, frame(number, 1))))
        .collect();
    let bytes = 3 * bytes_of(&frame(0, 1));
    let room = |requests, bytes| SessionStanding {
        behind: 0,
        room: Some(WindowRoom { requests, bytes }),
    };
    assert_eq!(numbers_to_send(&door, room(2, usize::MAX)), [0, 1]);
    let mut places = places.into_iter();
    let under_way: Vec<_> = places.by_ref().take(2).collect();
    assert_eq!(store_all(places.collect()).await, [2, 3, 4]);

    let more: Vec<_> = (5..8)
        .map(|number| expect_held(held_by.hold(TUNNEL, frame(number, 1))))
        .collect();
    assert_eq!(numbers_to_send(&door, room(9, bytes)), [5]);
    let mut more = more.into_iter();
    let one = more.next();
    assert_eq!(store_all(more.collect()).await, [6, 7]);
    let last = expect_held(held_by.hold(TUNNEL, frame(8, 1)));
    let none = SessionStanding {
        behind: 0,
        room: None,
    };
    assert!(numbers_to_send(&door, none).is_empty());
    assert_eq!(store_all(vec![last]).await, [8]);
    drop((under_way, one));
    assert_eq!(door.passing.size(), (0, 0));
}

#[test]
fn a_session_holds_so_many_requests_or_bytes_and_others_hold_theirs() {
    for (body, most) in [(0, MAX_REQUESTS), (MAX_BYTES / 2 - 4096, 2), (MAX_BYTES, 0)] {
        let (held_by, _door) = open();
        let _other = held_by.open(TunnelId(2), 1);
        let mut places = Vec::new();
        let mut number = 0;
        while let HoldOutcome::Held(place) = held_by.hold(TUNNEL, frame(number, body)) {
            places.push(place);
            number += 1;
        }
        assert_eq!(places.len(), most, "{body}");
        let other = |number| held_by.hold(TunnelId(2), frame(number, 0));
        let place = expect_held(other(1));
        assert!(
            matches!(other(2), HoldOutcome::NoRoom(_)),
            "its window is one"
        );
        drop(place);
        expect_held(other(3));
        if places.pop().is_some() {
            expect_held(held_by.hold(TUNNEL, frame(number, body)));
        }
    }
    let (held_by, door) = open();
    drop(door);
    assert!(matches!(
        held_by.hold(TUNNEL, frame(1, 0)),
        HoldOutcome::NoDoor(_)
    ));
}

proptest! {
    #[test]
    fn each_request_is_sent_once_in_order_and_has_one_outcome(
        steps in proptest::collection::vec((0..8_u8, any::<prop::sample::Index>()), 1..200),
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let _inside = runtime.enter();
        let (held_by, door) = open();
        let none = SessionStanding { room: None, ..FREE };
        let (mut places, mut turns) = (Vec::new(), Vec::new());
        let (mut was_sent, mut in_queue) = (BTreeSet::new(), Vec::new());
        for (step, index) in steps {
            let came = places.len();
            let any = u64::try_from(index.index(came.max(1))).unwrap();
            match step {
                0 | 1 => {
                    let place = expect_held(held_by.hold(TUNNEL, frame(came as u64, 1)));
                    places.push(Some(Box::pin(place.outcome(LONG))));
                }
                2 => {
                    let unsent = turns.iter().any(|(number, _)| !was_sent.contains(number));
                    let now = numbers_to_send(&door, FREE);
                    prop_assert!(now.is_empty() || !unsent, "{:?} overtake", now);
                    for number in now {
                        prop_assert!(was_sent.last() < Some(&number), "{} is late", number);
                        prop_assert!(in_queue.iter().all(|stored| *stored != number));
                        was_sent.insert(number);
                    }
                }
                3 => prop_assert!(numbers_to_send(&door, none).is_empty()),
                // The time limit passes, an answer arrives, or a sender hangs up.
                4 => door.passing.give_up(any),
                5 => door.passing.answer(frame(any, 0).id, answer(200)),
                6 => drop(places.get_mut(index.index(came.max(1))).map(Option::take)),
                _ if !turns.is_empty() => drop(turns.remove(index.index(turns.len()))),
                _ => {}
            }
            // The last request is woken first, and each hands its event over at once.
            let mut is_news = true;
            while std::mem::take(&mut is_news) {
                for (number, place) in places.iter_mut().enumerate().rev() {
                    let number = number as u64;
                    let outcome = place.as_mut().and_then(|place| place.as_mut().now_or_never());
                    match outcome {
                        Some(Some(HeldOutcome::Store { frame: stored, mut turn })) => {
                            prop_assert_eq!(self::number(&stored), number);
                            in_queue.push(number);
                            turn.is_over();
                            turns.push((number, turn));
                        }
                        Some(Some(HeldOutcome::Answered(_))) => {
                            prop_assert!(was_sent.contains(&number));
                        }
                        Some(None) => prop_assert!(false, "{} has no outcome", number),
                        None => continue,
                    }
                    (*place, is_news) = (None, true);
                }
            }
        }
        drop((places, turns));
        prop_assert_eq!(door.passing.size(), (0, 0));
    }
}
