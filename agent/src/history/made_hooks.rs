//! Hooks that this agent makes: on record from just before they are made until they were removed,
//! so that the next start can remove what a crash left.

use rusqlite::{Row, Transaction, params};

use super::error::HistoryError;
use super::row;
use super::watch::WatchReader;
use crate::place::PlaceRef;

/// One hook on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeHook {
    /// Its place among the records.
    pub(crate) number: i64,
    /// The API that was asked to make it.
    pub(crate) api: String,
    pub(crate) place: PlaceRef,
    pub(crate) event_type: String,
    pub(crate) url: String,
    /// The newest hook on the place before: what is newer, of this type and to this URL, is it.
    pub(crate) newest_then: u64,
    /// `None` until Podio told.
    pub(crate) hook_id: Option<u64>,
}

impl WatchReader {
    /// Hooks on record, in the order in which they were made.
    pub(crate) async fn made_hooks(&self) -> Result<Vec<MadeHook>, HistoryError> {
        let sql = "SELECT number, api, ref_type, ref_id, event_type, url, newest_then, hook_id \
             FROM made_hooks ORDER BY number";
        let hooks = self
            .read(|connection| row::rows(connection, sql, [], made_hook))
            .await?;
        Ok(hooks.into_iter().flatten().collect())
    }
}

/// `None` where a later build wrote a kind of place that this one does not know.
fn made_hook(row: &Row<'_>) -> rusqlite::Result<Option<MadeHook>> {
    let Ok(ref_type) = row.get_ref("ref_type")?.as_str()?.parse() else {
        return Ok(None);
    };
    Ok(Some(MadeHook {
        number: row.get("number")?,
        api: row.get("api")?,
        place: PlaceRef {
            ref_type,
            ref_id: row::id_from_sql(row.get("ref_id")?),
        },
        event_type: row.get("event_type")?,
        url: row.get("url")?,
        newest_then: row::id_from_sql(row.get("newest_then")?),
        hook_id: row::id(row, "hook_id")?,
    }))
}

pub(super) fn write_making(transaction: &Transaction<'_>, hook: &MadeHook) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO made_hooks \
             (number, api, ref_type, ref_id, event_type, url, newest_then, hook_id) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            hook.number,
            hook.api,
            hook.place.ref_type.as_str(),
            row::id_to_sql(hook.place.ref_id),
            hook.event_type,
            hook.url,
            row::id_to_sql(hook.newest_then),
            hook.hook_id.map(row::id_to_sql)
        ])
        .map(drop)
}
