//! Checks whether a database is damaged.

use rusqlite::{Connection, ErrorCode};

use crate::trouble::Trouble;

/// Maximum number of findings; more would add nothing.
const MAX_FINDINGS: usize = 20;

/// Result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseHealth {
    /// The database has no contradiction.
    Sound,
    /// Descriptions of the damage by SQLite, the first few.
    Damaged(Vec<String>),
    /// The connection was interrupted before the end of the check.
    Unknown,
}

/// Reads the whole file and looks for contradictions; 100 MB take about a second. To end
/// the check early, interrupt the connection.
///
/// # Errors
/// If the file cannot be read for a reason other than damage.
pub fn quick(connection: &Connection) -> rusqlite::Result<DatabaseHealth> {
    match findings(connection) {
        Ok(found) if found == ["ok"] => Ok(DatabaseHealth::Sound),
        Ok(found) => Ok(DatabaseHealth::Damaged(found)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            Ok(DatabaseHealth::Unknown)
        }
        Err(error) if Trouble::of(&error) == Trouble::Damaged => Ok(DatabaseHealth::Damaged(vec![
            crate::SqliteCause::from(error).to_string(),
        ])),
        Err(error) => Err(error),
    }
}

fn findings(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(&format!("PRAGMA quick_check({MAX_FINDINGS})"))?
        .query_map([], |row| row.get(0))?
        .collect()
}
