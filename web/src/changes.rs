//! Streams server-sent events: a hint that the history has changed, with the state of
//! the agent. The page then reads the history again; the stream has no events. Changes
//! within a short time share one hint.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use podtap_agent::export::shown::ShownStatus;
use podtap_agent::{AgentHandle, Change, Status};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::answer::{PageAnswer, of};

/// Maximum number of streams. Each browser tab has one.
pub(crate) const MAX_STREAMS: usize = 16;

/// Minimum time between two hints.
const APART: Duration = Duration::from_millis(200);

/// Silence after which an empty comment is sent, to find out whether the tab is still open.
const SILENCE: Duration = Duration::from_secs(15);

/// Returns a stream that ends when `ending` is cancelled.
pub(crate) fn stream(
    handle: &AgentHandle,
    place: OwnedSemaphorePermit,
    ending: CancellationToken,
) -> PageAnswer {
    let hints = Hints {
        changes: handle.changes(),
        status: handle.status(),
        ending,
        is_first: true,
        _place: place,
    };
    let frames = stream::unfold(hints, |mut hints| async {
        let text = hints.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(text))), hints))
    });
    let body = StreamBody::new(frames).boxed_unsync();
    of(StatusCode::OK, "text/event-stream", body)
}

struct Hints {
    changes: broadcast::Receiver<Change>,
    status: watch::Receiver<Status>,
    ending: CancellationToken,
    is_first: bool,
    _place: OwnedSemaphorePermit,
}

impl Hints {
    /// Returns the next lines; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        if std::mem::take(&mut self.is_first) {
            return Some(self.hint());
        }
        let ending = self.ending.clone();
        let came = timeout(SILENCE, self.wait_for_change());
        let came = ending.run_until_cancelled(came).await?;
        match came {
            Ok(true) => {
                sleep(APART).await;
                Some(self.hint())
            }
            Ok(false) => None,
            Err(_) => Some(":\n\n".to_owned()),
        }
    }

    /// Waits until something changes. Returns whether more changes can follow.
    async fn wait_for_change(&mut self) -> bool {
        tokio::select! {
            changed = self.status.changed() => changed.is_ok(),
            // Lagging loses nothing, because the page reads the history again.
            change = self.changes.recv() => !matches!(change, Err(RecvError::Closed)),
        }
    }

    /// Returns a hint for all changes until now.
    fn hint(&mut self) -> String {
        self.changes = self.changes.resubscribe();
        let status = self.status.borrow_and_update();
        let status = serde_json::to_string(&ShownStatus::from(&*status)).unwrap_or_default();
        format!("event: change\ndata: {status}\n\n")
    }
}
