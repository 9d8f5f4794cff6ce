//! Delivers events to their targets and writes the outcomes to the history. A crash loses only the
//! outcomes of the last attempts: their events still wait in the history, or on the relay, and are
//! offered again (invariant 1: at least once).
//!
//! Each target has a `courier`, which is independent of the others. An event for several targets is
//! delivered once each has answered.

mod courier;
pub(crate) mod exchange;
pub(crate) mod forward;
pub(crate) mod gate;
mod header_case;
pub(crate) mod headers;
mod kept;
pub(crate) mod program;

use std::sync::Arc;

use tokio::sync::{broadcast, watch};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::answers::Outbox;
use crate::change::Change;
use crate::config::DeliveryConfig;
use crate::history::{Fact, HandedOver, HistoryError, PendingReader, WatchReader, Writer};
use crate::router::{KnownPlaces, Router};
use crate::routes::{CurrentRoutes, Routes};
use crate::status::Status;
use courier::Courier;
use forward::Forwarder;
use gate::DeliveryGate;

/// Delivers arriving events and waiting events of the history. Built once, run once.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) pending: PendingReader,
    pub(crate) writer: Writer,
    pub(crate) forwarder: Forwarder,
    /// The routes to the targets, now and as they change.
    pub(crate) course: watch::Receiver<CurrentRoutes>,
    pub(crate) places: KnownPlaces,
    /// Reads the places of hooks.
    pub(crate) watched: WatchReader,
    pub(crate) changes: broadcast::Sender<Change>,
    pub(crate) config: DeliveryConfig,
    pub(crate) gate: DeliveryGate,
    pub(crate) status: watch::Sender<Status>,
    /// The queue for answers for which the sender waits, under `Respond::Local`.
    pub(crate) answers: Option<Outbox>,
}

impl Delivery {
    /// Delivers until the token is cancelled; then lets running attempts end, for a limited time.
    /// `handed_over` are the channels for the targets of the initial routes.
    pub(crate) async fn run(
        mut self,
        mut handed_over: Vec<HandedOver>,
        token: CancellationToken,
    ) -> Result<(), HistoryError> {
        let mut routes = Arc::clone(&self.course.borrow_and_update().routes);
        loop {
            let turn = token.child_token();
            let mut couriers = JoinSet::new();
            if routes.ask_places() {
                let changes = self.changes.subscribe();
                self.places.learn(&self.watched).await?;
                let following =
                    self.places
                        .clone()
                        .follow(self.watched.clone(), changes, turn.clone());
                couriers.spawn(following);
            }
            self.start(&mut couriers, &routes, handed_over, &turn);
            let mut outcome = Ok(());
            tokio::select! {
                () = token.cancelled() => {}
                changed = self.course.changed() => if changed.is_err() {
                    token.cancelled().await;
                },
                Some(ended) = couriers.join_next() => outcome = result(ended),
            }
            // The earlier couriers must end first, so that nothing overtakes a running attempt.
            turn.cancel();
            while let Some(ended) = couriers.join_next().await {
                outcome = outcome.and(result(ended));
            }
            outcome?;
            if token.is_cancelled() {
                return Ok(());
            }
            let course = self.course.borrow_and_update().clone();
            handed_over = self.pending.hand_over_to(course.routes.targets().len())?;
            // From here on no event is held because there
            // is no target, and nothing has been read yet.
            if course.with_held && !course.routes.targets().is_empty() {
                self.writer.add_facts(vec![Fact::DeliverHeld]).await?;
            }
            routes = course.routes;
        }
    }

    fn start(
        &self,
        couriers: &mut JoinSet<Result<(), HistoryError>>,
        routes: &Arc<Routes>,
        handed_over: Vec<HandedOver>,
        token: &CancellationToken,
    ) {
        self.status.send_modify(|status| status.set_routes(routes));
        let router = Router {
            routes: Arc::clone(routes),
            places: self.places.clone(),
        };
        let targets = routes.targets().iter().enumerate();
        for ((number, target), arrivals) in targets.zip(handed_over) {
            let courier = Courier {
                pending: self.pending.clone(),
                writer: self.writer.clone(),
                forwarder: self.forwarder.clone(),
                router: router.clone(),
                target: target.clone(),
                number,
                config: self.config.clone(),
                gate: self.gate.clone(),
                status: self.status.clone(),
                answers: self.answers.clone(),
            };
            couriers.spawn(courier.run(arrivals, token.clone()));
        }
    }
}

fn result(ended: Result<Result<(), HistoryError>, JoinError>) -> Result<(), HistoryError> {
    ended.unwrap_or_else(|error| {
        tracing::error!(%error, "a part of delivery has panicked");
        Err(HistoryError::Closed)
    })
}

/// Returns the scheme with which senders reach the tunnel,
/// as far as known; real relays have a certificate.
pub(crate) fn scheme(status: &Status) -> &'static str {
    match &status.public_url {
        Some(url) if url.starts_with("http:") => "http",
        _ => "https",
    }
}
