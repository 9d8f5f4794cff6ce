//! Maintains the file beside storing events: ages, events that cannot be read, and unused space.
//!
//! These are functions of a connection, which the writer calls between its transactions.

use std::time::Duration;

use podtap_disk::age::Now;
use podtap_disk::kept_clock::KeptClock;
use podtap_disk::sqlite;
use podtap_wire::Seq;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use tokio::time::Instant;

use crate::database::{self, ENDS};
use crate::queue::TunnelId;

/// Number of age marks over the maximum age. An event is removed at most one interval too late.
const MARKS: i64 = 200;

/// Time after which the age clock is saved if no other write has saved it.
const SAVE_EVERY: Duration = Duration::from_mins(1);

/// Time without writes after which unused space is returned.
const IDLE: Duration = Duration::from_mins(1);

/// Free pages that are returned per step, 4 MiB: some milliseconds. Between steps, queued
/// commands are handled.
const PAGES_A_STEP: u32 = 256;

/// Maximum time for returning space at shutdown.
const AT_THE_END: Duration = Duration::from_secs(2);

/// Maximum number of bytes of queued events that are copied at shutdown to remove free
/// pages. This takes well under a second.
const REWRITTEN_AT_THE_END: u64 = 16 * 1024 * 1024;

/// Maximum number of unreadable events that are kept for inspection. The newest are kept.
const MAX_DAMAGED: u32 = 100;

/// Reason that agents see for an event that could not be read.
const UNREADABLE: &str = "damaged on the relay's disk";

/// Age clock and the time when it was last saved.
#[derive(Debug, Default)]
pub(super) struct QueueAges {
    clock: KeptClock,
    saved: Option<Instant>,
}

impl QueueAges {
    /// Advances the age clock and marks the ends of the queues. Returns the tunnels that have
    /// events older than `max_age`, each with the last of these events.
    pub(super) fn beyond(
        &mut self,
        connection: &mut Connection,
        max_age: Duration,
        now: Now,
    ) -> rusqlite::Result<Vec<(TunnelId, Seq)>> {
        let max_age = i64::try_from(max_age.as_millis()).unwrap_or(i64::MAX);
        let age = self.clock.advance(connection, now)?;
        let unmarked: u64 = connection
            .prepare_cached(&format!(
                "SELECT count(*) FROM {ENDS} AS q
                 LEFT JOIN (SELECT tunnel, max(seq) AS seq, max(age_ms) AS age_ms
                            FROM age_marks GROUP BY tunnel) AS m USING (tunnel)
                 WHERE q.last_seq > q.removed_seq AND q.last_seq > coalesce(m.seq, 0)
                 AND ?1 >= coalesce(m.age_ms + ?2, 0)"
            ))?
            .query_row((age, max_age / MARKS), |row| row.get(0))?;
        if unmarked > 0 {
            self.mark(connection, age, max_age / MARKS)?;
        } else if self.saved.is_none_or(|at| at.elapsed() >= SAVE_EVERY) {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            self.save(&transaction)?;
            transaction.commit()?;
        }
        connection
            .prepare_cached(
                "SELECT m.tunnel AS tunnel, max(m.seq) AS seq FROM age_marks AS m JOIN queues AS q USING (tunnel)
                 WHERE m.age_ms <= ?1 AND m.seq > q.removed_seq GROUP BY m.tunnel",
            )?
            .query_map([age.saturating_sub(max_age)], |row| {
                Ok((TunnelId(row.get("tunnel")?), Seq(row.get("seq")?)))
            })?
            .collect()
    }

    fn mark(&mut self, connection: &mut Connection, age: i64, apart: i64) -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute(
            "DELETE FROM age_marks WHERE seq <=
             coalesce((SELECT removed_seq FROM queues WHERE queues.tunnel = age_marks.tunnel), seq)",
            [],
        )?;
        transaction.execute(
            &format!(
                "INSERT OR IGNORE INTO age_marks
             SELECT q.tunnel, q.last_seq, ?1 FROM {ENDS} AS q
             LEFT JOIN (SELECT tunnel, max(age_ms) AS age_ms FROM age_marks GROUP BY tunnel) AS m
             USING (tunnel)
             WHERE q.last_seq > q.removed_seq AND ?1 >= coalesce(m.age_ms + ?2, 0)"
            ),
            (age, apart),
        )?;
        self.save(&transaction)?;
        transaction.commit()
    }

    fn save(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        self.clock.save(transaction)?;
        self.saved = Some(Instant::now());
        Ok(())
    }
}

/// Moves unreadable events out of the queue. What is left of each is kept for inspection,
/// and the agent sees a gap.
pub(super) fn set_aside(
    connection: &mut Connection,
    tunnel: TunnelId,
    unreadable: &[(Seq, String)],
) -> rusqlite::Result<()> {
    let now = jiff::Timestamp::now().as_millisecond();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // The last event shows where the queue ends, and it may be one of these events.
    database::note_ends(&transaction)?;
    for (seq, reason) in unreadable {
        let row = params![tunnel.0, seq.0, now, reason];
        let kept = transaction.execute(
            "INSERT INTO damaged (tunnel, seq, found_at, reason, received_at, id, peer, method,
                                  path, headers, body)
             SELECT tunnel, seq, ?3, ?4, received_at, id, peer, method, path, headers, body
             FROM events WHERE tunnel = ?1 AND seq = ?2",
            row,
        )?;
        if kept == 0 {
            continue;
        }
        tracing::error!(
            tunnel = tunnel.0,
            seq = seq.0,
            reason,
            "an event cannot be read and was moved to the table `damaged`"
        );
        transaction.execute(
            "DELETE FROM events WHERE tunnel = ?1 AND seq = ?2",
            params![tunnel.0, seq.0],
        )?;
        let gap = params![tunnel.0, seq.0, UNREADABLE];
        let widened = transaction.execute(
            "UPDATE gaps SET to_seq = ?2 WHERE tunnel = ?1 AND to_seq = ?2 - 1 AND reason = ?3",
            gap,
        )?;
        if widened == 0 {
            transaction.execute("INSERT OR IGNORE INTO gaps VALUES (?1, ?2, ?2, ?3)", gap)?;
        }
    }
    transaction.execute(
        "DELETE FROM damaged WHERE number <= (SELECT max(number) FROM damaged) - ?1",
        [MAX_DAMAGED],
    )?;
    transaction.commit()
}

/// Returns unused space after a time without writes.
#[derive(Debug, Default)]
pub(super) struct QueueTidy {
    wrote: Option<Instant>,
}

impl QueueTidy {
    pub(super) fn wrote(&mut self) {
        self.wrote = Some(Instant::now());
    }

    /// Returns some unused space if no events were written for a while or the disk is short of
    /// space.
    pub(super) fn step(&mut self, connection: &Connection, is_short: bool) {
        let is_idle = self.wrote.is_some_and(|at| at.elapsed() >= IDLE);
        if !is_idle && !is_short {
            return;
        }
        let more = sqlite::reclaim(connection, PAGES_A_STEP).and_then(|more| {
            if !more {
                sqlite::truncate_log(connection)?;
            }
            Ok(more)
        });
        match more {
            Ok(true) => {}
            Ok(false) => self.wrote = None,
            Err(error) => {
                tracing::debug!(error = podtap_disk::words(&error), "cannot give space back");
            }
        }
    }

    /// Removes what acknowledged events leave in the file and in the log, at shutdown.
    pub(super) fn at_the_end(connection: &Connection) {
        if let Err(error) = sqlite::compact(connection, REWRITTEN_AT_THE_END) {
            tracing::debug!(
                error = podtap_disk::words(&error),
                "cannot write the file anew"
            );
        }
        let begun = Instant::now();
        while begun.elapsed() < AT_THE_END
            && sqlite::reclaim(connection, PAGES_A_STEP).unwrap_or(false)
        {}
        if let Err(error) = sqlite::truncate_log(connection) {
            tracing::debug!(error = podtap_disk::words(&error), "cannot empty the log");
        }
    }
}
