//! How old events are, for retention: see [`podtap_disk::age`]. The state is in the history itself,
//! so that it goes on after a restart and every process counts alike.

use std::time::Duration;

use podtap_disk::age::{AgeClock, Jump, Kept, Now};
use rusqlite::{OptionalExtension as _, Transaction, params};

/// Marks kept for the longest age: events go at most one part in so many later than they should.
const MARKS: i64 = 200;

/// The count of time, read from the history at its first use.
#[derive(Debug, Default)]
pub(super) struct Ages {
    clock: Option<AgeClock>,
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
        let age = self.advance(transaction, now)?;
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

    fn advance(&mut self, transaction: &Transaction<'_>, now: Now) -> rusqlite::Result<i64> {
        let jump = if let Some(clock) = &mut self.clock {
            clock.advance(now)
        } else {
            let kept: Option<String> = transaction
                .query_row("SELECT value FROM upkeep WHERE name = 'ages'", [], |row| {
                    row.get(0)
                })
                .optional()?;
            let kept: Option<Kept> = kept.and_then(|text| serde_json::from_str(&text).ok());
            let (clock, jump) = AgeClock::resume(kept, now);
            self.clock = Some(clock);
            jump
        };
        if let Some(Jump(by)) = jump {
            let ahead = by > 0;
            tracing::warn!(
                seconds = by / 1000,
                ahead,
                "the clock of this machine was set; what is kept, and for how long, does not follow it"
            );
        }
        let Some(clock) = &self.clock else {
            return Ok(0);
        };
        let kept = super::row::to_json(clock.kept())?;
        transaction
            .prepare_cached(
                "INSERT INTO upkeep (name, value) VALUES ('ages', ?1) \
                 ON CONFLICT (name) DO UPDATE SET value = ?1",
            )?
            .execute([kept])?;
        Ok(clock.age_ms())
    }
}
