//! Builds statements from a filter and limits how many events one step reads. What an index finds
//! is read at once; events that must be compared one by one are read in steps.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::event::{EventRow, FoundEvent};
use super::filter::Filter;
use super::row;
use super::sql::{Conditions, FilterWalk};

/// Number of events per step if the filter reads only rows: takes some tens of milliseconds.
const ROWS_A_STEP: i64 = 100_000;

/// Number of events per step if the filter reads bodies: takes about as long.
const BODIES_A_STEP: i64 = 10_000;

/// Divisor of the number of events for a short step.
const HURRY: i64 = 5;

/// Gives the range of positions to the subqueries of a statement.
const SPAN: &str = "WITH span (low, high) AS (VALUES (?, ?))";

/// How far a read goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// To the end of the history, however long that takes.
    End,
    /// One step, after which the result says where to continue.
    Step,
}

/// A filter with its connection.
pub(super) struct Select<'a> {
    connection: &'a Connection,
    conditions: Conditions,
    reach: Reach,
    /// Divisor of the number of events per step; 1 for a normal step.
    hurry: i64,
}

/// A range of positions from `low` to `high`, both included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) low: i64,
    pub(super) high: i64,
}

impl Range {
    pub(super) const ALL: Self = Self {
        low: i64::MIN,
        high: i64::MAX,
    };
}

/// What a statement reads of each event.
struct Columns<T> {
    names: &'static str,
    /// Further tables that the columns need.
    join: &'static str,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
}

const EVENT_ROW: Columns<EventRow> = Columns {
    names: row::EVENT_ROW,
    join: row::WITH_HOOK,
    read: row::event_row,
};

const FOUND_EVENT: Columns<FoundEvent> = Columns {
    names: row::FOUND_EVENT,
    join: "",
    read: row::found_event,
};

impl<'a> Select<'a> {
    pub(super) fn new(connection: &'a Connection, filter: &Filter, reach: Reach) -> Self {
        let conditions = Conditions::of(filter);
        Self {
            connection,
            conditions,
            reach,
            hurry: 1,
        }
    }

    /// Returns the same filter with shorter steps.
    pub(super) fn with_shorter_steps(self) -> Self {
        let hurry = HURRY;
        Self { hurry, ..self }
    }

    /// Returns the number of events per step.
    pub(super) fn step(&self) -> i64 {
        let step = match (self.reach, self.conditions.walk) {
            (Reach::End, _) | (Reach::Step, FilterWalk::Index) => i64::MAX,
            (Reach::Step, FilterWalk::Rows) => ROWS_A_STEP,
            (Reach::Step, FilterWalk::Bodies) => BODIES_A_STEP,
        };
        if step == i64::MAX {
            step
        } else {
            step / self.hurry
        }
    }

    /// Returns the newest rows of a range, newest first.
    pub(super) fn newest(&self, range: Range, limit: usize) -> rusqlite::Result<Vec<EventRow>> {
        self.newest_columns(&EVENT_ROW, range, limit)
    }

    /// Returns the oldest rows of a range, newest first.
    pub(super) fn oldest(&self, range: Range, limit: usize) -> rusqlite::Result<Vec<EventRow>> {
        let mut rows = self.oldest_columns(&EVENT_ROW, range, limit)?;
        rows.reverse();
        Ok(rows)
    }

    /// Finds the newest events of a range, newest first.
    pub(super) fn newest_found(
        &self,
        range: Range,
        limit: usize,
    ) -> rusqlite::Result<Vec<FoundEvent>> {
        self.newest_columns(&FOUND_EVENT, range, limit)
    }

    /// Finds the oldest events of a range, oldest first.
    pub(super) fn oldest_found(
        &self,
        range: Range,
        limit: usize,
    ) -> rusqlite::Result<Vec<FoundEvent>> {
        self.oldest_columns(&FOUND_EVENT, range, limit)
    }

    fn newest_columns<T>(
        &self,
        columns: &Columns<T>,
        range: Range,
        limit: usize,
    ) -> rusqlite::Result<Vec<T>> {
        let Some(tail) = self.tail(range)? else {
            return self.rows(columns, range, "DESC", limit, self.is_search());
        };
        let mut rows = self.rows(columns, tail, "DESC", limit, false)?;
        let head = Range {
            high: tail.low - 1,
            ..range
        };
        rows.extend(self.rows(columns, head, "DESC", limit - rows.len(), true)?);
        Ok(rows)
    }

    fn oldest_columns<T>(
        &self,
        columns: &Columns<T>,
        range: Range,
        limit: usize,
    ) -> rusqlite::Result<Vec<T>> {
        let Some(tail) = self.tail(range)? else {
            return self.rows(columns, range, "ASC", limit, self.is_search());
        };
        let head = Range {
            high: tail.low - 1,
            ..range
        };
        let mut rows = self.rows(columns, head, "ASC", limit, true)?;
        rows.extend(self.rows(columns, tail, "ASC", limit - rows.len(), false)?);
        Ok(rows)
    }

    /// Counts the events that match.
    pub(super) fn count(&self) -> rusqlite::Result<u64> {
        let all = Range::ALL;
        match self.tail(all)? {
            None => self.count_in(all, self.is_search()),
            Some(tail) => {
                let head = Range {
                    high: tail.low - 1,
                    ..all
                };
                Ok(self.count_in(head, true)? + self.count_in(tail, false)?)
            }
        }
    }

    fn is_search(&self) -> bool {
        self.conditions.search.is_some()
    }

    /// Returns the part of the range that the full-text
    /// index does not contain yet, if the filter needs it.
    fn tail(&self, range: Range) -> rusqlite::Result<Option<Range>> {
        if !(self.conditions.beyond_index && self.is_search()) {
            return Ok(None);
        }
        let through: i64 = self
            .connection
            .prepare_cached("SELECT indexed_through FROM search_progress")?
            .query_row([], |row| row.get(0))
            .optional()?
            .unwrap_or(0);
        let low = through.saturating_add(1).max(range.low);
        Ok((low <= range.high).then_some(Range { low, ..range }))
    }

    fn rows<T>(
        &self,
        columns: &Columns<T>,
        range: Range,
        order: &str,
        limit: usize,
        by_index: bool,
    ) -> rusqlite::Result<Vec<T>> {
        if limit == 0 || range.low > range.high {
            return Ok(Vec::new());
        }
        let Columns { names, join, read } = columns;
        let (from, position) = source(by_index);
        let sql = format!(
            "{SPAN} SELECT {names} FROM {from} {join} WHERE {} AND {position} >= ? \
             AND {position} <= ? ORDER BY {position} {order} LIMIT ?",
            self.conditions.sql
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = self.params(range, by_index, &[range.low, range.high, limit]);
        let mut statement = self.connection.prepare_cached(&sql)?;
        row::readable(statement.query_map(params_from_iter(params), read)?)
    }

    fn count_in(&self, range: Range, by_index: bool) -> rusqlite::Result<u64> {
        let (from, position) = source(by_index);
        // Without bounds, SQLite can walk an index of the whole history in the shortest way.
        let whole = range.low == i64::MIN && range.high == i64::MAX;
        let bounds = [range.low, range.high];
        let (within, last) = if whole {
            (String::new(), &bounds[..0])
        } else {
            let within = format!(" AND {position} >= ? AND {position} <= ?");
            (within, &bounds[..])
        };
        let sql = format!(
            "{SPAN} SELECT count(*) FROM {from} WHERE {}{within}",
            self.conditions.sql
        );
        let params = self.params(range, by_index, last);
        self.connection
            .prepare_cached(&sql)?
            .query_row(params_from_iter(params), |row| row.get(0))
    }

    fn params(&self, range: Range, by_index: bool, last: &[i64]) -> Vec<Value> {
        let search = self.conditions.search.clone().filter(|_| by_index);
        let span = [range.low, range.high].map(Value::from);
        let last = last.iter().copied().map(Value::from);
        span.into_iter()
            .chain(search.map(Value::from))
            .chain(self.conditions.params.iter().cloned())
            .chain(last)
            .collect()
    }
}

/// Returns the tables and the position's column. CROSS JOIN keeps the order: first the full-text
/// index, by position, then the rows.
fn source(by_index: bool) -> (&'static str, &'static str) {
    if by_index {
        (
            "search CROSS JOIN events AS e ON e.position = search.rowid AND search MATCH ?",
            "search.rowid",
        )
    } else {
        ("events AS e", "e.position")
    }
}
