//! Rebuilds a damaged relay database.
//!
//! All readable rows are kept. The agent of each queue learns of missing events as a gap.

use podtap_disk::check::{self, DatabaseHealth};
use podtap_disk::salvage;
use rusqlite::Transaction;

use super::error::DatabaseError;
use super::file::{Database, PROFILE};
use super::schema;

/// Number of sequence numbers to skip if the last assigned number is unknown.
const MARGIN: i64 = 1_000_000;

impl Database {
    /// Opens the folder of a relay that ended without releasing its lock. The file is checked,
    /// and rebuilt if it is damaged.
    pub(crate) fn open_after_a_cut(data_dir: &std::path::Path) -> Result<Self, DatabaseError> {
        let file = Self::at(data_dir);
        if file.path().exists() {
            file.make_whole()?;
        }
        Self::open(data_dir)
    }

    /// Checks the file and rebuilds it if it is damaged. No process may write to the file
    /// meanwhile. Readers detect by themselves that the file was replaced.
    pub(crate) fn make_whole(&self) -> Result<(), DatabaseError> {
        let opened = self.writer().and_then(|connection| {
            check::quick(&connection).map_err(self.error_in("check the database"))
        });
        let finding = match opened {
            Ok(DatabaseHealth::Sound | DatabaseHealth::Unknown) => return Ok(()),
            Ok(DatabaseHealth::Damaged(findings)) => {
                findings.into_iter().next().unwrap_or_default()
            }
            Err(DatabaseError::Malformed { source, .. }) => source.to_string(),
            Err(error) => return Err(error),
        };
        tracing::error!(
            finding,
            "the database is damaged; podtap keeps what can be read"
        );
        let rebuilt = salvage::rebuild(self.path(), &PROFILE, schema::MIGRATIONS, finish);
        let rebuilt = rebuilt.map_err(|error| DatabaseError::DataDir {
            path: self.folder().to_owned(),
            source: std::io::Error::other(error),
        })?;
        tracing::error!(
            rows = rebuilt.rows,
            damaged = %rebuilt.kept.display(),
            "the database was rebuilt; the damaged file is kept"
        );
        Ok(())
    }
}

/// Ensures that each tunnel has a queue, and records missing sequence numbers as gaps.
fn finish(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT OR IGNORE INTO queues (tunnel, last_seq, last_bytes, removed_seq, removed_bytes)
         SELECT id, coalesce((SELECT max(seq) FROM events WHERE tunnel = id), 0) + ?1,
                coalesce((SELECT max(bytes_through) FROM events WHERE tunnel = id), 0),
                coalesce((SELECT min(seq) - 1 FROM events WHERE tunnel = id), ?1),
                coalesce((SELECT min(bytes_through) FROM events WHERE tunnel = id), 0)
         FROM tunnels",
        [MARGIN],
    )?;
    super::ends::note(transaction)?;
    transaction.execute_batch(
        "DELETE FROM events WHERE tunnel NOT IN (SELECT id FROM tunnels);
         DELETE FROM queues WHERE tunnel NOT IN (SELECT id FROM tunnels);
         INSERT OR IGNORE INTO gaps
         SELECT tunnel, before + 1, seq - 1, 'damaged on the relay''s disk' FROM
           (SELECT q.tunnel, e.seq,
                   lag(e.seq, 1, q.removed_seq) OVER (PARTITION BY e.tunnel ORDER BY e.seq) AS before
            FROM events AS e JOIN queues AS q USING (tunnel) WHERE e.seq > q.removed_seq)
         WHERE seq > before + 1;
         INSERT OR IGNORE INTO gaps
         SELECT tunnel, newest + 1, last_seq, 'damaged on the relay''s disk' FROM
           (SELECT q.tunnel, q.last_seq, max(q.removed_seq, coalesce(
              (SELECT max(seq) FROM events AS e WHERE e.tunnel = q.tunnel), 0)) AS newest
            FROM queues AS q)
         WHERE last_seq > newest;
         UPDATE queues SET removed_seq = last_seq, removed_bytes = last_bytes
         WHERE NOT EXISTS (SELECT 1 FROM events AS e
                           WHERE e.tunnel = queues.tunnel AND e.seq > queues.removed_seq);
         UPDATE revision SET number = number + 1;",
    )
}
