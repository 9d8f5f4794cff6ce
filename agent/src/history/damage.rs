//! Counts the events that are missing from a history because it was damaged.

use podtap_disk::check::{self, DatabaseHealth};
use rusqlite::Connection;

use super::error::HistoryError;
use super::position::Position;
use super::reading::History;
use super::row;

/// Events that are missing from a history because it was damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Damage {
    /// Number of events that are in the history and cannot be read.
    pub unreadable: u64,
    /// Number of events of which the table `damaged` holds the remains.
    pub set_aside: u64,
}

impl Damage {
    /// Returns the number of missing events.
    pub fn events(&self) -> u64 {
        self.unreadable + self.set_aside
    }
}

impl History {
    /// Reads the whole file and returns the damage found, or `None` if the file is sound. Takes
    /// about a second per 100 MB. Dropping the future ends the check.
    pub async fn check(&self) -> Result<Option<Vec<String>>, HistoryError> {
        let health = self.far.read(check::quick).await?;
        Ok(match health {
            DatabaseHealth::Sound | DatabaseHealth::Unknown => None,
            DatabaseHealth::Damaged(findings) => Some(findings),
        })
    }

    /// Counts what is missing from the history, beginning with this event.
    pub async fn damage(&self, from: Position) -> Result<Damage, HistoryError> {
        self.far
            .read(move |connection| damage(connection, from))
            .await
    }
}

fn damage(connection: &Connection, from: Position) -> rusqlite::Result<Damage> {
    let (columns, with_hook) = (row::EVENT, row::WITH_HOOK);
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {columns} FROM events AS e LEFT JOIN requests AS r USING (position) {with_hook} \
         WHERE e.position >= ?"
    ))?;
    let mut rows = statement.query([from.0])?;
    let mut damage = Damage::default();
    while let Some(found) = rows.next()? {
        let is_readable = row::if_readable(row::event(found))?.is_some();
        damage.unreadable += u64::from(!is_readable);
    }
    damage.set_aside = connection.query_row(
        "SELECT count(*) FROM damaged WHERE position IS NULL OR position >= ?",
        [from.0],
        |row| row.get(0),
    )?;
    Ok(damage)
}
