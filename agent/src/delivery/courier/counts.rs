//! Reports the counts of delivery in the status.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Courier;
use crate::status::{ServiceState, Status};

/// Minimum pause between two reports: each wakes every listener of the status.
const PAUSE: Duration = Duration::from_millis(50);

/// Numbers of events that are being delivered or wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct DeliveryCounts {
    pub(super) in_flight: usize,
    pub(super) pending: u64,
    pub(super) lanes: usize,
}

/// The counts that were reported last.
#[derive(Debug, Default)]
pub(super) struct CountsReporter {
    counts: DeliveryCounts,
    at: Option<Instant>,
}

impl CountsReporter {
    /// Reports the counts. If others were reported a moment
    /// ago, returns the time at which to report these.
    pub(super) fn show(
        &mut self,
        status: &watch::Sender<Status>,
        number: usize,
        counts: DeliveryCounts,
    ) -> Option<Instant> {
        if counts == self.counts {
            return None;
        }
        let now = Instant::now();
        let due = self.at.map(|at| at + PAUSE).filter(|due| *due > now);
        if due.is_none() {
            (self.counts, self.at) = (counts, Some(now));
            status.send_modify(|status| {
                if let Some(target) = status.targets.get_mut(number) {
                    (target.in_flight, target.lanes) = (counts.in_flight, counts.lanes);
                }
                status.pending = counts.pending;
                status.in_flight = status.targets.iter().map(|target| target.in_flight).sum();
                status.lanes = status.targets.iter().map(|target| target.lanes).sum();
            });
        }
        due
    }
}

impl Courier {
    /// Counts an event that was returned to its lane.
    pub(super) fn retries(&self) {
        self.status.send_modify(|status| status.retries += 1);
    }

    pub(super) fn service_up(&self) {
        self.status.send_if_modified(|status| {
            let Some(target) = status.targets.get_mut(self.number) else {
                return false;
            };
            if matches!(target.service, ServiceState::Up { .. }) {
                return false;
            }
            target.service = ServiceState::Up {
                since: Timestamp::now(),
            };
            status.judge_service();
            true
        });
    }

    /// Reports that the service is down, once per reason.
    pub(super) fn service_down(&self, why: String) {
        self.status.send_if_modified(|status| {
            let Some(target) = status.targets.get_mut(self.number) else {
                return false;
            };
            match &mut target.service {
                ServiceState::Down { reason, .. } if *reason == why => return false,
                ServiceState::Down { reason, .. } => *reason = why,
                service => {
                    tracing::info!(target = %self.target, reason = %why, "the local service is away");
                    *service = ServiceState::Down {
                        since: Timestamp::now(),
                        reason: why,
                    };
                }
            }
            status.judge_service();
            true
        });
    }
}
