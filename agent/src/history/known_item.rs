//! Stores what Podio returned about items, so that it can be shown after they are deleted.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};

use super::error::HistoryError;
use super::row;
use super::watch::WatchReader;

/// Maximum number of stored items, newest first; each has a few kilobytes at most.
const MAX_ITEMS: u32 = 10_000;

/// An item as Podio returned it last. Untrusted text: escape it before showing it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KnownItem {
    /// The item's title.
    pub title: String,
    /// URL of the item's page for people.
    #[serde(default)]
    pub link: Option<String>,
    /// Name of its app.
    #[serde(default)]
    pub app: Option<String>,
    /// Its revision at that time.
    #[serde(default)]
    pub revision: Option<u64>,
    /// Its fields and their values, under the names that people see.
    #[serde(default)]
    pub values: Vec<(String, String)>,
}

impl WatchReader {
    /// Returns what is stored about one item.
    pub(crate) async fn known_item(&self, item_id: u64) -> Result<Option<KnownItem>, HistoryError> {
        self.read(move |connection| load(connection, item_id)).await
    }

    /// Returns what is stored about several items.
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

/// Returns `None` also for what a later version wrote in another form.
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
