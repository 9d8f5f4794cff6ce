//! Room for what connections have begun and not finished. Where it is full, the connection that began
//! first is told to close: whoever has taken longest makes way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Room of a fixed size.
#[derive(Debug)]
pub(super) struct Room {
    size: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    used: usize,
    begun: u64,
    /// The one that began first is first.
    tenants: BTreeMap<u64, Tenant>,
}

#[derive(Debug)]
struct Tenant {
    takes: usize,
    /// Rung when its connection is to close.
    close: Arc<Notify>,
}

/// What one connection takes, given back when dropped.
#[derive(Debug)]
pub(super) struct Spot {
    room: Arc<Room>,
    number: u64,
    close: Arc<Notify>,
}

impl Room {
    pub(super) fn new(size: usize) -> Arc<Self> {
        let inside = Mutex::default();
        Arc::new(Self { size, inside })
    }

    /// A spot for a connection that closes when `close` is rung; it takes nothing yet.
    pub(super) fn enter(self: &Arc<Self>, close: &Arc<Notify>) -> Spot {
        let mut inside = self.lock();
        inside.begun += 1;
        Spot {
            room: Arc::clone(self),
            number: inside.begun,
            close: Arc::clone(close),
        }
    }

    /// What is taken, and by how many.
    #[cfg(test)]
    pub(super) fn taken(&self) -> (usize, usize) {
        let inside = self.lock();
        (inside.used, inside.tenants.len())
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spot {
    /// Takes this much from now on. While that is too much, the oldest connections are closed.
    pub(super) fn take(&mut self, takes: usize) {
        let mut inside = self.room.lock();
        inside.remove(self.number);
        inside.used += takes;
        let close = Arc::clone(&self.close);
        inside.tenants.insert(self.number, Tenant { takes, close });
        while inside.used > self.room.size
            && let Some((&oldest, _)) = inside.tenants.first_key_value()
            && let Some(tenant) = inside.remove(oldest)
        {
            tenant.close.notify_one();
        }
    }
}

impl Drop for Spot {
    fn drop(&mut self) {
        self.room.lock().remove(self.number);
    }
}

impl Inside {
    fn remove(&mut self, number: u64) -> Option<Tenant> {
        let tenant = self.tenants.remove(&number)?;
        self.used -= tenant.takes;
        Some(tenant)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn the_one_that_began_first_makes_way() {
        let room = Room::new(2);
        let bells: Vec<Arc<Notify>> = (0..3).map(|_| Arc::default()).collect();
        let mut spots: Vec<Spot> = bells.iter().map(|bell| room.enter(bell)).collect();
        let is_rung = |bell: &Arc<Notify>| bell.notified().now_or_never().is_some();
        for spot in spots.iter_mut().rev() {
            spot.take(1);
        }
        let rung: Vec<bool> = bells.iter().map(is_rung).collect();
        assert_eq!(rung, [true, false, false]);
        spots.clear();
        assert_eq!(room.taken(), (0, 0));
    }
}
