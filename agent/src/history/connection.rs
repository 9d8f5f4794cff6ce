//! Opens connections to the history's file, and defines the functions that its SQL may call.

use std::path::Path;

use podtap_disk::private;
use podtap_disk::sqlite::{self, MigrateError, Profile};
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use super::error::HistoryError;
use super::fault::DeliveryFault;
use super::filter::Pattern;
use super::{row, schema};

/// Settings of the database. The log is this long so that a burst pays for a checkpoint (and its
/// fsync) a few times and not with every commit.
pub(super) const PROFILE: Profile = Profile {
    page_bytes: 4096,
    cache_kib: 2000,
    checkpoint_bytes: 16 * 1024 * 1024,
    has_triggers: false,
};

/// Opens a connection that may write. Creates the folder
/// and the file, and migrates the file to this format.
pub(super) fn read_write(path: &Path) -> Result<Connection, HistoryError> {
    if let Some(folder) = path.parent() {
        private::folder(folder).map_err(HistoryError::prepare(path))?;
    }
    let failed = HistoryError::open(path);
    let mut connection = sqlite::writer(path, &PROFILE).map_err(&failed)?;
    sqlite::migrate(&mut connection, schema::MIGRATIONS).map_err(|error| match error {
        MigrateError::Newer { found, known } => HistoryError::Newer {
            path: path.to_owned(),
            found,
            known,
        },
        MigrateError::Sqlite(cause) => HistoryError::unusable(path, cause),
    })?;
    Ok(connection)
}

/// Opens a connection that may write to an existing file of this format.
pub(super) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    sqlite::writer(path, &PROFILE)
}

/// Opens a connection that reads an existing file. A file of an older format is migrated first.
pub(super) fn read_only(path: &Path) -> Result<Connection, HistoryError> {
    let failed = HistoryError::open(path);
    if !path.exists() {
        return Err(HistoryError::Missing {
            path: path.to_owned(),
        });
    }
    let mut connection = sqlite::reader(path, &PROFILE).map_err(&failed)?;
    let found = sqlite::schema(&connection).map_err(&failed)?;
    if found != schema::KNOWN {
        drop(read_write(path)?);
        connection = sqlite::reader(path, &PROFILE).map_err(&failed)?;
    }
    add_functions(&connection).map_err(&failed)?;
    Ok(connection)
}

/// Returns whether the file at `path` is a history and not a database of the relay.
pub fn is_history(path: &Path) -> bool {
    let sql = "SELECT count(*) = 2 FROM sqlite_schema WHERE name IN ('requests', 'attempts')";
    let reader = sqlite::reader(path, &PROFILE);
    reader
        .and_then(|connection| connection.query_row(sql, [], |row| row.get(0)))
        .unwrap_or(false)
}

/// Adds these functions to SQL:
/// - `has_param(headers, body, name, pattern)`: whether a form body has the parameter.
/// - `failure(status, error, headers, body)`: the fingerprint of a failed attempt.
/// - `id_ends(id, suffix)`: whether an event id ends with the suffix.
fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("has_param", 4, flags, |context| {
        let headers = context.get_raw(0).as_str().unwrap_or_default();
        let body = context.get_raw(1).as_blob().unwrap_or_default();
        let name = context.get_raw(2).as_str()?;
        let pattern = Pattern::new(context.get_raw(3).as_str()?);
        let body = row::readable_body(headers, body);
        Ok(podtap_podio::params(&body).any(|(key, value)| key == name && pattern.matches(&value)))
    })?;
    connection.create_scalar_function("failure", 4, flags, |context| {
        let status: Option<u16> = context.get(0)?;
        let fault = match status {
            None => DeliveryFault::without_answer(
                context.get_raw(1).as_str_or_null()?.unwrap_or_default(),
            ),
            Some(status) => {
                let headers = context.get_raw(2).as_str_or_null()?.unwrap_or("[]");
                let headers = serde_json::from_str(headers).unwrap_or_default();
                let body = context.get_raw(3).as_blob_or_null()?.unwrap_or_default();
                DeliveryFault::with_answer(status, &headers, body)
            }
        };
        Ok(fault.fingerprint())
    })?;
    connection.create_scalar_function("id_ends", 2, flags, |context| {
        let id: [u8; 16] = context.get(0)?;
        let id = podtap_wire::EventId::from_bytes(id).to_string();
        Ok(id.ends_with(context.get_raw(1).as_str()?))
    })
}
