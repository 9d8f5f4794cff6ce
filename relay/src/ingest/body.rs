//! Reads a body under a size limit, time limits and the budget of all bodies in flight, and
//! discards the body of a refused request so that its sender can read the refusal.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout, timeout_at};

use crate::budget::{ByteBudget, ByteShare};
use crate::config::Limits;
use crate::queue::TunnelId;
use crate::refusal::Refusal;

/// Maximum size of an allocation that relies on `Content-Length`. A body up to this size is
/// moved only once on its way into the queue; the buffer of a larger one grows as data arrives.
const TRUSTED_BYTES: usize = 128 * 1024;

/// Time after the head in which the minimum rate of a body does not apply.
const GRACE: Duration = Duration::from_secs(2);

/// Maximum number of bytes of a refused body that are discarded.
const DISCARD_BYTES: usize = 64 * 1024 * 1024;

/// A complete body and its share of the budget.
#[derive(Debug)]
pub(super) struct IngestBody {
    pub(super) bytes: Bytes,
    _share: ByteShare<TunnelId>,
}

/// Limits for reading bodies.
#[derive(Debug)]
pub(super) struct BodyReader {
    max_bytes: usize,
    timeout: Duration,
    /// Minimum rate in bytes per second, or `None` for no limit.
    min_rate: Option<u32>,
    budget: Arc<ByteBudget<TunnelId>>,
}

impl BodyReader {
    pub(super) fn new(limits: &Limits) -> Self {
        let max_bytes = limits
            .max_body_bytes
            .min(podtap_wire::limits::MAX_BODY_BYTES);
        Self {
            max_bytes,
            timeout: limits.body_timeout,
            min_rate: limits.min_body_rate.filter(|rate| *rate > 0),
            budget: ByteBudget::new(limits.max_inflight_bytes, max_bytes),
        }
    }

    /// Returns the whole body, or the reason why it is refused.
    pub(super) async fn read(
        &self,
        tunnel: TunnelId,
        body: &mut Incoming,
    ) -> Result<IngestBody, Refusal> {
        if body.size_hint().lower() > self.max_bytes as u64 {
            return Err(self.too_large());
        }
        let announced = body.size_hint().exact();
        let mut share = self.budget.share(tunnel);
        let mut gathered = BytesMut::new();
        let begun = Instant::now();
        while let Some(frame) = timeout_at(begun + self.time_for(gathered.len()), body.frame())
            .await
            .map_err(|_| Refusal::Slow)?
        {
            let Ok(data) = frame.map_err(|_| Refusal::Broken)?.into_data() else {
                continue;
            };
            if gathered.len() + data.len() > self.max_bytes {
                return Err(self.too_large());
            }
            share.grow(data.len())?;
            // Nearly every webhook arrives as one piece, which is used without a copy.
            if announced == Some(data.len() as u64) {
                return Ok(IngestBody {
                    bytes: data,
                    _share: share,
                });
            }
            if gathered.is_empty() {
                let length = announced.and_then(|length| usize::try_from(length).ok());
                gathered.reserve(length.unwrap_or(0).min(TRUSTED_BYTES));
            }
            gathered.extend_from_slice(&data);
        }
        Ok(IngestBody {
            bytes: gathered.freeze(),
            _share: share,
        })
    }

    /// Returns the maximum time for the part of a body that has arrived so far. A slow body
    /// occupies memory that others need, so there is a minimum rate besides the total time limit.
    fn time_for(&self, received: usize) -> Duration {
        let Some(min_rate) = self.min_rate else {
            return self.timeout;
        };
        // The conversion is exact up to 2^52 bytes, far more than any body.
        #[expect(clippy::cast_precision_loss, reason = "a body has a few megabytes")]
        let earned = Duration::from_secs_f64(received as f64 / f64::from(min_rate));
        self.timeout.min(GRACE + earned)
    }

    fn too_large(&self) -> Refusal {
        Refusal::TooLarge {
            max_body_bytes: self.max_bytes,
        }
    }
}

/// Reads and discards the body for at most `patience`, so that a sender that writes
/// everything before it reads gets the refusal instead of a reset.
pub(super) async fn discard(mut body: Incoming, patience: Duration) {
    let discard = async {
        let mut left = DISCARD_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    // A sender that is slower is cut off and may not see the refusal.
    let _ = timeout(patience, discard).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_earns_its_time_by_coming() {
        let reader = |min_body_rate| {
            BodyReader::new(&Limits {
                min_body_rate,
                body_timeout: Duration::from_secs(30),
                ..Limits::default()
            })
        };
        let slow = reader(Some(16 * 1024));
        assert_eq!(slow.time_for(0), Duration::from_secs(2));
        assert_eq!(slow.time_for(32 * 1024), Duration::from_secs(4));
        assert_eq!(slow.time_for(8 * 1024 * 1024), Duration::from_secs(30));
        assert_eq!(reader(None).time_for(0), Duration::from_secs(30));
        assert_eq!(reader(Some(0)).time_for(0), Duration::from_secs(30));
    }
}
