//! Estimates the usage of queues and owners since the database was last asked.
//!
//! If there is certainly room for some events, they are stored without asking again. The
//! relay does not know what other relays have stored meanwhile, so it uses the estimate
//! only while at least half of each limit is free.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::ends::PostgresQueueEnds;
use crate::queue::batch::QueuedEvent;
use crate::queue::share::OwnerUsage;
use crate::queue::{EngineLimits, TunnelId};

/// Maximum age of the known usage of an owner, and of all owners together.
const ASK_PERIOD: Duration = Duration::from_secs(1);

/// Maximum number of known queues. If it is exceeded, all are forgotten.
const MAX_QUEUES: usize = 16 * 1024;

/// Divisor of each limit: up to this fraction, a queue is filled without asking.
const PART: u64 = 2;

/// Estimated usage of queues, of owners, and of all owners together.
#[derive(Debug, Default)]
pub(super) struct KnownUsage {
    queues: HashMap<TunnelId, KnownQueue>,
    owners: HashMap<Arc<str>, DatedValue<OwnerUsage>>,
    /// Bytes that are free for all queues together.
    left: Option<DatedValue<u64>>,
}

#[derive(Debug)]
struct KnownQueue {
    owner: Arc<str>,
    held: OwnerUsage,
}

#[derive(Debug)]
struct DatedValue<T> {
    asked: Instant,
    value: T,
}

impl<T> DatedValue<T> {
    fn new(value: T) -> Self {
        Self {
            asked: Instant::now(),
            value,
        }
    }

    fn fresh(&self) -> Option<&T> {
        (self.asked.elapsed() < ASK_PERIOD).then_some(&self.value)
    }
}

impl KnownUsage {
    /// Returns the bytes that are free for all queues together, or `None` if the database must
    /// be asked.
    pub(super) fn bytes_left(&self, limits: &EngineLimits) -> Option<u64> {
        if limits.max_total_bytes == u64::MAX {
            return Some(u64::MAX);
        }
        self.left.as_ref()?.fresh().copied()
    }

    /// Returns whether there is room for all of these events, whatever other relays have stored
    /// since.
    pub(super) fn has_room_for(&self, appends: &[&QueuedEvent], limits: &EngineLimits) -> bool {
        self.room_for(appends, limits).is_some()
    }

    fn room_for(&self, appends: &[&QueuedEvent], limits: &EngineLimits) -> Option<()> {
        let left = self.bytes_left(limits)? / PART;
        let (mut queues, mut owners) = (HashMap::new(), HashMap::new());
        let mut bytes = 0;
        for event in appends {
            let queue = self.queues.get(&event.tunnel)?;
            let owner = self.owners.get(&queue.owner)?.fresh()?;
            let in_queue = queues.entry(event.tunnel).or_insert(queue.held);
            in_queue.add(event.bytes());
            let of_owner = owners.entry(&queue.owner).or_insert(*owner);
            of_owner.add(event.bytes());
            bytes += event.bytes();
        }
        let in_queues = queues.values().all(|held| {
            held.events <= limits.max_events / PART && held.bytes <= limits.max_bytes / PART
        });
        let of_owners = owners.values().all(|held| {
            held.events <= limits.max_owner_events / PART
                && held.bytes <= limits.max_owner_bytes / PART
                && held.bytes <= left
        });
        (in_queues && of_owners && bytes <= left).then_some(())
    }

    /// Updates the estimate with the usage that a transaction read, and with its growth.
    pub(super) fn learn(
        &mut self,
        ends: &HashMap<TunnelId, PostgresQueueEnds>,
        owners: HashMap<String, OwnerUsage>,
        left: u64,
    ) {
        if self.queues.len() >= MAX_QUEUES {
            self.queues.clear();
            self.owners.clear();
        }
        let asked = owners
            .into_iter()
            .map(|(owner, held)| (Arc::from(owner), DatedValue::new(held)));
        self.owners.extend(asked);
        self.queues(ends);
        match &mut self.left {
            Some(known) if known.fresh().is_some() => known.value = left,
            _ => self.left = Some(DatedValue::new(left)),
        }
    }

    /// Updates the estimate with the growth of a transaction that did not read the usage.
    pub(super) fn count(&mut self, ends: &HashMap<TunnelId, PostgresQueueEnds>) {
        self.queues(ends);
        for ends in ends.values() {
            if let Some(owner) = self.owners.get_mut(&*ends.owner) {
                owner.value.events += ends.growth.events;
                owner.value.bytes += ends.growth.bytes;
            }
            if let Some(left) = &mut self.left {
                left.value = left.value.saturating_sub(ends.growth.bytes);
            }
        }
    }

    fn queues(&mut self, ends: &HashMap<TunnelId, PostgresQueueEnds>) {
        for (tunnel, ends) in ends {
            let Some((owner, _)) = self.owners.get_key_value(&*ends.owner) else {
                continue;
            };
            let depth = ends.depth();
            let queue = KnownQueue {
                owner: Arc::clone(owner),
                held: OwnerUsage {
                    events: depth.events(),
                    bytes: depth.bytes,
                },
            };
            self.queues.insert(*tunnel, queue);
        }
    }

    /// Forgets the estimate after an event found no room, so that the next transaction asks again.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use podtap_wire::{EventId, HeaderList, WebhookRequest};

    use super::*;
    use crate::config::Limits;

    const TUNNEL: TunnelId = TunnelId(1);

    fn limits() -> EngineLimits {
        EngineLimits {
            max_events: 20,
            max_owner_events: 30,
            max_total_bytes: 1 << 30,
            ..EngineLimits::from(&Limits::default())
        }
    }

    fn event(tunnel: TunnelId) -> QueuedEvent {
        let received_at = jiff::Timestamp::UNIX_EPOCH;
        let request = WebhookRequest {
            received_at,
            method: "POST".to_owned(),
            path: "/".to_owned(),
            headers: HeaderList::default(),
            peer: None,
            body: "x".into(),
        };
        QueuedEvent::new(tunnel, EventId::generate(received_at).unwrap(), request).unwrap()
    }

    fn holding(events: u64, bytes: u64) -> HashMap<TunnelId, PostgresQueueEnds> {
        HashMap::from([(TUNNEL, PostgresQueueEnds::holding("ada", events, bytes))])
    }

    fn owner(events: u64, bytes: u64) -> HashMap<String, OwnerUsage> {
        HashMap::from([("ada".to_owned(), OwnerUsage { events, bytes })])
    }

    fn rooms(known: &KnownUsage, limits: &EngineLimits) -> usize {
        let event = event(TUNNEL);
        let many = vec![&event; 100];
        let fits = |count: &usize| known.has_room_for(&many[..*count], limits);
        (1..=many.len()).take_while(fits).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_half_of_each_limit_is_filled_without_asking_and_for_a_second() {
        let limits = limits();
        let mut known = KnownUsage::default();
        assert_eq!(rooms(&known, &limits), 0, "nothing is known");
        known.learn(&holding(4, 1000), owner(4, 1000), 1 << 20);
        assert_eq!(rooms(&known, &limits), 6, "the tunnel's");
        known.learn(&holding(0, 0), owner(12, 1000), 1 << 20);
        assert_eq!(rooms(&known, &limits), 3, "the owner's");
        known.learn(&holding(0, 0), owner(0, 2000), 5000);
        assert_eq!(
            rooms(&known, &limits),
            3,
            "of what is left: {}",
            event(TUNNEL).bytes()
        );
        assert!(
            !known.has_room_for(&[&event(TunnelId(2))], &limits),
            "another's"
        );

        let mut grown = holding(0, 0);
        grown.get_mut(&TUNNEL).unwrap().growth.add(400, 0);
        known.count(&grown);
        assert!(rooms(&known, &limits) < 3);

        tokio::time::advance(ASK_PERIOD).await;
        assert_eq!(rooms(&known, &limits), 0);
        assert_eq!(known.bytes_left(&limits), None);
    }

    #[tokio::test(start_paused = true)]
    async fn counting_makes_nothing_younger_and_a_refusal_makes_it_ask() {
        let limits = limits();
        let mut known = KnownUsage::default();
        known.learn(&holding(0, 0), owner(0, 0), 1 << 20);
        tokio::time::advance(ASK_PERIOD / 2).await;
        known.count(&holding(0, 0));
        known.learn(&holding(0, 0), HashMap::new(), 1 << 19);
        assert_eq!(known.bytes_left(&limits), Some(1 << 19));
        tokio::time::advance(ASK_PERIOD / 2).await;
        assert_eq!(known.bytes_left(&limits), None);
        known.learn(&holding(0, 0), owner(0, 0), 1 << 20);
        known.forget();
        assert_eq!(rooms(&known, &limits), 0);
    }

    #[test]
    fn the_queues_that_are_known_are_bounded() {
        let mut known = KnownUsage::default();
        for number in 0..3 * MAX_QUEUES {
            let tunnel = TunnelId(i64::try_from(number).unwrap());
            let ends = HashMap::from([(tunnel, PostgresQueueEnds::holding("ada", 0, 0))]);
            known.learn(&ends, owner(0, 0), 0);
            assert!(known.queues.len() <= MAX_QUEUES);
        }
    }
}
