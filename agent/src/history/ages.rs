//! Computes how old events are, for retention: see [`podtap_disk::age`]. The state is stored in the
//! history, so that it survives a restart and every process uses the same one.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use podtap_disk::age::{Jump, Now};
use podtap_disk::kept_clock::{self, KeptClock};
use rusqlite::{Transaction, params};

use super::connection;

/// Returns when an agent with a link last ran on the history at `path`, to the minute; `None` if no
/// agent did, or if the history cannot be read.
pub(crate) fn last_run(path: &Path) -> Option<Timestamp> {
    let connection = connection::read_only(path).ok()?;
    let millis = kept_clock::last_kept(&connection).ok()??;
    Timestamp::from_millisecond(millis).ok()
}

/// Number of marks kept for the maximum age: events are
/// removed late by at most one part in `MARKS` of that age.
const MARKS: i64 = 200;

/// The clock for ages, read from the history at its first use.
#[derive(Debug, Default)]
pub(super) struct Ages {
    clock: KeptClock,
    /// Number of events still to be removed because there
    /// are too many, between two steps of a removal.
    pub(super) excess: Option<u64>,
}

impl Ages {
    /// Returns, once, how far the wall clock was set back
    /// since the last run; known after a first count.
    pub(super) fn set_between_runs(&mut self) -> Option<i64> {
        self.clock.set_between_runs().map(|Jump(by_ms)| by_ms)
    }

    /// Advances the clock to this moment and marks the newest event. Returns the position up to
    /// which every event is older than `max_age`.
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::history::Retention;
    use crate::history::{ClockSet, HistoryChange, Incident, Machine, Writer};

    #[tokio::test]
    async fn a_clock_that_was_set_back_between_two_runs_is_told_once() {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let mut told = Vec::new();
        for wall_ms in [9 * DAY_MS, 10 * DAY_MS, 8 * DAY_MS, 8 * DAY_MS] {
            let (sender, changes) = mpsc::channel();
            let announce = move |change| drop(sender.send(change));
            let (writer, thread) = Writer::open(&path, announce).unwrap();
            for seconds in 0..2 {
                let now = Now {
                    wall_ms: wall_ms + 1000 * seconds,
                    steady: Duration::from_secs(seconds.try_into().unwrap()),
                };
                writer.retain(Retention::default(), now).await.unwrap();
            }
            thread.close().await;
            told.extend(changes.iter().filter_map(|change| match change {
                HistoryChange::Incident(Incident::ClockSet(set)) => Some((wall_ms / DAY_MS, set)),
                _ => None,
            }));
        }
        let by_ms = -2 * DAY_MS - 1000;
        let machine = Machine::Agent;
        assert_eq!(told, [(8, ClockSet { machine, by_ms })]);
    }
}
