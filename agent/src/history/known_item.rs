//! What items were like when Podio was last asked: what is left to tell once they are deleted.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};

use super::error::HistoryError;
use super::row;
use super::watch::WatchReader;

/// Items that are remembered, the newest; each is some kilobytes at most.
const MAX_ITEMS: u32 = 10_000;

/// An item as Podio told it last. Texts are of the outside world: escape them before showing them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KnownItem {
    /// What it is called.
    pub title: String,
    /// Its page for people.
    #[serde(default)]
    pub link: Option<String>,
    /// The app that it is in.
    #[serde(default)]
    pub app: Option<String>,
    /// Its revision then.
    #[serde(default)]
    pub revision: Option<u64>,
    /// Its fields and their values, by the names for people.
    #[serde(default)]
    pub values: Vec<(String, String)>,
}

impl WatchReader {
    /// What is remembered of one item.
    pub(crate) async fn known_item(&self, item_id: u64) -> Result<Option<KnownItem>, HistoryError> {
        self.read(move |connection| load(connection, item_id)).await
    }

    /// The same of several.
    pub(crate) async fn known_items(
        &self,
        item_ids: Vec<u64>,
    ) -> Result<HashMap<u64, KnownItem>, HistoryError> {
        self.read(move |connection| {
            let mut found = HashMap::new();
            for item_id in item_ids {
                if let Some(item) = load(connection, item_id)? {
                    found.insert(item_id, item);
                }
            }
            Ok(found)
        })
        .await
    }
}

/// `None` also for what a later build wrote in another shape.
fn load(connection: &Connection, item_id: u64) -> rusqlite::Result<Option<KnownItem>> {
    let text: Option<String> = connection
        .prepare_cached("SELECT known FROM known_items WHERE item_id = ?")?
        .query_row([row::id_to_sql(item_id)], |found| found.get(0))
        .optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

pub(super) fn write(
    transaction: &Transaction<'_>,
    item_id: u64,
    known: &KnownItem,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO known_items (item_id, known) VALUES (?, ?)")?
        .execute(params![row::id_to_sql(item_id), row::to_json(known)?])?;
    transaction
        .prepare_cached(
            "DELETE FROM known_items WHERE number <= \
             (SELECT number FROM known_items ORDER BY number DESC LIMIT 1 OFFSET ?)",
        )?
        .execute([MAX_ITEMS])
        .map(drop)
}
