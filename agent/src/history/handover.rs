//! Hands events to delivery without a read from the disk: events as they
//! arrive, before their commit, and committed events with their positions. All
//! pass through one channel in order, so an event's arrival always precedes
//! its commit, and follows everything that was committed before it arrived.
//!
//! Each target gets every message. The channel of each target is bounded in messages and bytes. A
//! message for which there is no room is not sent, and delivery reads the events from the history.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use podtap_wire::EventId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::event::Event;
use super::insight::Insight;
use super::position::Position;
use super::row;
use super::seen_ids::SeenIds;
use super::write::NewEvent;

/// Maximum number of messages in a channel.
const MAX_MESSAGES: usize = 2048;

/// Maximum number of bytes of the events in a channel.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Unit in which memory is counted: 1 KiB. A message takes at least one unit.
const UNIT: usize = 1024;

/// A message to delivery.
#[derive(Debug)]
pub(crate) enum Fresh {
    /// A new event arrived, whose id was never seen. It has no position yet; its commit follows.
    Arrived {
        event: Box<Event>,
        /// The newest committed event at the time of arrival.
        after: Position,
    },
    /// Events were committed.
    Committed(CommittedEvents),
}

/// The events of one transaction that wait for their delivery.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommittedEvents {
    /// Start of the range of positions, exclusive. Between `after` and `through`, no other event
    /// that waits for its delivery was committed.
    pub(crate) after: Position,
    /// End of the range, inclusive.
    pub(crate) through: Position,
    /// The events, in order.
    pub(crate) events: Vec<StoredEvent>,
}

/// An event on stable storage.
#[derive(Debug, Clone)]
pub(crate) enum StoredEvent {
    /// An event that was sent as [`Fresh::Arrived`].
    Offered(EventId, Position),
    /// Any other event, with headers and body.
    New(Box<Event>),
}

/// A message with its share of the memory limit.
#[derive(Debug)]
struct Parcel {
    fresh: Fresh,
    _room: OwnedSemaphorePermit,
}

/// The sending side, with one channel per target. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Handover(Arc<Mutex<HandoverState>>);

#[derive(Debug, Default)]
struct HandoverState {
    channels: Vec<Channel>,
    known: SeenIds,
}

#[derive(Debug)]
struct Channel {
    parcels: mpsc::Sender<Parcel>,
    room: Arc<Semaphore>,
}

/// The receiving side, one per target.
#[derive(Debug)]
pub(crate) struct HandedOver(mpsc::Receiver<Parcel>);

impl Handover {
    /// Creates channels to this many targets and closes the
    /// earlier ones. `known` are the events that the history has.
    pub(super) fn lead_to(&self, targets: usize, known: SeenIds) -> Vec<HandedOver> {
        let (channels, received) = (0..targets).map(|_| channel()).unzip();
        let mut sending = self.sending();
        if sending.channels.is_empty() {
            sending.known = known;
        }
        sending.channels = channels;
        received
    }

    /// Returns whether any event is delivered.
    pub(super) fn leads_anywhere(&self) -> bool {
        !self.sending().channels.is_empty()
    }

    /// Sends an event before its commit if it is certainly new and `may_go`.
    /// Returns whether it was sent to every target. An event that may be a
    /// repetition is sent after its commit, which detects repetitions.
    pub(super) fn send_ahead(&self, event: &NewEvent, after: Position, may_go: bool) -> bool {
        let mut sending = self.sending();
        if sending.channels.is_empty() || !sending.known.is_new(event.id) || !may_go {
            return false;
        }
        let mut is_sent = true;
        for channel in &sending.channels {
            is_sent &= channel.send(event.request.footprint(), || Fresh::Arrived {
                event: Box::new(whole(event, Position::default())),
                after,
            });
        }
        is_sent
    }

    /// Sends committed events to each target that has room.
    pub(super) fn send_committed(&self, committed: CommittedEvents) {
        let bytes = committed.events.iter().map(StoredEvent::bytes).sum();
        let sending = self.sending();
        let Some((last, others)) = sending.channels.split_last() else {
            return;
        };
        for channel in others {
            channel.send(bytes, || Fresh::Committed(committed.clone()));
        }
        last.send(bytes, || Fresh::Committed(committed));
    }

    fn sending(&self) -> MutexGuard<'_, HandoverState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn channel() -> (Channel, HandedOver) {
    let (parcels, received) = mpsc::channel(MAX_MESSAGES);
    let room = Arc::new(Semaphore::new(MAX_BYTES / UNIT));
    (Channel { parcels, room }, HandedOver(received))
}

impl Channel {
    fn send(&self, bytes: usize, fresh: impl FnOnce() -> Fresh) -> bool {
        let units = bytes.div_ceil(UNIT).clamp(1, MAX_BYTES / UNIT);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(units) else {
            return false;
        };
        let Ok(place) = self.parcels.try_reserve() else {
            return false;
        };
        let fresh = fresh();
        place.send(Parcel { fresh, _room: room });
        true
    }
}

impl StoredEvent {
    pub(crate) fn id(&self) -> EventId {
        match self {
            Self::Offered(id, _) => *id,
            Self::New(event) => event.id,
        }
    }

    pub(crate) fn position(&self) -> Position {
        match self {
            Self::Offered(_, position) => *position,
            Self::New(event) => event.position,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Offered(..) => size_of::<Self>(),
            Self::New(event) => event.request.footprint(),
        }
    }
}

impl HandedOver {
    /// Returns the next message; `None` if no sender is left.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub(crate) async fn recv(&mut self) -> Option<Fresh> {
        self.0.recv().await.map(|parcel| parcel.fresh)
    }

    /// Returns the next message if it is already in the channel.
    pub(crate) fn try_recv(&mut self) -> Option<Fresh> {
        self.0.try_recv().ok().map(|parcel| parcel.fresh)
    }
}

/// Returns a new event as readers see it.
pub(super) fn whole(event: &NewEvent, position: Position) -> Event {
    let request = event.request.clone();
    Event {
        position,
        id: event.id,
        seq: event.seq,
        podio: row::decode(&request.headers, &request.body),
        request,
        state: event.state,
        insight: Insight::default(),
        note: None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use podtap_wire::{HeaderList, WebhookRequest};

    use super::*;
    use crate::history::DeliveryState;

    fn event(number: usize, bytes: usize) -> NewEvent {
        NewEvent {
            id: EventId::from_bytes((number as u128).to_be_bytes()),
            seq: None,
            request: WebhookRequest {
                received_at: Timestamp::UNIX_EPOCH,
                method: "POST".to_owned(),
                path: "/".to_owned(),
                headers: HeaderList::default(),
                peer: None,
                body: vec![b'a'; bytes].into(),
            },
            state: DeliveryState::Pending,
        }
    }

    #[test]
    fn it_takes_so_many_messages_or_bytes_and_then_no_more_until_one_is_received() {
        for (bytes, most) in [
            (1, MAX_MESSAGES),
            (MAX_BYTES / 2 - UNIT, 2),
            (MAX_BYTES * 2, 1),
        ] {
            let handover = Handover::default();
            let mut received = handover.lead_to(1, SeenIds::default());
            let mut arrivals = received.pop().unwrap();
            let send = |number| handover.send_ahead(&event(number, bytes), Position(0), true);
            let sent = (0..=MAX_MESSAGES).take_while(|number| send(*number));
            assert_eq!(sent.count(), most, "{bytes}");

            assert!(arrivals.try_recv().is_some());
            assert!(send(MAX_MESSAGES + 1), "{bytes}");
            assert!(!send(MAX_MESSAGES + 1), "it is known now");
        }
    }

    #[test]
    fn each_target_gets_all_of_it_and_a_full_one_takes_nothing_from_the_others() {
        let handover = Handover::default();
        let mut received = handover.lead_to(2, SeenIds::default());
        let send = |number| handover.send_ahead(&event(number, 1), Position(0), true);
        for number in 0..MAX_MESSAGES {
            assert!(send(number));
            assert!(received[0].try_recv().is_some());
        }

        // The second channel is full: the event is sent after its commit, to both.
        assert!(!send(MAX_MESSAGES));
        assert!(received[0].try_recv().is_some());

        handover.lead_to(0, SeenIds::default());
        assert!(!send(MAX_MESSAGES + 1) && !handover.leads_anywhere());
    }
}
