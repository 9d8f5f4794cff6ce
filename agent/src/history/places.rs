//! Reads the places on which hooks were seen.

use std::collections::HashMap;

use rusqlite::Connection;

use super::error::HistoryError;
use super::row;
use super::watch::WatchReader;
use crate::place::{Place, PlaceRef};

/// Maximum number of places in one read.
const MAX_PLACES: usize = 1_000;

/// Maximum number of hooks in one read.
const MAX_HOOKS: usize = 10_000;

impl WatchReader {
    /// Returns the places that have hooks, those of the newest hooks first.
    pub(crate) async fn places(&self) -> Result<Vec<Place>, HistoryError> {
        self.read(places).await
    }

    /// Returns the place of each hook, for the newest hooks.
    pub(crate) async fn hook_places(&self) -> Result<HashMap<u64, PlaceRef>, HistoryError> {
        self.read(hook_places).await
    }
}

fn hook_places(connection: &Connection) -> rusqlite::Result<HashMap<u64, PlaceRef>> {
    let sql = "SELECT hook_id, ref_type, ref_id, name AS place_name FROM hooks \
         ORDER BY hook_id DESC LIMIT ?";
    let found = row::rows(connection, sql, [MAX_HOOKS], |found| {
        let hook_id = row::id_from_sql(found.get("hook_id")?);
        Ok(row::place(found)?.map(|place| (hook_id, place.at)))
    })?;
    Ok(found.into_iter().flatten().collect())
}

fn places(connection: &Connection) -> rusqlite::Result<Vec<Place>> {
    let sql = "SELECT ref_type, ref_id, max(name) AS place_name FROM hooks \
         GROUP BY ref_type, ref_id ORDER BY max(hook_id) DESC LIMIT ?";
    let found = row::rows(connection, sql, [MAX_PLACES], row::place)?;
    Ok(found.into_iter().flatten().collect())
}
