//! Places that the history knows of: whatever a hook was seen on.

use rusqlite::Connection;

use super::error::HistoryError;
use super::row;
use super::watch::WatchReader;
use crate::place::Place;

/// Places that are read at once.
const MAX_PLACES: usize = 1_000;

impl WatchReader {
    /// Places with hooks, those of the newest hooks first.
    pub(crate) async fn places(&self) -> Result<Vec<Place>, HistoryError> {
        self.read(places).await
    }
}

fn places(connection: &Connection) -> rusqlite::Result<Vec<Place>> {
    let sql = "SELECT ref_type, ref_id, max(name) AS place_name FROM hooks \
         GROUP BY ref_type, ref_id ORDER BY max(hook_id) DESC LIMIT ?";
    let found = row::rows(connection, sql, [MAX_PLACES], row::place)?;
    Ok(found.into_iter().flatten().collect())
}
