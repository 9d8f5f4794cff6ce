//! Runs one transaction of the writer: appends, then removals, then the new end of every
//! changed queue.
//!
//! Everything is read from and written to the database. No state is kept between transactions,
//! so a failed one leaves nothing to undo, and another process may delete a tunnel.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::LazyLock;

use podtap_wire::Seq;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use super::owner::Owners;
use crate::database::ENDS;
use crate::queue::batch::{QueuedEvent, RemovalStep};
use crate::queue::share::SpaceLeft;
use crate::queue::{AppendError, Depth, EngineLimits, TunnelId};

/// Number of events after which the row of a queue is updated with its end; see [`ENDS`]. It
/// is small because, if damage destroys the last events, only the row shows that they existed.
const NOTE_EVERY: u64 = 16;

static READ_ENDS: LazyLock<String> =
    LazyLock::new(|| format!("SELECT * FROM {ENDS} WHERE tunnel = ?1"));

/// How far a removal goes, and why.
#[derive(Debug, Clone, Copy)]
pub(super) enum RemovalBound {
    /// An agent has acknowledged all events up to this one.
    Acknowledged(Seq),
    /// A limit removes all events up to this one.
    Expired(Seq),
}

/// Ends of a tunnel's queue; see the table `queues`.
#[derive(Debug, Clone, Copy)]
struct SqliteQueueEnds {
    last_seq: u64,
    last_bytes: u64,
    removed_seq: u64,
    removed_bytes: u64,
    last_at: Option<i64>,
    /// Last event according to the row of the queue.
    noted_seq: u64,
    /// Whether this transaction removed events.
    is_removed_from: bool,
}

/// A transaction that is not committed yet.
#[derive(Debug)]
pub(super) struct BatchTransaction<'a> {
    transaction: Transaction<'a>,
    touched: HashMap<TunnelId, Option<SqliteQueueEnds>>,
    owners: Owners,
}

impl<'a> BatchTransaction<'a> {
    pub(super) fn begin(connection: &'a mut Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            transaction: connection.transaction_with_behavior(TransactionBehavior::Immediate)?,
            touched: HashMap::new(),
            owners: Owners::default(),
        })
    }

    /// Adds an event, or returns why the tunnel cannot accept it.
    pub(super) fn append(
        &mut self,
        event: &QueuedEvent,
        limits: &EngineLimits,
        left: &mut SpaceLeft,
    ) -> rusqlite::Result<Result<Seq, AppendError>> {
        let Some(ends) = self.ends(event.tunnel)? else {
            return Ok(Err(AppendError::UnknownTunnel));
        };
        let bytes = event.bytes();
        let held = ends.last_bytes - ends.removed_bytes;
        if ends.last_seq - ends.removed_seq >= limits.max_events || held + bytes > limits.max_bytes
        {
            return Ok(Err(AppendError::Full));
        }
        let admitted = self
            .owners
            .admit(&self.transaction, event.tunnel, bytes, limits, left)?;
        if let Err(refused) = admitted {
            return Ok(Err(refused));
        }
        let Some(ends) = self.ends(event.tunnel)? else {
            return Ok(Err(AppendError::UnknownTunnel));
        };
        ends.last_seq += 1;
        ends.last_bytes += bytes;
        ends.last_at = Some(event.request.received_at.as_millisecond());
        let (seq, bytes_through) = (ends.last_seq, ends.last_bytes);
        let request = &event.request;
        self.transaction
            .prepare_cached(
                "INSERT INTO events (tunnel, seq, bytes_through, received_at, id, peer, method,
                                     path, headers, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute((
                event.tunnel.0,
                seq,
                bytes_through,
                request.received_at.as_millisecond(),
                event.id.to_bytes(),
                request.peer.map(|peer| peer.to_string()),
                &request.method,
                &request.path,
                &event.headers,
                &request.body[..],
            ))?;
        Ok(Ok(Seq(seq)))
    }

    /// Removes at most `allowance` of a tunnel's oldest events, and reduces `allowance`
    /// accordingly.
    pub(super) fn remove(
        &mut self,
        tunnel: TunnelId,
        until: RemovalBound,
        allowance: &mut u64,
    ) -> rusqlite::Result<RemovalStep> {
        let Some(&mut ends) = self.ends(tunnel)? else {
            return Ok(RemovalStep::UnknownTunnel);
        };
        let reach = ends.removed_seq.saturating_add(*allowance);
        let through = match until {
            RemovalBound::Acknowledged(through) | RemovalBound::Expired(through) => {
                through.0.min(ends.last_seq).min(reach)
            }
        };
        if let RemovalBound::Acknowledged(_) = until {
            self.forget_gaps(tunnel, through)?;
        }
        if through <= ends.removed_seq {
            return Ok(RemovalStep::Finished);
        }
        let removed_bytes = self.bytes_through(tunnel, &ends, through)?;
        self.transaction
            .prepare_cached("DELETE FROM events WHERE tunnel = ?1 AND seq > ?2 AND seq <= ?3")?
            .execute((tunnel.0, ends.removed_seq, through))?;
        if let RemovalBound::Expired(_) = until {
            self.remember_gap(tunnel, ends.removed_seq + 1, through)?;
        }
        *allowance = allowance.saturating_sub(through - ends.removed_seq);
        let ends = SqliteQueueEnds {
            removed_seq: through,
            removed_bytes,
            is_removed_from: true,
            ..ends
        };
        self.touched.insert(tunnel, Some(ends));
        Ok(if through == reach {
            RemovalStep::More
        } else {
            RemovalStep::Finished
        })
    }

    /// Commits the transaction and returns the depth of each queue that changed. Invariant 1:
    /// when this returns, everything in the batch is on stable storage.
    pub(super) fn commit(self) -> rusqlite::Result<Vec<(TunnelId, Depth)>> {
        let mut depths = Vec::with_capacity(self.touched.len());
        {
            let mut statement = self.transaction.prepare_cached(
                "UPDATE queues SET last_seq = ?2, last_bytes = ?3, removed_seq = ?4,
                                   removed_bytes = ?5, last_at = ?6 WHERE tunnel = ?1",
            )?;
            for (tunnel, ends) in &self.touched {
                let Some(ends) = ends else { continue };
                if ends.are_due() {
                    statement.execute((
                        tunnel.0,
                        ends.last_seq,
                        ends.last_bytes,
                        ends.removed_seq,
                        ends.removed_bytes,
                        ends.last_at,
                    ))?;
                }
                depths.push((*tunnel, ends.depth()));
            }
        }
        self.transaction.commit()?;
        Ok(depths)
    }

    fn ends(&mut self, tunnel: TunnelId) -> rusqlite::Result<Option<&mut SqliteQueueEnds>> {
        let ends = match self.touched.entry(tunnel) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(read_ends(&self.transaction, tunnel)?),
        };
        Ok(ends.as_mut())
    }

    /// Returns the total bytes of all events up to `through` since the tunnel was created. If
    /// that event is missing, for example because it was damaged, the event before it is used.
    fn bytes_through(
        &self,
        tunnel: TunnelId,
        ends: &SqliteQueueEnds,
        through: u64,
    ) -> rusqlite::Result<u64> {
        if through == ends.last_seq {
            return Ok(ends.last_bytes);
        }
        let known = self
            .transaction
            .prepare_cached(
                "SELECT bytes_through FROM events WHERE tunnel = ?1 AND seq > ?2 AND seq <= ?3
                 ORDER BY seq DESC LIMIT 1",
            )?
            .query_row((tunnel.0, ends.removed_seq, through), |row| row.get(0))
            .optional()?;
        Ok(known.unwrap_or(ends.removed_bytes))
    }

    fn forget_gaps(&self, tunnel: TunnelId, through: u64) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("DELETE FROM gaps WHERE tunnel = ?1 AND to_seq <= ?2")?
            .execute((tunnel.0, through))?;
        Ok(())
    }

    /// Records a gap, and extends the preceding gap if the new gap follows it directly.
    fn remember_gap(&self, tunnel: TunnelId, from: u64, to: u64) -> rusqlite::Result<()> {
        const REASON: &str = "older than the relay keeps events";
        let widened = self
            .transaction
            .prepare_cached("UPDATE gaps SET to_seq = ?3 WHERE tunnel = ?1 AND to_seq = ?2 - 1")?
            .execute((tunnel.0, from, to))?;
        if widened == 0 {
            self.transaction
                .prepare_cached("INSERT INTO gaps VALUES (?1, ?2, ?3, ?4)")?
                .execute((tunnel.0, from, to, REASON))?;
        }
        Ok(())
    }
}

/// Returns the depth of a tunnel's queue, or `None` if the tunnel was deleted.
pub(super) fn depth(connection: &Connection, tunnel: TunnelId) -> rusqlite::Result<Option<Depth>> {
    Ok(read_ends(connection, tunnel)?.map(|ends| ends.depth()))
}

fn read_ends(
    connection: &Connection,
    tunnel: TunnelId,
) -> rusqlite::Result<Option<SqliteQueueEnds>> {
    connection
        .prepare_cached(&READ_ENDS)?
        .query_row([tunnel.0], |row| {
            Ok(SqliteQueueEnds {
                last_seq: row.get("last_seq")?,
                last_bytes: row.get("last_bytes")?,
                removed_seq: row.get("removed_seq")?,
                removed_bytes: row.get("removed_bytes")?,
                last_at: row.get("last_at")?,
                noted_seq: row.get("noted_seq")?,
                is_removed_from: false,
            })
        })
        .optional()
}

impl SqliteQueueEnds {
    /// Returns whether the row of the queue must be written: after a removal, only the row
    /// shows that the removed events existed.
    fn are_due(&self) -> bool {
        self.is_removed_from || self.last_seq - self.noted_seq >= NOTE_EVERY
    }

    fn depth(&self) -> Depth {
        Depth {
            removed: Seq(self.removed_seq),
            last: Seq(self.last_seq),
            bytes: self.last_bytes - self.removed_bytes,
        }
    }
}
