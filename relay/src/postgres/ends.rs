//! The ends of queues as a transaction has locked them, and what their owners hold: which event gets a
//! number. Pure.

use std::collections::HashMap;

use podtap_wire::Seq;
use tokio_postgres::Row;

use super::from_sql;
use crate::queue::{AppendError, Depth, EngineLimits, TunnelId};

/// The ends of a tunnel's queue.
#[derive(Debug)]
pub(super) struct QueueEnds {
    pub(super) owner: String,
    pub(super) last_seq: u64,
    pub(super) last_bytes: u64,
    pub(super) last_at: Option<i64>,
    pub(super) removed_seq: u64,
    pub(super) removed_bytes: u64,
    /// The newest session; an older one removes nothing.
    pub(super) session: i64,
    pub(super) has_grown: bool,
}

/// What an owner's queues hold.
#[derive(Debug, Default)]
pub(super) struct OwnerUsage {
    events: u64,
    bytes: u64,
}

/// The queues that were locked, by tunnel.
pub(super) fn ends_of(rows: &[Row]) -> HashMap<TunnelId, QueueEnds> {
    let ends = rows.iter().map(|row| {
        let ends = QueueEnds {
            owner: row.get("owner"),
            last_seq: from_sql(row.get("last_seq")),
            last_bytes: from_sql(row.get("last_bytes")),
            last_at: row.get("last_at"),
            removed_seq: from_sql(row.get("removed_seq")),
            removed_bytes: from_sql(row.get("removed_bytes")),
            session: row.get("session"),
            has_grown: false,
        };
        (TunnelId(row.get("tunnel")), ends)
    });
    ends.collect()
}

/// What owners hold, by owner.
pub(super) fn held_by(rows: &[Row]) -> HashMap<String, OwnerUsage> {
    let held = rows.iter().map(|row| {
        let held = OwnerUsage {
            events: from_sql(row.get("events")),
            bytes: from_sql(row.get("bytes")),
        };
        (row.get("owner"), held)
    });
    held.collect()
}

impl QueueEnds {
    /// Gives an event of so many bytes its number, unless the queue or its owner has enough.
    pub(super) fn admit(
        &mut self,
        bytes: u64,
        received_at: i64,
        held: &mut OwnerUsage,
        limits: &EngineLimits,
    ) -> Result<Seq, AppendError> {
        let depth = self.depth();
        if depth.events() >= limits.max_events || depth.bytes + bytes > limits.max_bytes {
            return Err(AppendError::Full);
        }
        if held.events >= limits.max_owner_events || held.bytes + bytes > limits.max_owner_bytes {
            return Err(AppendError::OwnerFull);
        }
        held.events += 1;
        held.bytes += bytes;
        self.last_seq += 1;
        self.last_bytes += bytes;
        self.last_at = Some(received_at);
        self.has_grown = true;
        Ok(Seq(self.last_seq))
    }

    pub(super) fn depth(&self) -> Depth {
        Depth {
            removed: Seq(self.removed_seq),
            last: Seq(self.last_seq),
            bytes: self.last_bytes.saturating_sub(self.removed_bytes),
        }
    }
}
