//! Stores an [`AgeClock`] in the database to whose events it applies, in a table `upkeep (name,
//! value)` that the owner of the database creates. So the age continues after a restart.

use rusqlite::{Connection, OptionalExtension as _};

use crate::age::{AgeClock, Jump, KeptAge, Now};

/// Age clock that is read from the database when it is first used.
#[derive(Debug, Default)]
pub struct KeptClock {
    clock: Option<AgeClock>,
    /// How far the wall clock was set between two runs, until that was returned.
    between_runs: Option<Jump>,
}

impl KeptClock {
    /// Advances to this moment and returns the age in milliseconds. Logs a warning if the wall
    /// clock was set.
    pub fn advance(&mut self, connection: &Connection, now: Now) -> rusqlite::Result<i64> {
        let jump = if let Some(clock) = &mut self.clock {
            clock.advance(now)
        } else {
            let (clock, jump) = AgeClock::resume(read(connection)?, now);
            self.clock = Some(clock);
            self.between_runs = jump;
            jump
        };
        if let Some(Jump(by)) = jump {
            tracing::warn!(
                seconds = by / 1000,
                "this machine's clock was set; this does not change how long events are kept"
            );
        }
        Ok(self.clock.as_ref().map_or(0, AgeClock::age_ms))
    }

    /// Returns how far the wall clock was set back between the last run and this one. Returns
    /// it once; during the pause, no process could notice it.
    pub fn set_between_runs(&mut self) -> Option<Jump> {
        self.between_runs.take()
    }

    /// Stores the state, if the clock has been read.
    pub fn save(&self, connection: &Connection) -> rusqlite::Result<()> {
        let Some(clock) = &self.clock else {
            return Ok(());
        };
        let kept = serde_json::to_string(clock.to_keep())
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        connection
            .prepare_cached(
                "INSERT INTO upkeep (name, value) VALUES ('ages', ?1)
                 ON CONFLICT (name) DO UPDATE SET value = ?1",
            )?
            .execute([kept])?;
        Ok(())
    }
}

/// Returns the wall clock of the last stored state, in milliseconds, or `None` if there is none.
pub fn last_kept(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    Ok(read(connection)?.map(|kept| kept.wall_ms()))
}

/// Reads the stored state. Returns `None` if it cannot be decoded.
fn read(connection: &Connection) -> rusqlite::Result<Option<KeptAge>> {
    let kept: Option<String> = connection
        .prepare_cached("SELECT value FROM upkeep WHERE name = 'ages'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(kept.and_then(|text| serde_json::from_str(&text).ok()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_count_goes_on_where_it_was_written_down() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE upkeep (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
            .unwrap();
        let at = |ms: i64| Now {
            wall_ms: 1_000_000 + ms,
            steady: Duration::from_millis(u64::try_from(ms).unwrap()),
        };
        let mut clock = KeptClock::default();
        clock.save(&connection).unwrap();
        assert_eq!(clock.advance(&connection, at(0)).unwrap(), 0);
        assert_eq!(clock.advance(&connection, at(500)).unwrap(), 500);
        clock.save(&connection).unwrap();

        let mut again = KeptClock::default();

        assert_eq!(again.advance(&connection, at(700)).unwrap(), 700);
        assert_eq!(again.set_between_runs(), None);

        let (mut set_back, day) = (KeptClock::default(), 24 * 60 * 60 * 1000);
        let yesterday = Now {
            wall_ms: at(500).wall_ms - day,
            steady: Duration::ZERO,
        };
        set_back.advance(&connection, yesterday).unwrap();
        assert_eq!(set_back.set_between_runs(), Some(Jump(-day)));
        assert_eq!(set_back.set_between_runs(), None, "once");
    }
}
