//! The world behind its lock, and the ways out of it: webhooks to send, what there is to watch.
//!
//! The lock is held for one synchronous change and never across an await.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, watch};

use super::fault::Fault;
use super::observe::Observation;
use super::world::{SandboxWebhook, World};

/// Observations that a slow watcher may fall behind before it misses some.
const OBSERVATIONS: usize = 4_096;

pub(super) struct SharedSandbox {
    world: Mutex<World>,
    /// Whose change comes next: webhooks leave in the order of their changes.
    turn: tokio::sync::Mutex<()>,
    webhooks: mpsc::Sender<SandboxWebhook>,
    fault: watch::Sender<Option<Fault>>,
    observations: broadcast::Sender<Observation>,
}

impl SharedSandbox {
    pub(super) fn new(world: World, webhooks: mpsc::Sender<SandboxWebhook>) -> Self {
        Self {
            fault: watch::Sender::new(world.config.fault),
            world: Mutex::new(world),
            turn: tokio::sync::Mutex::new(()),
            webhooks,
            observations: broadcast::Sender::new(OBSERVATIONS),
        }
    }

    /// Changes the world, and sends the webhooks that the change causes on their way. Waits while
    /// too many are on it already.
    pub(super) async fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let _turn = self.turn.lock().await;
        let (result, webhooks) = {
            let mut world = self.lock();
            (change(&mut world), world.take_webhooks())
        };
        for webhook in webhooks {
            // No webhook is sent once the sandbox stops.
            let _ = self.webhooks.send(webhook).await;
        }
        result
    }

    /// Looks at the world, or changes what causes no webhooks.
    pub(super) fn with_world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.lock())
    }

    /// Names that the sandbox answers to.
    pub(super) fn hosts(&self) -> Vec<String> {
        self.lock().config.hosts.clone()
    }

    pub(super) fn observe(&self, observation: Observation) {
        // There need be no watcher.
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
