//! Reading a body under a size limit, a time limit and the budget of all bodies in flight; and
//! throwing one away so that its sender gets to see the refusal.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Refusal;
use crate::config::Limits;

/// The largest allocation on the word of a `Content-Length`; more grows as it arrives.
const TRUSTED_BYTES: usize = 64 * 1024;

/// How long a refused body is thrown away, so that a sender that writes before it reads gets the
/// refusal instead of a reset.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of it: a sender of more than this is cut off.
const DISCARD_BYTES: usize = 64 * 1024 * 1024;

/// A whole body and its share of the budget.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: Bytes,
    _budget: Option<OwnedSemaphorePermit>,
}

/// Bounds on the reading of bodies.
#[derive(Debug)]
pub(super) struct Reader {
    max_bytes: usize,
    timeout: Duration,
    /// A permit is a byte.
    budget: Arc<Semaphore>,
}

impl Reader {
    pub(super) fn new(limits: &Limits) -> Self {
        let budget = limits.max_inflight_bytes.min(Semaphore::MAX_PERMITS);
        Self {
            max_bytes: limits
                .max_body_bytes
                .min(podtap_wire::limits::MAX_BODY_BYTES),
            timeout: limits.body_timeout,
            budget: Arc::new(Semaphore::new(budget)),
        }
    }

    /// The whole body, or why not.
    pub(super) async fn read(&self, body: &mut Incoming) -> Result<Body, Refusal> {
        if body.size_hint().lower() > self.max_bytes as u64 {
            return Err(self.too_large());
        }
        timeout(self.timeout, self.collect(body))
            .await
            .unwrap_or(Err(Refusal::Slow))
    }

    async fn collect(&self, body: &mut Incoming) -> Result<Body, Refusal> {
        let announced = body.size_hint().exact();
        let mut budget: Option<OwnedSemaphorePermit> = None;
        let mut gathered = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Refusal::Broken)?.into_data() else {
                continue;
            };
            if gathered.len() + data.len() > self.max_bytes {
                return Err(self.too_large());
            }
            let share = self.reserve(data.len())?;
            match &mut budget {
                Some(held) => held.merge(share),
                None => budget = Some(share),
            }
            // Nearly every webhook arrives as one piece: it is taken as it is.
            if announced == Some(data.len() as u64) {
                return Ok(Body {
                    bytes: data,
                    _budget: budget,
                });
            }
            if gathered.is_empty() {
                let length = announced.and_then(|length| usize::try_from(length).ok());
                gathered.reserve(length.unwrap_or(0).min(TRUSTED_BYTES));
            }
            gathered.extend_from_slice(&data);
        }
        Ok(Body {
            bytes: gathered.freeze(),
            _budget: budget,
        })
    }

    fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let bytes = u32::try_from(bytes).map_err(|_| self.too_large())?;
        let budget = Arc::clone(&self.budget);
        budget
            .try_acquire_many_owned(bytes)
            .map_err(|_| Refusal::Busy)
    }

    fn too_large(&self) -> Refusal {
        Refusal::TooLarge {
            max_body_bytes: self.max_bytes,
        }
    }
}

/// Reads on and forgets, unless the sender waits to be asked for the body (`Expect`) or the body
/// is over. Bounded in time and size.
pub(super) async fn discard(headers: &http::HeaderMap, body: &mut Incoming) {
    let discard = async {
        let mut left = DISCARD_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    if !headers.contains_key(header::EXPECT) {
        // A sender slower than this is cut off; the refusal was its due, not a right.
        let _ = timeout(DISCARD_TIMEOUT, discard).await;
    }
}
