//! Computes where each queue ends.
//!
//! The last event of a queue shows where the queue ends. The row in `queues` is updated
//! later, so that an append does not have to write it as well. The row is needed if all
//! events of the queue are gone or damaged.

use rusqlite::Connection;

/// Current end of every queue, as a replacement for the table `queues`. `noted_seq` is the
/// `last_seq` that the row in `queues` has.
pub(crate) const ENDS: &str = "(
    SELECT q.tunnel AS tunnel, max(q.last_seq, coalesce(e.seq, 0)) AS last_seq,
           max(q.last_bytes, coalesce(e.bytes_through, 0)) AS last_bytes,
           q.removed_seq AS removed_seq, q.removed_bytes AS removed_bytes,
           CASE WHEN e.seq > q.last_seq THEN e.received_at ELSE q.last_at END AS last_at,
           q.last_seq AS noted_seq
    FROM queues AS q LEFT JOIN events AS e
    ON e.tunnel = q.tunnel AND e.seq = (SELECT max(seq) FROM events WHERE tunnel = q.tunnel))";

/// Writes the end of each queue into `queues`. Returns the number of rows that were out of date.
pub(crate) fn note(connection: &Connection) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(&format!(
            "UPDATE queues SET last_seq = e.last_seq, last_bytes = e.last_bytes, last_at = e.last_at
             FROM {ENDS} AS e WHERE e.tunnel = queues.tunnel AND e.last_seq > e.noted_seq"
        ))?
        .execute([])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;

    #[test]
    fn the_ends_of_one_queue_are_found_without_looking_at_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let connection = Database::open(folder.path()).unwrap().writer().unwrap();
        let sql = format!("EXPLAIN QUERY PLAN SELECT last_seq FROM {ENDS} WHERE tunnel = 1");
        let mut statement = connection.prepare(&sql).unwrap();
        let plan = statement.query_map([], |row| row.get::<_, String>("detail"));
        let plan: Vec<_> = plan.unwrap().map(Result::unwrap).collect();
        assert!(
            !plan.iter().any(|step| step.starts_with("SCAN")),
            "{plan:#?}"
        );
    }
}
