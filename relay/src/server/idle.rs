//! Limits how long a connection may stay open without a request in progress.
//!
//! hyper-util alone keeps some silent connections forever: connections that sent nothing or
//! half of an HTTP/2 preface, and idle HTTP/2 connections.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::places::{ConnectionPlace, NoPlace};
use crate::peer::PeerGroup;

/// Requests in progress on a connection, and the time since it is quiet.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<ActivityState>,
    /// Notified when a request begins.
    begun: Notify,
    head_timeout: Duration,
    idle_timeout: Duration,
}

#[derive(Debug)]
struct ActivityState {
    place: ConnectionPlace,
    requests: usize,
    /// Time at which the last request ended or the connection began.
    quiet_since: Instant,
    /// Whether the connection has had a request.
    used: bool,
}

/// A request in progress. Dropping it ends the request.
#[derive(Debug)]
pub(super) struct InProgress<'a>(&'a Activity);

impl Activity {
    pub(super) fn new(
        place: ConnectionPlace,
        head_timeout: Duration,
        idle_timeout: Duration,
    ) -> Self {
        Self {
            state: Mutex::new(ActivityState {
                place,
                requests: 0,
                quiet_since: Instant::now(),
                used: false,
            }),
            begun: Notify::new(),
            head_timeout,
            idle_timeout,
        }
    }

    /// Records a request, which is in progress until the returned value is dropped.
    pub(super) fn begin(&self) -> InProgress<'_> {
        let mut state = self.lock();
        if state.requests == 0 {
            state.place.busy();
        }
        state.requests += 1;
        state.used = true;
        self.begun.notify_waiters();
        InProgress(self)
    }

    /// Counts the connection for the peer that a proxy has named.
    pub(super) fn assign(&self, peer: PeerGroup) -> Result<(), NoPlace> {
        self.lock().place.assign(peer)
    }

    /// Returns whether there is no request in progress.
    pub(super) fn is_quiet(&self) -> bool {
        self.lock().requests == 0
    }

    /// Waits until a request is in progress.
    pub(super) async fn in_use(&self) {
        let begun = self.begun.notified();
        if self.is_quiet() {
            begun.await;
        }
    }

    /// Returns the signal that is notified when the connection must make room for another.
    pub(super) fn close(&self) -> Arc<Notify> {
        self.lock().place.close()
    }

    /// Waits until the connection has been quiet for too long. Requests have their own time limits.
    pub(super) async fn wait_until_overdue(&self) {
        while let Some(deadline) = self.deadline(Instant::now()) {
            sleep_until(deadline).await;
        }
    }

    /// Returns when to check again, or `None` if the connection has been quiet for too long.
    fn deadline(&self, now: Instant) -> Option<Instant> {
        let state = self.lock();
        let limit = if state.used {
            self.idle_timeout
        } else {
            self.head_timeout
        };
        let quiet_since = if state.requests > 0 {
            now
        } else {
            state.quiet_since
        };
        let deadline = quiet_since + limit;
        (deadline > now).then_some(deadline)
    }

    fn lock(&self) -> MutexGuard<'_, ActivityState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.requests -= 1;
        if state.requests == 0 {
            state.place.quiet();
        }
        state.quiet_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::places::Places;

    const HEAD: Duration = Duration::from_secs(1);
    const IDLE: Duration = Duration::from_secs(10);

    fn activity() -> Activity {
        let place = Places::new(1, 1).take(None).unwrap();
        Activity::new(place, HEAD, IDLE)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_head_has_less_time_than_the_pauses_after_it() {
        let activity = activity();
        let start = Instant::now();
        activity.wait_until_overdue().await;
        assert_eq!(start.elapsed().as_secs(), 1);

        drop(activity.begin());
        let start = Instant::now();
        activity.wait_until_overdue().await;
        assert_eq!(start.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_in_use_from_the_next_request_on() {
        let activity = activity();
        drop(activity.begin());
        let waits = tokio::time::timeout(IDLE, activity.in_use());
        let mut waits = std::pin::pin!(waits);
        assert!(futures_util::poll!(waits.as_mut()).is_pending());

        let _request = activity.begin();

        assert!(waits.await.is_ok());
        activity.in_use().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_in_progress_keeps_the_connection() {
        let activity = activity();
        let request = activity.begin();
        assert!(
            tokio::time::timeout(IDLE * 9, activity.wait_until_overdue())
                .await
                .is_err()
        );
        drop(request);
        let start = Instant::now();
        activity.wait_until_overdue().await;
        assert_eq!(start.elapsed().as_secs(), 10);
    }
}
