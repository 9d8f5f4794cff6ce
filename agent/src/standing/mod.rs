//! Computes, for each hook, what Podio would have concluded if it had called the local service
//! itself: by [`podtap_podio::standing`], from the history alone.

mod ledger;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::history::{AttemptCursor, HistoryError, WatchReader};
use ledger::CallLedger;
pub use ledger::{CallFailure, HookStanding};

/// Period of calls that are read: the longest period of Podio's rules (podio.md 1.3).
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Maximum number of calls per read.
const PAGE: usize = 4096;

/// Keeps the standings, and reads new calls at each request. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Standings {
    watched: WatchReader,
    kept: Arc<Mutex<Option<LedgerCache>>>,
}

#[derive(Debug)]
struct LedgerCache {
    ledger: CallLedger,
    cursor: AttemptCursor,
}

impl Standings {
    pub(crate) fn new(watched: WatchReader) -> Self {
        let kept = Arc::default();
        Self { watched, kept }
    }

    /// Returns every hook that was called within a week, by id. The first call reads that week,
    /// which may take a second or two on a very busy tunnel.
    ///
    /// # Cancel safety
    /// Dropping the future keeps what was read.
    pub(crate) async fn at(&self, now: Timestamp) -> Result<Vec<HookStanding>, HistoryError> {
        let since = now.saturating_sub(LOOK_BACK).unwrap_or(Timestamp::MIN);
        let mut kept = self.kept.lock().await;
        let LedgerCache { ledger, cursor } = match &mut *kept {
            Some(kept) => kept,
            none => none.insert(LedgerCache {
                ledger: CallLedger::default(),
                cursor: self.watched.attempts_since(since).await?,
            }),
        };
        for (hook_id, at) in self.watched.verified_hooks(since).await? {
            ledger.record_verification(hook_id, at);
        }
        let outages = self.watched.outages(since).await?;
        loop {
            let (calls, through) = self.watched.calls(*cursor, PAGE).await?;
            for call in &calls {
                ledger.record(call, &outages);
            }
            *cursor = through;
            if calls.len() < PAGE {
                break;
            }
        }
        // Waiting events have not been tried; Podio would have called, and given up.
        let waiting = self.watched.waiting(since).await?;
        if waiting.is_empty() {
            return Ok(ledger.judge(now));
        }
        Ok(ledger.with_waiting(&waiting, &outages, now).judge(now))
    }
}
