//! Limits the memory of what connections have begun and not finished.
//!
//! If the limit is exceeded, the connection that began first, and has thus taken longest,
//! is told to close.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Common limit for all connections.
#[derive(Debug)]
pub(super) struct Room {
    size: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    used: usize,
    begun: u64,
    /// Connections by number, the one that began first at the front.
    tenants: BTreeMap<u64, Tenant>,
}

#[derive(Debug)]
struct Tenant {
    takes: usize,
    /// Notified when its connection has to close.
    close: Arc<Notify>,
}

/// Share of one connection, which is given back when this is dropped.
#[derive(Debug)]
pub(super) struct ConnectionSpot {
    room: Arc<Room>,
    number: u64,
    close: Arc<Notify>,
}

impl Room {
    pub(super) fn new(size: usize) -> Arc<Self> {
        let inside = Mutex::default();
        Arc::new(Self { size, inside })
    }

    /// Returns a share for a connection, which closes when `close` is notified. The share is
    /// empty at first.
    pub(super) fn enter(self: &Arc<Self>, close: &Arc<Notify>) -> ConnectionSpot {
        let mut inside = self.lock();
        inside.begun += 1;
        ConnectionSpot {
            room: Arc::clone(self),
            number: inside.begun,
            close: Arc::clone(close),
        }
    }

    /// Returns the used amount and the number of connections that use it.
    #[cfg(test)]
    pub(super) fn usage(&self) -> (usize, usize) {
        let inside = self.lock();
        (inside.used, inside.tenants.len())
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionSpot {
    /// Sets the size of this share. While the limit is exceeded, the oldest connections are
    /// told to close.
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

impl Drop for ConnectionSpot {
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
        let mut spots: Vec<ConnectionSpot> = bells.iter().map(|bell| room.enter(bell)).collect();
        let is_rung = |bell: &Arc<Notify>| bell.notified().now_or_never().is_some();
        for spot in spots.iter_mut().rev() {
            spot.take(1);
        }
        let rung: Vec<bool> = bells.iter().map(is_rung).collect();
        assert_eq!(rung, [true, false, false]);
        spots.clear();
        assert_eq!(room.usage(), (0, 0));
    }
}
