//! How old events are, for retention: see [`podtap_disk::age`]. The state is in the history itself,
//! so that it goes on after a restart and every process counts alike.

use std::time::Duration;

use podtap_disk::age::Now;
use podtap_disk::kept_clock::KeptClock;
use rusqlite::{Transaction, params};

/// Marks kept for the longest age: events go at most one part in so many later than they should.
const MARKS: i64 = 200;

/// The count of time, read from the history at its first use.
#[derive(Debug, Default)]
pub(super) struct Ages {
    clock: KeptClock,
}

impl Ages {
    /// Counts on to this moment and marks the newest event; the place up to which every event is
    /// older than `max_age`.
    pub(super) fn beyond(
        &mut self,
        transaction: &Transaction<'_>,
        max_age: Duration,
        now: Now,
    ) -> rusqlite::Result<i64> {
        let age = self.clock.advance(transaction, now)?;
        self.clock.save(transaction)?;
        let max_age = i64::try_from(max_age.as_millis()).unwrap_or(i64::MAX);
        transaction
            .prepare_cached(
                "INSERT INTO age_marks SELECT newest, ?1 FROM (SELECT max(position) AS newest FROM events) \
                 WHERE newest > coalesce((SELECT max(position) FROM age_marks), 0) \
                 AND ?1 >= coalesce((SELECT max(age_ms) + ?2 FROM age_marks), 0)",
            )?
            .execute(params![age, max_age / MARKS])?;
        let through: Option<i64> = transaction
            .prepare_cached("SELECT max(position) FROM age_marks WHERE age_ms <= ?")?
            .query_row([age.saturating_sub(max_age)], |row| row.get(0))?;
        let through = through.unwrap_or(0);
        transaction
            .prepare_cached("DELETE FROM age_marks WHERE position < ?")?
            .execute([through])?;
        Ok(through)
    }
}
