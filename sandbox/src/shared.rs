//! The world behind its lock, and the ways out of it: webhooks to send, what there is to watch.
//!
//! The lock is held for one synchronous change and never across an await.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, watch};

use super::fault::Fault;
use super::observe::Observation;
use super::world::{Firing, World};

/// Observations that a slow watcher may fall behind before it misses some.
const OBSERVATIONS: usize = 4_096;

pub(super) struct Shared {
    world: Mutex<World>,
    /// Whose change comes next: webhooks leave in the order of their changes.
    turn: tokio::sync::Mutex<()>,
    firings: mpsc::Sender<Firing>,
    fault: watch::Sender<Option<Fault>>,
    observations: broadcast::Sender<Observation>,
}

impl Shared {
    pub(super) fn new(world: World, firings: mpsc::Sender<Firing>) -> Self {
        Self {
            fault: watch::Sender::new(world.config.fault),
            world: Mutex::new(world),
            turn: tokio::sync::Mutex::new(()),
            firings,
            observations: broadcast::Sender::new(OBSERVATIONS),
        }
    }

    /// Changes the world, and sends the webhooks that the change causes on their way. Waits while
    /// too many are on it already.
    pub(super) async fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let _turn = self.turn.lock().await;
        let (result, firings) = {
            let mut world = self.lock();
            (change(&mut world), world.take_firings())
        };
        for firing in firings {
            // Nobody sends any more once the sandbox stops.
            let _ = self.firings.send(firing).await;
        }
        result
    }

    /// Looks at the world, or changes what causes no webhooks.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.lock())
    }

    /// Names that the sandbox answers to.
    pub(super) fn hosts(&self) -> Vec<String> {
        self.lock().config.hosts.clone()
    }

    pub(super) fn observe(&self, observation: Observation) {
        // Nobody needs to be watching.
        let _ = self.observations.send(observation);
    }

    pub(super) fn observations(&self) -> broadcast::Receiver<Observation> {
        self.observations.subscribe()
    }

    pub(super) fn set_fault(&self, fault: Option<Fault>) {
        self.fault.send_replace(fault);
    }

    pub(super) fn fault(&self) -> watch::Receiver<Option<Fault>> {
        self.fault.subscribe()
    }

    /// The world at the present time. A panic elsewhere leaves it usable: each change is made of
    /// steps that are whole in themselves.
    fn lock(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.now = Timestamp::now();
        world
    }
}
