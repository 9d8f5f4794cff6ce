//! Queries of readers: pages by position, counts, single events, attempts, ids in part.

use podtap_wire::EventId;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::event::{Attempt, Event, EventRow, Position};
use super::filter::Filter;
use super::row;
use super::sql::Conditions;

/// Most rows of one page.
pub const MAX_PAGE: usize = 1000;

/// Most attempts of one event that are read: the newest ones.
const MAX_ATTEMPTS: usize = 1000;

/// Most events that a part of an id may stand for.
const MAX_FOUND: usize = 10;

/// Which rows a page holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageQuery {
    /// Which events are wanted.
    pub filter: Filter,
    /// Where the page lies.
    pub anchor: Anchor,
    /// Most rows, at most [`MAX_PAGE`].
    pub limit: usize,
}

/// Where a page lies. Rows always come newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The newest rows.
    Newest,
    /// The rows just older than this one, which is not among them.
    Before(Position),
    /// The rows just newer than this one, which is not among them.
    After(Position),
    /// Rows on both sides of this one, which is among them if the filter wants it.
    Around(Position),
}

pub(super) fn page(connection: &Connection, query: &PageQuery) -> rusqlite::Result<Vec<EventRow>> {
    let limit = query.limit.min(MAX_PAGE);
    let select = Select::new(connection, &query.filter);
    match query.anchor {
        Anchor::Newest => select.older(i64::MAX, limit),
        Anchor::Before(position) => select.older(position.0, limit),
        Anchor::After(position) => select.newer(position.0, limit),
        Anchor::Around(position) => {
            let mut rows = select.newer(position.0, limit / 2)?;
            rows.extend(select.older(position.0.saturating_add(1), limit - rows.len())?);
            Ok(rows)
        }
    }
}

pub(super) fn count(connection: &Connection, filter: &Filter) -> rusqlite::Result<u64> {
    let select = Select::new(connection, filter);
    let sql = format!(
        "SELECT count(*) FROM {} WHERE {}",
        select.from, select.conditions.sql
    );
    connection
        .prepare_cached(&sql)?
        .query_row(params_from_iter(select.params([])), |row| row.get(0))
}

/// A filter's part of a statement.
struct Select<'a> {
    connection: &'a Connection,
    conditions: Conditions,
    from: &'static str,
    position: &'static str,
}

impl<'a> Select<'a> {
    fn new(connection: &'a Connection, filter: &Filter) -> Self {
        let conditions = Conditions::of(filter);
        // CROSS JOIN keeps the order: the index of words first, newest first, then the rows.
        let (from, position) = if conditions.search.is_some() {
            (
                "search CROSS JOIN events AS e ON e.position = search.rowid AND search MATCH ?",
                "search.rowid",
            )
        } else {
            ("events AS e", "e.position")
        };
        Self {
            connection,
            conditions,
            from,
            position,
        }
    }

    fn older(&self, than: i64, limit: usize) -> rusqlite::Result<Vec<EventRow>> {
        self.rows("<", "DESC", than, limit)
    }

    fn newer(&self, than: i64, limit: usize) -> rusqlite::Result<Vec<EventRow>> {
        let mut rows = self.rows(">", "ASC", than, limit)?;
        rows.reverse();
        Ok(rows)
    }

    fn rows(
        &self,
        side: &str,
        order: &str,
        than: i64,
        limit: usize,
    ) -> rusqlite::Result<Vec<EventRow>> {
        let Self {
            from,
            position,
            conditions: Conditions { sql, .. },
            ..
        } = self;
        let (columns, with_hook) = (row::EVENT_ROW, row::WITH_HOOK);
        let sql = format!(
            "SELECT {columns} FROM {from} {with_hook} WHERE {sql} AND {position} {side} ? \
             ORDER BY {position} {order} LIMIT ?"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.connection
            .prepare_cached(&sql)?
            .query_map(params_from_iter(self.params([than, limit])), row::event_row)?
            .collect()
    }

    fn params<const N: usize>(&self, last: [i64; N]) -> impl Iterator<Item = Value> {
        let search = self.conditions.search.clone().map(Value::from);
        let params = self.conditions.params.iter().cloned();
        search
            .into_iter()
            .chain(params)
            .chain(last.into_iter().map(Value::from))
    }
}

pub(super) fn event(
    connection: &Connection,
    id: EventId,
) -> rusqlite::Result<Option<(Event, u32)>> {
    let (columns, with_hook) = (row::EVENT, row::WITH_HOOK);
    connection
        .prepare_cached(&format!(
            "SELECT {columns} FROM events AS e JOIN requests AS r USING (position) {with_hook} \
             WHERE e.id = ?"
        ))?
        .query_row([id.to_bytes()], row::event)
        .optional()
}

/// Events that wait for their delivery and how many attempts each has had, oldest first: at most
/// `limit`, and no more once their bodies pass `bytes`.
pub(super) fn pending(
    connection: &Connection,
    after: Position,
    limit: usize,
    bytes: usize,
) -> rusqlite::Result<Vec<(Event, u32)>> {
    let (columns, with_hook) = (row::EVENT, row::WITH_HOOK);
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {columns} FROM events AS e JOIN requests AS r USING (position) {with_hook} \
         WHERE e.state = 0 AND e.position > ? ORDER BY e.position LIMIT ?"
    ))?;
    let mut rows = statement.query(params![after.0, limit])?;
    let (mut events, mut taken) = (Vec::new(), 0);
    while taken < bytes
        && let Some(row) = rows.next()?
    {
        let (event, attempts) = row::event(row)?;
        taken += event.request.body.len();
        events.push((event, attempts));
    }
    Ok(events)
}

pub(super) fn attempts(connection: &Connection, id: EventId) -> rusqlite::Result<Vec<Attempt>> {
    let columns = row::ATTEMPT;
    let mut attempts: Vec<Attempt> = connection
        .prepare_cached(&format!(
            "SELECT {columns} FROM attempts \
             WHERE position = (SELECT position FROM events WHERE id = ?) \
             ORDER BY number DESC LIMIT ?"
        ))?
        .query_map(params![id.to_bytes(), MAX_ATTEMPTS], |found| {
            row::attempt(id, found)
        })?
        .collect::<Result<_, _>>()?;
    attempts.reverse();
    Ok(attempts)
}

/// Events whose id begins or ends as `text` says, newest first. Short ids are written as their
/// beginning and their end with `…` or `..` between.
pub(super) fn find(connection: &Connection, text: &str) -> rusqlite::Result<Vec<EventId>> {
    let text = text.trim().to_ascii_uppercase();
    if let Some((prefix, suffix)) = text.split_once('…').or_else(|| text.split_once("..")) {
        return find_between(connection, prefix, suffix.trim_start_matches('.'));
    }
    let found = find_between(connection, &text, "")?;
    if found.is_empty() {
        find_between(connection, "", &text)
    } else {
        Ok(found)
    }
}

fn find_between(
    connection: &Connection,
    prefix: &str,
    suffix: &str,
) -> rusqlite::Result<Vec<EventId>> {
    let is_part = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let length = prefix.len() + suffix.len();
    if length == 0 || length > 26 || !is_part(prefix) || !is_part(suffix) {
        return Ok(Vec::new());
    }
    let (first, last) = row::ids_beginning(prefix);
    connection
        .prepare_cached(
            "SELECT id FROM events WHERE id BETWEEN ? AND ? AND id_ends(id, ?) \
             ORDER BY id DESC LIMIT ?",
        )?
        .query_map(params![first, last, suffix, MAX_FOUND], |row| {
            row.get(0).map(EventId::from_bytes)
        })?
        .collect()
}
