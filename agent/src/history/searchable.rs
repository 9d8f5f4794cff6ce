//! Indexes events that the full-text index does not contain
//! yet because the last writer had no time for them.

use rusqlite::Connection;

use super::error::HistoryError;
use super::reading::History;
use super::writer::Writer;

impl History {
    /// Makes such events searchable, as far as this takes some seconds; returns how many remain.
    /// For a command that searches once: an agent and the terminal UI index without this call.
    pub async fn make_searchable(&self) -> Result<u64, HistoryError> {
        if self.near.read(behind).await? == 0 {
            return Ok(0);
        }
        // A writer indexes when it closes. If none can
        // be opened, the search covers what is indexed.
        if let Ok((writer, thread)) = Writer::open(self.path(), |_| {}) {
            thread.close().await;
            drop(writer);
        }
        self.near.read(behind).await
    }
}

fn behind(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM events \
         WHERE position > (SELECT indexed_through FROM search_progress)";
    connection
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rusqlite::params;

    use super::*;
    use crate::history::{Filter, SavedFilters, connection};

    #[tokio::test]
    async fn a_search_goes_on_where_the_last_writer_had_no_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let mut writing = connection::read_write(&path).unwrap();
        let transaction = writing.transaction().unwrap();
        for number in 1..=1000_i64 {
            let insert = "INSERT INTO events (id, received_at, method, path, body_bytes, state) \
                 VALUES (randomblob(16), 0, 'POST', '/', 4, 2)";
            transaction.execute(insert, []).unwrap();
            let insert = "INSERT INTO requests VALUES (?, NULL, '[]', CAST('word' AS BLOB))";
            transaction.execute(insert, params![number]).unwrap();
        }
        transaction.commit().unwrap();
        drop(writing);
        let history = History::open_read_only(&path).unwrap();
        let filter = Filter::parse("word", Timestamp::now(), &SavedFilters::default()).unwrap();
        assert_eq!(history.count(filter.clone()).await.unwrap(), 0);

        assert_eq!(history.make_searchable().await.unwrap(), 0);

        assert_eq!(history.count(filter).await.unwrap(), 1000);
    }
}
