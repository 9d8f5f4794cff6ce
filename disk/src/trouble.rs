//! Describes what an error of SQLite means, in text that helps a person to act and contains no SQL.

use std::fmt;

use rusqlite::{Error, ErrorCode, ffi};

/// Maximum number of characters of SQLite's own message to show.
const MAX_WORDS: usize = 200;

/// Kind of trouble with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// There is no room on the disk.
    Full,
    /// Another program has locked the file for too long.
    Locked,
    /// The disk cannot be read or written.
    Io,
    /// The file's content is damaged.
    Damaged,
    /// This user has no permission to write there.
    Forbidden,
    /// The file cannot be opened.
    Missing,
    /// Anything else, such as a mistake in a statement.
    Other,
}

impl Trouble {
    /// Returns what an error means.
    pub fn of(error: &Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::SystemIoFailure) => Self::Io,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged,
            Some(ErrorCode::ReadOnly) if is_moved(error) => Self::Missing,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::Forbidden,
            Some(ErrorCode::CannotOpen) => Self::Missing,
            _ => Self::Other,
        }
    }

    /// Returns whether this connection may have lost earlier writes, so that the file must be
    /// opened again and checked.
    pub fn needs_reopening(self) -> bool {
        !matches!(self, Self::Full | Self::Locked)
    }

    fn words(self) -> Option<&'static str> {
        Some(match self {
            Self::Full => "the disk is full",
            Self::Locked => "another program holds the file",
            Self::Io => "the disk cannot be read or written",
            Self::Damaged => "the file is damaged",
            Self::Forbidden => "this user has no write access",
            Self::Missing => "the file cannot be opened",
            Self::Other => return None,
        })
    }
}

/// Returns whether the file was moved or deleted while it was open.
fn is_moved(error: &Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(ffi::SQLITE_READONLY_DBMOVED)
}

/// Returns whether a row could be read but has a content that was never written. Then the
/// row is damaged, but the statement and the file may be fine.
pub fn is_unreadable_row(error: &Error) -> bool {
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
    )
}

/// An error of SQLite as the cause of another error. It shows the meaning first, and never SQL.
#[derive(Debug)]
pub struct SqliteCause(Error);

impl SqliteCause {
    /// Returns the kind of trouble.
    pub fn trouble(&self) -> Trouble {
        Trouble::of(&self.0)
    }

    /// Returns whether a single row cannot be read.
    pub fn is_unreadable_row(&self) -> bool {
        is_unreadable_row(&self.0)
    }
}

impl From<Error> for SqliteCause {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl std::error::Error for SqliteCause {}

impl fmt::Display for SqliteCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&words(&self.0))
    }
}

/// Returns the meaning of an error and SQLite's message, in one line and without SQL.
pub fn words(error: &Error) -> String {
    let said = own_words(error);
    match Trouble::of(error).words() {
        Some(meaning) => format!("{meaning} ({said})"),
        None => said,
    }
}

fn own_words(error: &Error) -> String {
    let words = match error {
        Error::SqlInputError { msg, .. } | Error::SqliteFailure(_, Some(msg)) => msg.clone(),
        other => other.to_string(),
    };
    let line = words.lines().next().unwrap_or_default();
    line.chars().take(MAX_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn a_mistake_in_sql_is_told_without_the_sql() {
        let connection = Connection::open_in_memory().unwrap();
        let error = connection
            .execute_batch("CREATE TABLE t (a);\nCREATE INDEX i ON t (nothing)")
            .unwrap_err();

        let words = SqliteCause::from(error).to_string();

        assert!(words.contains("nothing"), "{words}");
        assert!(!words.contains("CREATE"), "{words}");
        assert_eq!(words.lines().count(), 1);
    }

    #[test]
    fn a_full_database_says_so() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE t (a); PRAGMA max_page_count = 2")
            .unwrap();
        let error = connection
            .execute("INSERT INTO t VALUES (zeroblob(100000))", [])
            .unwrap_err();

        assert_eq!(Trouble::of(&error), Trouble::Full);
        assert!(
            SqliteCause::from(error)
                .to_string()
                .starts_with("the disk is full")
        );
    }
}
