//! Whether a database is whole.

use rusqlite::{Connection, ErrorCode};

use crate::trouble::Trouble;

/// Findings that are told; more say nothing new.
const MAX_FINDINGS: usize = 20;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseHealth {
    /// Nothing contradicts itself.
    Sound,
    /// What is wrong, in SQLite's words, the first few.
    Damaged(Vec<String>),
    /// The connection was interrupted before the end.
    Unknown,
}

/// Reads the whole file and looks for contradictions; 100 MB take about a second. Whoever does not
/// want to wait that long interrupts the connection.
///
/// # Errors
/// Where the file cannot be read for another reason than damage.
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
