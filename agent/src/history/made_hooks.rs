//! Records the hooks that this agent creates, from just before their creation until their removal,
//! so that the next start can remove hooks that a crash left.

use rusqlite::{Row, Transaction, params};

use super::error::HistoryError;
use super::row;
use super::watch::WatchReader;
use crate::place::PlaceRef;

/// A recorded hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeHook {
    /// Its number among the records.
    pub(crate) number: i64,
    /// The API at which it was to be created.
    pub(crate) api: String,
    pub(crate) place: PlaceRef,
    pub(crate) event_type: String,
    pub(crate) url: String,
    /// The newest hook on the place before the request: a newer
    /// hook of this type with this URL is the created one.
    pub(crate) newest_then: u64,
    /// `None` until Podio has answered.
    pub(crate) hook_id: Option<u64>,
}

impl WatchReader {
    /// Returns the recorded hooks in the order in which they were created.
    pub(crate) async fn made_hooks(&self) -> Result<Vec<MadeHook>, HistoryError> {
        let sql = "SELECT number, api, ref_type, ref_id, event_type, url, newest_then, hook_id \
             FROM made_hooks ORDER BY number";
        let hooks = self
            .read(|connection| row::rows(connection, sql, [], made_hook))
            .await?;
        Ok(hooks.into_iter().flatten().collect())
    }
}

/// Returns `None` if the kind of place is from a later version and unknown here.
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
