//! Reads the events of one object.

use podtap_podio::ObjectRef;
use rusqlite::{Connection, params};

use super::error::HistoryError;
use super::event::EventRow;
use super::{History, row};

impl History {
    /// Returns the newest events of one object, oldest
    /// first, at most `limit`, and the number of older ones.
    pub async fn events_of(
        &self,
        object: ObjectRef,
        limit: usize,
    ) -> Result<(Vec<EventRow>, u64), HistoryError> {
        self.for_pages()
            .read(move |connection| events_of(connection, object, limit))
            .await
    }
}

fn events_of(
    connection: &Connection,
    object: ObjectRef,
    limit: usize,
) -> rusqlite::Result<(Vec<EventRow>, u64)> {
    let (columns, with_hook) = (row::EVENT_ROW, row::WITH_HOOK);
    let sql = format!(
        "SELECT {columns} FROM events AS e {with_hook} \
         WHERE e.object_id = ? AND e.object_kind = ? ORDER BY e.position DESC LIMIT ?"
    );
    let (id, kind) = (row::id_to_sql(object.id), object.kind.as_str());
    let mut found = row::rows(connection, &sql, params![id, kind, limit], row::event_row)?;
    found.reverse();
    let all: u64 = connection
        .prepare_cached("SELECT count(*) FROM events WHERE object_id = ? AND object_kind = ?")?
        .query_row(params![id, kind], |found| found.get(0))?;
    let left_out = all.saturating_sub(found.len() as u64);
    Ok((found, left_out))
}
