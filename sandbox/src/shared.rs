//! Holds the world behind a lock, with channels for webhooks to send and for observations.
//!
//! The lock is held for one synchronous change and never across an await.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, watch};

use super::fault::Fault;
use super::observe::Observation;
use super::world::{SandboxWebhook, World};

/// Number of observations that a slow receiver may fall behind before it misses some.
const OBSERVATIONS: usize = 4_096;

pub(super) struct SharedSandbox {
    world: Mutex<World>,
    /// Serializes changes, so that webhooks are sent in the order of their changes.
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

    /// Changes the world and sends the webhooks that the change causes. Waits while too many
    /// webhooks are on their way.
    pub(super) async fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        let _turn = self.turn.lock().await;
        let (result, webhooks) = {
            let mut world = self.lock();
            (change(&mut world), world.take_webhooks())
        };
        for webhook in webhooks {
            // The send fails if the sandbox is stopping; then no webhook is sent.
            let _ = self.webhooks.send(webhook).await;
        }
        result
    }

    /// Reads the world, or makes a change that causes no webhooks.
    pub(super) fn with_world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.lock())
    }

    /// Returns the accepted host names.
    pub(super) fn hosts(&self) -> Vec<String> {
        self.lock().config.hosts.clone()
    }

    pub(super) fn observe(&self, observation: Observation) {
        // The send fails if there is no receiver.
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

    /// Locks the world and sets its time. It stays usable after a panic elsewhere, because each
    /// change consists of steps that are complete in themselves.
    fn lock(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.now = Timestamp::now();
        world
    }
}
