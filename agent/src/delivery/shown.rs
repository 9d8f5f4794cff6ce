//! What delivery shows of itself in the status.

use jiff::Timestamp;

use super::Delivery;
use crate::status::ServiceState;

impl Delivery {
    /// What is under way and what waits.
    pub(super) fn publish(&self, in_flight: usize, pending: u64, lanes: usize) {
        let now = (in_flight, pending, lanes);
        self.status.send_if_modified(|status| {
            let known = (status.in_flight, status.pending, status.lanes);
            (status.in_flight, status.pending, status.lanes) = now;
            known != now
        });
    }

    /// An event went back to its lane.
    pub(super) fn retries(&self) {
        self.status.send_modify(|status| status.retries += 1);
    }

    pub(super) fn service_up(&self) {
        self.status.send_if_modified(|status| {
            let was_up = matches!(status.service, ServiceState::Up { .. });
            if !was_up {
                status.service = ServiceState::Up {
                    since: Timestamp::now(),
                };
            }
            !was_up
        });
    }

    /// Told once, until the reason is another one.
    pub(super) fn service_down(&self, why: String) {
        self.status
            .send_if_modified(|status| match &mut status.service {
                ServiceState::Down { reason, .. } if *reason == why => false,
                ServiceState::Down { reason, .. } => {
                    *reason = why;
                    true
                }
                service => {
                    tracing::info!(target = %self.target, reason = %why, "the local service is away");
                    *service = ServiceState::Down {
                        since: Timestamp::now(),
                        reason: why,
                    };
                    true
                }
            });
    }
}
