//! Lists the values that occur in the history, so that a filter can be completed.

use rusqlite::Connection;

/// Maximum number of values of each kind: more than a person reads.
const MOST: usize = 200;

/// Values that occur in the history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Values {
    /// Event types, in order.
    pub types: Vec<String>,
    /// Hooks, in order.
    pub hooks: Vec<u64>,
}

/// Each value costs one step in an index, however many events have it.
pub(super) fn values(connection: &Connection) -> rusqlite::Result<Values> {
    let read = |column: &str| {
        format!(
            "WITH RECURSIVE found (value) AS ( \
                 SELECT min({column}) FROM events WHERE {column} IS NOT NULL \
                 UNION ALL \
                 SELECT (SELECT min({column}) FROM events WHERE {column} > value) FROM found \
                 WHERE value IS NOT NULL \
             ) SELECT value FROM found WHERE value IS NOT NULL LIMIT {MOST}"
        )
    };
    let types = connection
        .prepare_cached(&read("event_type"))?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let hooks = connection
        .prepare_cached(&read("hook_id"))?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(Values { types, hooks })
}
