//! Tests arrival, commit, read and end in any order: each event is delivered once, the events of an
//! object in order, and each outcome is written once, at the event's position.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use podtap_wire::{EventId, HeaderList, WebhookRequest};
use proptest::prelude::*;

use super::*;
use crate::history::{DeliveryState, Insight, Outcome as What};

fn event(number: u64, position: i64) -> Event {
    Event {
        position: Position(position),
        id: EventId::from_bytes(u128::from(number).to_be_bytes()),
        seq: None,
        request: WebhookRequest {
            received_at: Timestamp::UNIX_EPOCH,
            method: "POST".to_owned(),
            path: "/".to_owned(),
            headers: HeaderList::default(),
            peer: None,
            body: bytes::Bytes::new(),
        },
        podio: None,
        state: DeliveryState::Pending,
        insight: Insight::default(),
        note: None,
    }
}

fn number(id: EventId) -> u64 {
    u64::try_from(u128::from_be_bytes(id.to_bytes())).unwrap()
}

fn attempt(event: &Event) -> CameOf {
    CameOf::Attempt {
        attempt: Box::new(Attempt {
            event: event.id,
            number: 1,
            replay: false,
            imported: false,
            url: String::new(),
            target: None,
            edited: None,
            started_at: Timestamp::UNIX_EPOCH,
            duration: Duration::ZERO,
            outcome: What::Failed {
                error: "away".to_owned(),
            },
        }),
        again: false,
        others: Vec::new(),
    }
}

/// Returns the claim on an event. One event in seven is for another target.
fn claim(number: u64) -> EventClaim {
    if number.is_multiple_of(7) {
        EventClaim::Others
    } else {
        EventClaim::Mine(TargetShare::default())
    }
}

/// A model of link, history and lanes; every fifth event is about the same object.
#[derive(Default)]
struct IntakeWorld {
    intake: Intake,
    arrived: u64,
    /// Events that wait for the next commit, and whether each was offered.
    gathered: Vec<(u64, bool)>,
    /// Messages to delivery, in order.
    sent: VecDeque<Fresh>,
    /// Events in the history, in the order of their positions from 1, and whether each still waits.
    stored: Vec<(u64, bool)>,
    lanes: HashMap<u64, VecDeque<(Box<Event>, usize)>>,
    delivered: Vec<u64>,
    written: Vec<u64>,
    /// Outcomes that were written and are not in the history yet.
    unwritten: VecDeque<EventKey>,
}

use crate::history::Fresh;

impl IntakeWorld {
    fn newest(&self) -> Position {
        Position(i64::try_from(self.stored.len()).unwrap())
    }

    /// Lets an event arrive; it is offered unless an earlier one was not.
    fn arrive(&mut self, may_offer: bool) {
        self.arrived += 1;
        let is_offered = may_offer && self.gathered.iter().all(|(_, offered)| *offered);
        if is_offered {
            let event = Box::new(event(self.arrived, 0));
            let after = self.newest();
            self.sent.push_back(Fresh::Arrived { event, after });
        }
        self.gathered.push((self.arrived, is_offered));
    }

    fn commit(&mut self, is_told: bool) {
        let mut committed = CommittedEvents {
            after: self.newest(),
            ..CommittedEvents::default()
        };
        for (number, is_offered) in std::mem::take(&mut self.gathered) {
            self.stored.push((number, true));
            let stored = event(number, self.newest().0);
            committed.events.push(if is_offered {
                StoredEvent::Offered(stored.id, stored.position)
            } else {
                StoredEvent::New(Box::new(stored))
            });
        }
        committed.through = self.newest();
        if is_told {
            self.sent.push_back(Fresh::Committed(committed));
        }
    }

    fn receive(&mut self, is_held: bool) {
        let newest = self.newest();
        while let Some(fresh) = self.sent.pop_front() {
            let todo = match fresh {
                Fresh::Arrived { event, after } => {
                    let claim = claim(number(event.id));
                    let todo = self.intake.add_arrival(event, after, is_held, claim);
                    todo.into_iter().collect()
                }
                Fresh::Committed(committed) => self
                    .intake
                    .add_committed(committed, |event| claim(number(event.id))),
            };
            self.see_to(todo);
        }
        self.intake.reaches(newest);
    }

    fn read(&mut self, limit: usize) {
        let Some(after) = self.intake.read_after() else {
            return;
        };
        let waiting = (1_i64..).zip(&self.stored);
        let found = waiting.filter(|(place, (_, waits))| *waits && *place > after.0);
        let events: Vec<_> = found
            .take(limit)
            .map(|(place, (number, _))| WaitingEvent {
                event: event(*number, place),
                attempts: 0,
                answered: Vec::new(),
            })
            .collect();
        let through = if events.len() < limit {
            self.newest()
        } else {
            events.last().unwrap().event.position
        };
        self.receive(false);
        let page = PendingPage {
            events,
            unreadable: Vec::new(),
            through,
        };
        let todo = self
            .intake
            .take_page(page, |waiting| claim(number(waiting.event.id)));
        self.see_to(todo);
    }

    fn see_to(&mut self, todo: Vec<IntakeStep>) {
        for one in todo {
            match one {
                IntakeStep::Deliver { event, size, .. } => {
                    let lane = number(event.id) % 5;
                    self.lanes.entry(lane).or_default().push_back((event, size));
                }
                IntakeStep::Settle(_) => panic!("nothing was answered before"),
                IntakeStep::Write(key, _) => {
                    let number = number(key.id);
                    let place = usize::try_from(key.position.0 - 1).unwrap();
                    assert_eq!(self.stored[place].0, number, "at its place");
                    self.written.push(number);
                    self.unwritten.push_back(key);
                }
            }
        }
    }

    fn deliver(&mut self, lane: u64) {
        if let Some((event, size)) = self.lanes.entry(lane).or_default().pop_front() {
            self.delivered.push(number(event.id));
            let todo = self.intake.came_of(&event, attempt(&event));
            self.see_to(todo.into_iter().collect());
            self.intake.finish(event.id, size);
        }
    }

    fn write(&mut self) {
        for key in self.unwritten.drain(..) {
            let place = usize::try_from(key.position.0 - 1).unwrap();
            self.stored[place].1 = false;
        }
    }
}

proptest! {
    #[test]
    fn each_event_is_delivered_once_and_in_order(
        steps in prop::collection::vec((0_u8..10, any::<bool>(), 0_u64..5), 0..600),
    ) {
        let mut world = IntakeWorld::default();
        for (step, yes, lane) in steps {
            match step {
                0..=2 => world.arrive(yes || lane > 0),
                3 => world.commit(yes || lane > 1),
                4 => world.receive(yes && lane == 0),
                5 => world.read(usize::try_from(lane).unwrap() + 1),
                6 => world.write(),
                _ => world.deliver(lane),
            }
        }
        world.commit(true);
        for _ in 0..=world.arrived {
            world.receive(false);
            world.read(3);
            (0..5).for_each(|lane| world.deliver(lane));
        }
        world.receive(false);

        let mut delivered = world.delivered.clone();
        for lane in 0..5 {
            let of_lane = delivered.iter().filter(|number| **number % 5 == lane);
            prop_assert!(of_lane.is_sorted());
        }
        let is_mine = |number: &u64| !number.is_multiple_of(7);
        let all: Vec<u64> = (1..=world.arrived).filter(is_mine).collect();
        delivered.sort_unstable();
        prop_assert_eq!(&delivered, &all);
        world.written.sort_unstable();
        prop_assert_eq!(&world.written, &all);
        prop_assert!(world.intake.is_settled() && world.intake.early.is_empty());
        prop_assert_eq!((world.intake.unstored, world.intake.unstored_bytes), (0, 0));
    }
}

#[test]
fn what_waits_for_its_commit_is_bounded() {
    let mut intake = Intake::default();
    let taken = (1..=2000).take_while(|number| {
        let claim = EventClaim::Mine(TargetShare::default());
        let todo = intake.add_arrival(Box::new(event(*number, 0)), Position(0), false, claim);
        todo.is_some()
    });
    assert_eq!(taken.count(), MAX_UNSTORED);
}
