//! Runs the queries of readers: pages by position, counts, single events, attempts, partial ids.

use podtap_wire::EventId;
use rusqlite::{Connection, OptionalExtension, params};

use super::answered;
use super::event::{Attempt, Event, EventRow};
use super::filter::Filter;
use super::position::Position;
use super::row;
use super::select::{Range, Reach, Select};
use super::tally;

/// Maximum number of rows per page.
pub const MAX_PAGE: usize = 1000;

/// Maximum number of attempts read per event, newest first.
const MAX_ATTEMPTS: usize = 1000;

/// Maximum number of events that a partial id may match.
const MAX_FOUND: usize = 10;

/// The rows of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageQuery {
    /// The events to include.
    pub filter: Filter,
    /// Where the page begins.
    pub anchor: Anchor,
    /// Maximum number of rows, at most [`MAX_PAGE`].
    pub limit: usize,
}

/// Where a page begins. Rows are always returned newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The newest rows.
    Newest,
    /// The rows just older than this position, which is excluded.
    Before(Position),
    /// The rows just newer than this position, which is excluded.
    After(Position),
    /// Rows on both sides of this position, which is included if it matches the filter.
    Around(Position),
}

/// Rows, and how far the history was searched for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The rows, newest first.
    pub rows: Vec<EventRow>,
    /// Where the search for older rows stopped before there were enough: this event and all older
    /// ones still have to be searched.
    pub older: Option<Position>,
    /// Where the search for newer rows stopped: this event
    /// and all newer ones still have to be searched.
    pub newer: Option<Position>,
    /// The newest event of the history at the time of reading.
    pub newest: Position,
}

impl From<Vec<EventRow>> for Page {
    /// Returns a page that contains all requested rows.
    fn from(rows: Vec<EventRow>) -> Self {
        let newest = rows.first().map(|row| row.position).unwrap_or_default();
        Self {
            rows,
            newest,
            ..Self::default()
        }
    }
}

pub(super) fn page(
    connection: &Connection,
    query: &PageQuery,
    reach: Reach,
) -> rusqlite::Result<Page> {
    let limit = query.limit.min(MAX_PAGE);
    let select = Select::new(connection, &query.filter, reach);
    // Read before the rows and used as their limit: a
    // later event is announced by a change of its own.
    let ends = connection
        .prepare_cached(
            "SELECT (SELECT min(position) FROM events) AS oldest, \
             (SELECT max(position) FROM events) AS newest",
        )?
        .query_row([], |row| Ok((row.get("oldest")?, row.get("newest")?)))?;
    let (Some(oldest), Some(newest)) = ends else {
        return Ok(Page::default());
    };
    let ends = Range {
        low: oldest,
        high: newest,
    };
    let mut page = Page {
        newest: Position(newest),
        ..Page::default()
    };
    match query.anchor {
        // The first step is a short one: usually it finds
        // enough rows, and otherwise it returns early.
        Anchor::Newest => page.add_older(&select.with_shorter_steps(), ends, newest, limit)?,
        Anchor::Before(position) => {
            page.add_older(&select, ends, position.0.saturating_sub(1), limit)?;
        }
        Anchor::After(position) => {
            page.add_newer(&select, ends, position.0.saturating_add(1), limit)?;
        }
        Anchor::Around(position) => {
            page.add_newer(&select, ends, position.0.saturating_add(1), limit / 2)?;
            let rest = limit - page.rows.len();
            page.add_older(&select, ends, position.0, rest)?;
        }
    }
    Ok(page)
}

impl Page {
    /// Adds rows from `from` downwards.
    fn add_older(
        &mut self,
        select: &Select<'_>,
        ends: Range,
        from: i64,
        limit: usize,
    ) -> rusqlite::Result<()> {
        let high = from.min(ends.high);
        let low = high.saturating_sub(select.step() - 1).max(ends.low);
        let rows = select.newest(Range { low, high }, limit)?;
        if rows.len() < limit && low > ends.low {
            self.older = Some(Position(low - 1));
        }
        self.rows.extend(rows);
        Ok(())
    }

    /// Puts rows from `from` upwards before the existing ones.
    fn add_newer(
        &mut self,
        select: &Select<'_>,
        ends: Range,
        from: i64,
        limit: usize,
    ) -> rusqlite::Result<()> {
        let low = from.max(ends.low);
        let high = low.saturating_add(select.step() - 1).min(ends.high);
        let mut rows = select.oldest(Range { low, high }, limit)?;
        if rows.len() < limit && high < ends.high {
            self.newer = Some(Position(high + 1));
        }
        rows.append(&mut self.rows);
        self.rows = rows;
        Ok(())
    }
}

/// Returns the newest event's position.
pub(super) fn newest(connection: &Connection) -> rusqlite::Result<Option<Position>> {
    let newest = "SELECT max(position) FROM events";
    let newest: Option<i64> = connection.query_row(newest, [], |row| row.get(0))?;
    Ok(newest.map(Position))
}

pub(super) fn count(connection: &Connection, filter: &Filter) -> rusqlite::Result<u64> {
    Select::new(connection, filter, Reach::End).count()
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

/// Returns events that wait for their delivery, with the number of their attempts, oldest first: at
/// most `limit`, and no more once their headers and bodies exceed `bytes`.
///
/// With LEFT JOIN, an event without its body is reported as unreadable instead of being skipped.
pub(super) fn pending(
    connection: &Connection,
    after: Position,
    limit: usize,
    bytes: usize,
) -> rusqlite::Result<PendingPage> {
    // Read before the events: an event that is committed in between is on the next page.
    let newest = tally::newest(connection)?;
    let mut statement = connection.prepare_cached(&pending_sql())?;
    let mut rows = statement.query(params![after.0, limit])?;
    let mut page = PendingPage {
        through: after,
        ..PendingPage::default()
    };
    let (mut taken, mut found) = (0, 0);
    while taken < bytes {
        let Some(row) = rows.next()? else {
            if found < limit {
                page.through = page.through.max(newest);
            }
            break;
        };
        found += 1;
        page.through = Position(row.get("position")?);
        match row::event(row) {
            Ok((event, attempts)) => {
                taken += event.request.body.len() + event.request.headers.bytes();
                let answered = if attempts > 0 {
                    answered::targets(connection, event.position)?
                } else {
                    Vec::new()
                };
                page.events.push(WaitingEvent {
                    event,
                    attempts,
                    answered,
                });
            }
            Err(error) if podtap_disk::is_unreadable_row(&error) => {
                let reason = podtap_disk::words(&error);
                page.unreadable.push((page.through, reason));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

fn pending_sql() -> String {
    let (columns, with_hook) = (row::EVENT, row::WITH_HOOK);
    format!(
        "SELECT {columns} FROM events AS e LEFT JOIN requests AS r USING (position) {with_hook} \
         WHERE e.state = 0 AND e.position > ? ORDER BY e.position LIMIT ?"
    )
}

/// Events that wait for their delivery.
#[derive(Debug, Default)]
pub(crate) struct PendingPage {
    /// Readable events, in order.
    pub(crate) events: Vec<WaitingEvent>,
    /// Events that cannot be read, each with the reason.
    pub(crate) unreadable: Vec<(Position, String)>,
    /// No other event up to this position waits.
    pub(crate) through: Position,
}

/// An event that waits for its delivery.
#[derive(Debug)]
pub(crate) struct WaitingEvent {
    pub(crate) event: Event,
    /// Number of its attempts.
    pub(crate) attempts: u32,
    /// The targets that have answered it.
    pub(crate) answered: Vec<String>,
}

pub(super) fn attempts(connection: &Connection, id: EventId) -> rusqlite::Result<Vec<Attempt>> {
    let columns = row::ATTEMPT;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {columns} FROM attempts \
         WHERE position = (SELECT position FROM events WHERE id = ?) \
         ORDER BY number DESC LIMIT ?"
    ))?;
    let found = statement.query_map(params![id.to_bytes(), MAX_ATTEMPTS], |found| {
        row::attempt(id, found)
    })?;
    let mut attempts = row::readable(found)?;
    attempts.reverse();
    Ok(attempts)
}

/// Returns the events whose id begins or ends with `text`, newest first. A shortened id is its
/// beginning and its end with `…` or `..` in between.
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
