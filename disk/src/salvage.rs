//! Rebuilds a damaged database: every readable row is copied to a new file, and the damaged
//! file is kept beside it for inspection.
//!
//! A table is read from both ends up to the damage, and row by row in between, so that only
//! the damaged rows are lost.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Transaction, params_from_iter};

use crate::private;
use crate::sqlite::{self, MigrateError, Profile};
use crate::trouble::SqliteCause;

/// Maximum number of rows to look for one by one between the two ends of the damage.
const MAX_PROBES: i64 = 4_000_000;

/// Maximum number of damaged files to keep.
const MAX_KEPT: usize = 8;

/// A database that was rebuilt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Path of the damaged file now.
    pub kept: PathBuf,
    /// Number of rows that were copied.
    pub rows: u64,
}

/// Reason why a database could not be rebuilt. The database is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// A file could not be created, moved or removed.
    #[error("cannot put a new file in the place of the damaged one")]
    Io(#[from] io::Error),
    /// The new schema could not be created.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The damaged file cannot be read at all, or the new one cannot be written.
    #[error("cannot copy what is readable")]
    Copy(#[source] SqliteCause),
}

/// Rebuilds the database at `path`, to which no process may be connected. `finish` repairs
/// the effects of missing rows in the same transaction.
pub fn rebuild(
    path: &Path,
    profile: &Profile,
    migrations: &[&str],
    finish: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> Result<Rebuilt, RebuildError> {
    let failed = |error: rusqlite::Error| RebuildError::Copy(error.into());
    let new = private::beside(path, ".rebuilt");
    remove(&new)?;
    let rows = {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let damaged = Connection::open_with_flags(path, flags).map_err(failed)?;
        // Without the list of its tables, nothing can be found in the file.
        let list = "SELECT count(name) FROM sqlite_schema WHERE type = 'table'";
        damaged
            .query_row(list, [], |row| row.get::<_, u64>(0))
            .map_err(failed)?;
        let quiet = Profile {
            has_triggers: false,
            ..*profile
        };
        let mut whole = sqlite::writer(&new, &quiet).map_err(failed)?;
        sqlite::migrate(&mut whole, migrations)?;
        let transaction = whole.transaction().map_err(failed)?;
        let mut rows = 0;
        for table in tables(&transaction).map_err(failed)? {
            rows += copy(&damaged, &transaction, &table).map_err(failed)?;
        }
        copy_sequences(&damaged, &transaction).map_err(failed)?;
        finish(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        sqlite::truncate_log(&whole).map_err(failed)?;
        rows
    };
    let kept = set_aside(path)?;
    std::fs::rename(&new, path)?;
    remove(&new)?;
    sync_folder(path)?;
    Ok(Rebuilt { kept, rows })
}

/// Moves a database away, with the files that SQLite keeps beside it. Returns its new path.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let name = |number: usize| match number {
        0 => private::beside(path, ".damaged"),
        _ => private::beside(path, &format!(".{number}.damaged")),
    };
    let free = (0..MAX_KEPT).map(name).find(|place| !place.exists());
    let kept = free.unwrap_or_else(|| name(MAX_KEPT - 1));
    remove(&kept)?;
    for (from, to) in private::with_companions(path).zip(private::with_companions(&kept)) {
        match std::fs::rename(from, to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(kept)
}

fn remove(database: &Path) -> io::Result<()> {
    for file in private::with_companions(database) {
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Returns the tables with data. An index of words is not among them: its owner creates it again.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main' \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Copies the readable rows of a table. Returns their number.
fn copy(from: &Connection, to: &Transaction<'_>, table: &str) -> rusqlite::Result<u64> {
    let known = columns(to, table)?;
    let found = columns(from, table).unwrap_or_default();
    let both: Vec<&str> = known
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| found.iter().any(|column| column.name == *name))
        .collect();
    if both.is_empty() {
        return Ok(0);
    }
    let by_rowid = to
        .prepare(&format!("SELECT rowid FROM {table} LIMIT 1"))
        .is_ok();
    let mut names = both;
    // Other tables refer to rows by this number, so it must not change.
    let has_name = known.iter().any(|column| column.is_rowid);
    if by_rowid && !has_name {
        names.push("rowid");
    }
    let mut copy = TableCopy {
        from,
        to,
        table,
        names: names.join(", "),
        places: vec!["?"; names.len()].join(", "),
        width: names.len(),
        rows: 0,
        has_begun: false,
    };
    if by_rowid {
        copy.by_rowid()?;
    } else {
        copy.run("", None)?;
    }
    Ok(copy.rows)
}

struct Column {
    name: String,
    /// Whether the column is another name of the row's number.
    is_rowid: bool,
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Column>> {
    connection
        .prepare(&format!("PRAGMA table_info({table})"))?
        .query_map([], |row| {
            let is_key: i64 = row.get("pk")?;
            let kind: String = row.get("type")?;
            Ok(Column {
                name: row.get("name")?,
                is_rowid: is_key == 1 && kind.eq_ignore_ascii_case("INTEGER"),
            })
        })?
        .collect()
}

struct TableCopy<'a> {
    from: &'a Connection,
    to: &'a Transaction<'a>,
    table: &'a str,
    names: String,
    places: String,
    width: usize,
    rows: u64,
    has_begun: bool,
}

impl TableCopy<'_> {
    /// Deletes the rows that the migrations inserted before the first row is copied.
    fn make_way(&mut self) -> rusqlite::Result<()> {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.to
                .execute(&format!("DELETE FROM {}", self.table), [])?;
        }
        Ok(())
    }

    fn by_rowid(&mut self) -> rusqlite::Result<()> {
        let (from_below, whole) = self.run("ORDER BY rowid", None)?;
        if whole {
            return Ok(());
        }
        let (from_above, _) = self.run("ORDER BY rowid DESC", None)?;
        let low = from_below.map_or(1, |last| last.saturating_add(1));
        let high = from_above.unwrap_or_else(|| low.saturating_add(MAX_PROBES / 10));
        for rowid in low..high.min(low.saturating_add(MAX_PROBES)) {
            self.run("WHERE rowid = ?", Some(rowid))?;
        }
        Ok(())
    }

    /// Copies rows up to the damage. Returns the number of the last row, and whether the end
    /// was reached. Only errors of the new file are returned.
    fn run(&mut self, which: &str, rowid: Option<i64>) -> rusqlite::Result<(Option<i64>, bool)> {
        let (table, names) = (self.table, self.names.clone());
        let number = if which.is_empty() { "0" } else { "rowid" };
        let select = format!("SELECT {names}, {number} FROM {table} NOT INDEXED {which}");
        let Ok(mut statement) = self.from.prepare_cached(&select) else {
            return Ok((None, false));
        };
        let mut insert = self.to.prepare_cached(&format!(
            "INSERT OR IGNORE INTO {table} ({names}) VALUES ({})",
            self.places
        ))?;
        let Ok(mut rows) = statement.query(params_from_iter(rowid)) else {
            return Ok((None, false));
        };
        let mut last = None;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok((last, true)),
                Err(_) => return Ok((last, false)),
            };
            let values: rusqlite::Result<Vec<Value>> =
                (0..self.width).map(|column| row.get(column)).collect();
            last = row.get(self.width).ok().or(last);
            // A value that does not have its column's type is damage too.
            let Ok(values) = values else { continue };
            self.make_way()?;
            match insert.execute(params_from_iter(values)) {
                Ok(new) => self.rows += new as u64,
                Err(error) if is_of_the_row(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Returns whether the new file refuses only this row.
fn is_of_the_row(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    code == Some(rusqlite::ErrorCode::ConstraintViolation)
        || code == Some(rusqlite::ErrorCode::TypeMismatch)
}

/// Copies the counters of row numbers, so that a number is not used again even if its row
/// is missing.
fn copy_sequences(from: &Connection, to: &Transaction<'_>) -> rusqlite::Result<()> {
    let has_any = to.prepare("SELECT 1 FROM sqlite_sequence").is_ok();
    let Ok(mut statement) = from.prepare("SELECT name, seq FROM sqlite_sequence") else {
        return Ok(());
    };
    let Ok(mut rows) = statement.query([]) else {
        return Ok(());
    };
    while has_any && let Ok(Some(row)) = rows.next() {
        let (Ok(name), Ok(last)) = (row.get::<_, String>("name"), row.get::<_, i64>("seq")) else {
            continue;
        };
        let raised = to.execute(
            "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1",
            (&name, last),
        )?;
        if raised == 0 {
            to.execute("INSERT INTO sqlite_sequence VALUES (?1, ?2)", (&name, last))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, SeekFrom, Write as _};

    use super::*;
    use crate::check::{self, DatabaseHealth};

    const PROFILE: Profile = Profile {
        page_bytes: 4096,
        cache_kib: 2000,
        checkpoint_bytes: 4 * 1024 * 1024,
        has_triggers: false,
    };
    const SCHEMA: &[&str] = &[
        "CREATE TABLE items (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER, body BLOB) STRICT;
         CREATE UNIQUE INDEX items_by_n ON items (n);
         CREATE TABLE pairs (a TEXT, b TEXT) STRICT;
         CREATE TABLE marks (a INTEGER PRIMARY KEY) STRICT, WITHOUT ROWID;",
    ];
    const ROWS: i64 = 600;

    fn create_filled(path: &Path) {
        let mut connection = sqlite::writer(path, &PROFILE).unwrap();
        sqlite::migrate(&mut connection, SCHEMA).unwrap();
        let transaction = connection.transaction().unwrap();
        for n in 0..ROWS {
            transaction
                .execute("INSERT INTO items (n, body) VALUES (?, zeroblob(300))", [n])
                .unwrap();
        }
        transaction
            .execute_batch("INSERT INTO pairs VALUES ('a', 'b'); INSERT INTO marks VALUES (7)")
            .unwrap();
        transaction.commit().unwrap();
        sqlite::truncate_log(&connection).unwrap();
    }

    fn count(connection: &Connection, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn noise_anywhere_costs_the_rows_it_hits() {
        for place in 2..14 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x.db");
            create_filled(&path);
            let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
            let pages = path.metadata().unwrap().len() / 4096;
            file.seek(SeekFrom::Start((pages * place / 16) * 4096 + 512))
                .unwrap();
            let noise: Vec<u8> = (0..=u8::MAX)
                .map(|n| n.wrapping_mul(151))
                .cycle()
                .take(1024)
                .collect();
            file.write_all(&noise).unwrap();
            drop(file);

            let rebuilt = rebuild(&path, &PROFILE, SCHEMA, |_| Ok(())).unwrap();

            let connection = sqlite::reader(&path, &PROFILE).unwrap();
            assert_eq!(check::quick(&connection).unwrap(), DatabaseHealth::Sound);
            let left = count(&connection, "items");
            assert!(left >= ROWS - 40, "place {place}: {left} of {ROWS} rows");
            assert!(rebuilt.kept.exists());
        }
    }

    #[test]
    fn a_sound_file_is_copied_whole_and_numbers_are_not_given_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        create_filled(&path);
        sqlite::writer(&path, &PROFILE)
            .unwrap()
            .execute("DELETE FROM items WHERE id > 590", [])
            .unwrap();

        rebuild(&path, &PROFILE, SCHEMA, |_| Ok(())).unwrap();

        let connection = sqlite::writer(&path, &PROFILE).unwrap();
        let counts = ["items", "pairs", "marks"].map(|table| count(&connection, table));
        assert_eq!(counts, [590, 1, 1]);
        connection
            .execute("INSERT INTO items (n) VALUES (-1)", [])
            .unwrap();
        assert_eq!(connection.last_insert_rowid(), ROWS + 1);
    }
}
