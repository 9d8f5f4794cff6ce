//! Detects bursts: hundreds of events of the same kind within seconds, as an import in Podio
//! causes. A burst is detected while events are appended, and stored as a range of positions, so
//! that a list can show it as one line without reading its events.

use std::collections::VecDeque;

use rusqlite::{Connection, Transaction, params};

use super::event::Burst;
use super::position::Position;
use super::row;

/// Minimum number of events of one kind, within [`WITHIN`], that make a burst.
const MIN_EVENTS: usize = 30;

/// Maximum time in milliseconds within which that number of events arrives.
const WITHIN: i64 = 10_000;

/// Pause in milliseconds that ends a burst.
const PAUSE: i64 = 1_000;

/// Maximum number of events per burst; the next event
/// begins another burst. Bounds the time to sum up a burst.
const MAX_EVENTS: u64 = 2_000;

/// Maximum number of hooks whose events may alternate in
/// one burst: an import calls every hook of the type.
const MAX_HOOKS: usize = 4;

/// Detects bursts among appended events.
#[derive(Debug, Default)]
pub(super) struct Bursts(Option<OpenBurst>);

/// Events of one kind without a pause so far.
#[derive(Debug)]
struct OpenBurst {
    event_type: String,
    /// The hooks that sent the events.
    hooks: Vec<Option<u64>>,
    first: i64,
    last: i64,
    since: i64,
    until: i64,
    events: u64,
    /// Times of the last few events.
    recent: VecDeque<i64>,
    /// Whether these events are a burst; they stay one even if they slow down.
    is_burst: bool,
    /// Whether it is a burst that has grown since it was written.
    unwritten: bool,
}

impl Bursts {
    /// Adds an event that was appended at `position` and accepted at `at`, in milliseconds. `kind`
    /// is its type and hook if it is an event of Podio.
    pub(super) fn add(
        &mut self,
        transaction: &Transaction<'_>,
        position: i64,
        kind: Option<(&str, Option<u64>)>,
        at: i64,
    ) -> rusqlite::Result<()> {
        let Some((event_type, hook_id)) = kind else {
            return self.end(transaction);
        };
        match &mut self.0 {
            Some(run) if run.goes_on(position, event_type, hook_id, at) => {
                run.grow(position, hook_id, at);
            }
            _ => {
                self.end(transaction)?;
                self.0 = Some(OpenBurst::start(
                    position,
                    event_type.to_owned(),
                    hook_id,
                    at,
                ));
            }
        }
        Ok(())
    }

    /// Writes the burst to the history if it has grown.
    pub(super) fn write(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let Some(run) = self.0.as_mut().filter(|run| run.unwritten) else {
            return Ok(());
        };
        transaction
            .prepare_cached(
                "INSERT INTO bursts (first, last, since, until) VALUES (?, ?, ?, ?) \
                 ON CONFLICT (first) DO UPDATE SET last = excluded.last, until = excluded.until",
            )?
            .execute(params![run.first, run.last, run.since, run.until])?;
        run.unwritten = false;
        Ok(())
    }

    fn end(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        self.write(transaction)?;
        self.0 = None;
        Ok(())
    }
}

impl OpenBurst {
    fn start(position: i64, event_type: String, hook_id: Option<u64>, at: i64) -> Self {
        Self {
            event_type,
            hooks: vec![hook_id],
            first: position,
            last: position,
            since: at,
            until: at,
            events: 1,
            recent: VecDeque::from([at]),
            is_burst: false,
            unwritten: false,
        }
    }

    /// Returns whether the event continues this burst. If its position does not follow the last
    /// one, another process wrote in between.
    fn goes_on(&self, position: i64, event_type: &str, hook_id: Option<u64>, at: i64) -> bool {
        position == self.last.saturating_add(1)
            && self.events < MAX_EVENTS
            && (self.hooks.contains(&hook_id) || self.hooks.len() < MAX_HOOKS)
            && self.event_type == event_type
            && self.until.abs_diff(at) <= PAUSE.unsigned_abs()
    }

    fn grow(&mut self, position: i64, hook_id: Option<u64>, at: i64) {
        if !self.hooks.contains(&hook_id) {
            self.hooks.push(hook_id);
        }
        self.last = position;
        self.until = self.until.max(at);
        self.events += 1;
        self.recent.push_back(at);
        if self.recent.len() > MIN_EVENTS {
            self.recent.pop_front();
        }
        let oldest = self.recent.front().copied().unwrap_or(at);
        let is_dense = at.saturating_sub(oldest) <= WITHIN;
        self.is_burst |= self.recent.len() == MIN_EVENTS && is_dense;
        self.unwritten = self.is_burst;
    }
}

/// Returns the newest burst that begins before `than`,
/// without the bursts that contain a position of `opened`.
pub(super) fn below(
    connection: &Connection,
    than: i64,
    opened: &[Position],
) -> rusqlite::Result<Option<(i64, i64)>> {
    next(
        connection,
        "SELECT first, last FROM bursts WHERE first < ? ORDER BY first DESC",
        than,
        opened,
    )
}

/// Returns the oldest burst that ends after `than`,
/// without the bursts that contain a position of `opened`.
pub(super) fn above(
    connection: &Connection,
    than: i64,
    opened: &[Position],
) -> rusqlite::Result<Option<(i64, i64)>> {
    next(
        connection,
        "SELECT first, last FROM bursts WHERE last > ? ORDER BY last",
        than,
        opened,
    )
}

fn next(
    connection: &Connection,
    sql: &str,
    than: i64,
    opened: &[Position],
) -> rusqlite::Result<Option<(i64, i64)>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([than])?;
    while let Some(row) = rows.next()? {
        let (first, last) = (row.get("first")?, row.get("last")?);
        let is_opened = |opened: &Position| (first..=last).contains(&opened.0);
        if !opened.iter().any(is_opened) {
            return Ok(Some((first, last)));
        }
    }
    Ok(None)
}

/// Sums up a burst, or a part of one.
pub(super) fn summed_up(connection: &Connection, first: i64, last: i64) -> rusqlite::Result<Burst> {
    connection
        .prepare_cached(
            "SELECT max(position) AS last, count(*) AS events, min(received_at) AS since, \
             max(received_at) AS until, \
             count(*) FILTER (WHERE last_status < 400 AND state != 0) AS answered, \
             count(*) FILTER (WHERE last_status >= 400 OR last_error IS NOT NULL) AS failed, \
             max(last_duration_us) AS slowest_us \
             FROM events WHERE position BETWEEN ? AND ?",
        )?
        .query_row([first, last], |found| {
            Ok(Burst {
                first: Position(first),
                last: Position(found.get("last")?),
                events: found.get("events")?,
                since: row::timestamp(found, "since")?,
                until: row::timestamp(found, "until")?,
                answered: found.get("answered")?,
                failed: found.get("failed")?,
                slowest: found.get::<_, Option<i64>>("slowest_us")?.map(row::micros),
            })
        })
}

/// Updates the bursts after retention removed events between these two
/// positions. A burst without events is removed; one that lost its newest
/// events, while an older one still waits for its delivery, is shortened.
pub(super) fn forget(
    transaction: &Transaction<'_>,
    oldest: i64,
    newest: i64,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE bursts SET last = coalesce((SELECT max(position) FROM events \
             WHERE position BETWEEN first AND last), first - 1) WHERE last >= ? AND first <= ?",
        )?
        .execute([oldest, newest])?;
    transaction
        .prepare_cached("DELETE FROM bursts WHERE last < first")?
        .execute([])
        .map(drop)
}
