//! Decides which new events get a sequence number, from the ends of the locked queues and
//! the usage of their owners. Pure.

use std::collections::HashMap;

use podtap_wire::Seq;
use tokio_postgres::Row;

use super::from_sql;
use crate::queue::share::{OwnerUsage, SpaceLeft};
use crate::queue::{AppendError, Depth, EngineLimits, TunnelId};

/// The ends of a tunnel's queue.
#[derive(Debug)]
pub(super) struct PostgresQueueEnds {
    pub(super) owner: String,
    /// Last sequence number before this transaction.
    pub(super) last_seq: u64,
    pub(super) last_bytes: u64,
    pub(super) removed_seq: u64,
    pub(super) removed_bytes: u64,
    /// Id of the newest session. Older sessions may not remove events.
    pub(super) session: i64,
    pub(super) growth: QueueGrowth,
}

/// Events that a transaction adds to a queue.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct QueueGrowth {
    pub(super) events: u64,
    pub(super) bytes: u64,
    /// Time at which the last of them was received.
    pub(super) last_at: i64,
}

impl QueueGrowth {
    pub(super) fn add(&mut self, bytes: u64, received_at: i64) {
        self.events += 1;
        self.bytes += bytes;
        self.last_at = received_at;
    }
}

/// Reads the ends of the locked queues, by tunnel.
pub(super) fn ends_of(rows: &[Row]) -> HashMap<TunnelId, PostgresQueueEnds> {
    let ends = rows.iter().map(|row| {
        let ends = PostgresQueueEnds {
            owner: row.get("owner"),
            last_seq: from_sql(row.get("last_seq")),
            last_bytes: from_sql(row.get("last_bytes")),
            removed_seq: from_sql(row.get("removed_seq")),
            removed_bytes: from_sql(row.get("removed_bytes")),
            session: row.get("session"),
            growth: QueueGrowth::default(),
        };
        (TunnelId(row.get("tunnel")), ends)
    });
    ends.collect()
}

/// Reads the usage of owners, by owner.
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

impl PostgresQueueEnds {
    /// Assigns the next number to an event of this size, unless the queue, its owner or all
    /// queues together have reached their limit.
    pub(super) fn admit(
        &mut self,
        bytes: u64,
        received_at: i64,
        held: &mut OwnerUsage,
        left: &mut SpaceLeft,
        limits: &EngineLimits,
    ) -> Result<Seq, AppendError> {
        let depth = self.depth();
        if depth.events() >= limits.max_events || depth.bytes + bytes > limits.max_bytes {
            return Err(AppendError::Full);
        }
        held.admit(bytes, left, limits)?;
        self.growth.add(bytes, received_at);
        Ok(self.seq(self.growth.events))
    }

    /// Returns the number of the nth event that this transaction adds.
    pub(super) fn seq(&self, nth: u64) -> Seq {
        Seq(self.last_seq + nth)
    }

    /// Returns the depth after this transaction.
    pub(super) fn depth(&self) -> Depth {
        Depth {
            removed: Seq(self.removed_seq),
            last: self.seq(self.growth.events),
            bytes: (self.last_bytes + self.growth.bytes).saturating_sub(self.removed_bytes),
        }
    }
}

#[cfg(test)]
impl PostgresQueueEnds {
    /// Returns the ends of a queue with this content.
    pub(super) fn holding(owner: &str, events: u64, bytes: u64) -> Self {
        Self {
            owner: owner.to_owned(),
            last_seq: events,
            last_bytes: bytes,
            removed_seq: 0,
            removed_bytes: 0,
            session: 0,
            growth: QueueGrowth::default(),
        }
    }
}
