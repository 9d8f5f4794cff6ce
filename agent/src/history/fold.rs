//! Reads pages of the history with each burst as one row and each gap
//! as another. As without folding, pages lie between positions. A burst
//! replaces all its events and is at the position of its newest one.

use rusqlite::{Connection, OptionalExtension, params};

use super::burst;
use super::event::EventRow;
use super::gaps::{self, HistoryRow};
use super::page::{Anchor, MAX_PAGE};
use super::position::Position;
use super::row;

/// The rows of a page with folded bursts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldedQuery {
    /// Where the page begins.
    pub anchor: Anchor,
    /// Maximum number of rows, at most [`MAX_PAGE`].
    pub limit: usize,
    /// Bursts that are not folded, each given by one of its events.
    pub opened: Vec<Position>,
    /// An event that always has its own row. A burst that
    /// contains it becomes two rows, one on each side of it.
    pub kept: Option<Position>,
}

pub(super) fn page(
    connection: &Connection,
    query: &FoldedQuery,
) -> rusqlite::Result<Vec<HistoryRow>> {
    let limit = query.limit.min(MAX_PAGE);
    // Read all rows from one snapshot: otherwise a burst that grew
    // in between would include events that have rows already.
    let snapshot = connection.unchecked_transaction()?;
    let folds = Folds {
        connection: &snapshot,
        opened: &query.opened,
        kept: query.kept.map(|kept| kept.0),
    };
    match query.anchor {
        Anchor::Newest => folds.older(i64::MAX, limit),
        Anchor::Before(position) => folds.older(position.0, limit),
        Anchor::After(position) => folds.newer(position.0, limit),
        Anchor::Around(position) => {
            let position = folds.shown_at(position.0)?;
            let mut rows = folds.newer(position, limit / 2)?;
            rows.extend(folds.older(position.saturating_add(1), limit - rows.len())?);
            Ok(rows)
        }
    }
}

struct Folds<'a> {
    connection: &'a Connection,
    opened: &'a [Position],
    kept: Option<i64>,
}

impl Folds<'_> {
    /// Returns rows below a position, newest first: the events
    /// above the next burst, then the burst, and so on.
    fn older(&self, mut than: i64, limit: usize) -> rusqlite::Result<Vec<HistoryRow>> {
        let mut rows = Vec::new();
        while rows.len() < limit {
            let burst = self.below(than)?;
            let floor = burst.map_or(i64::MIN, |(_, last)| last);
            let room = limit - rows.len();
            rows.extend(self.between(floor, than, "DESC", room)?);
            let Some((first, last)) = burst.filter(|_| rows.len() < limit) else {
                break;
            };
            rows.extend(self.burst_row(first, last)?);
            than = first;
        }
        Ok(rows)
    }

    /// Returns rows above a position, newest first. A burst that contains the position is included,
    /// because it has grown since.
    fn newer(&self, mut than: i64, limit: usize) -> rusqlite::Result<Vec<HistoryRow>> {
        let mut rows = Vec::new();
        while rows.len() < limit {
            let burst = self.above(than)?;
            let ceiling = burst.map_or(i64::MAX, |(first, _)| first);
            let room = limit - rows.len();
            rows.extend(self.between(than, ceiling, "ASC", room)?);
            let Some((first, last)) = burst.filter(|_| rows.len() < limit) else {
                break;
            };
            rows.extend(self.burst_row(first, last)?);
            than = last;
        }
        rows.reverse();
        Ok(rows)
    }

    /// Returns the position at which an event is shown:
    /// the end of its burst if the burst is folded.
    fn shown_at(&self, position: i64) -> rusqlite::Result<i64> {
        let burst = self.below(position.saturating_add(1))?;
        let burst = burst.filter(|(_, last)| *last > position);
        Ok(burst.map_or(position, |(_, last)| last))
    }

    /// Returns the newest burst that begins before
    /// `than`, or its part on one side of the kept event.
    fn below(&self, mut than: i64) -> rusqlite::Result<Option<(i64, i64)>> {
        while let Some((first, last)) = burst::below(self.connection, than, self.opened)? {
            match self.kept_in(first, last) {
                None => return Ok(Some((first, last))),
                Some(kept) if kept < last && kept + 1 < than => return Ok(Some((kept + 1, last))),
                Some(kept) if first < kept => return Ok(Some((first, kept - 1))),
                Some(_) => than = first,
            }
        }
        Ok(None)
    }

    /// Returns the oldest burst that ends after `than`, or its part on one side of the kept event.
    fn above(&self, mut than: i64) -> rusqlite::Result<Option<(i64, i64)>> {
        while let Some((first, last)) = burst::above(self.connection, than, self.opened)? {
            match self.kept_in(first, last) {
                None => return Ok(Some((first, last))),
                Some(kept) if first < kept && kept - 1 > than => {
                    return Ok(Some((first, kept - 1)));
                }
                Some(kept) if kept < last => return Ok(Some((kept + 1, last))),
                Some(_) => than = last,
            }
        }
        Ok(None)
    }

    /// Returns the kept event if it belongs to this burst.
    fn kept_in(&self, first: i64, last: i64) -> Option<i64> {
        self.kept.filter(|kept| (first..=last).contains(kept))
    }

    /// Returns the first `limit` events and gaps between
    /// two positions, both excluded, in this order.
    fn between(
        &self,
        low: i64,
        high: i64,
        order: &str,
        limit: usize,
    ) -> rusqlite::Result<Vec<HistoryRow>> {
        let events = self.events_between(low, high, order, limit)?;
        let gaps = gaps::between(self.connection, low, high, order, limit)?;
        let mut rows: Vec<_> = events.into_iter().map(HistoryRow::Event).collect();
        if !gaps.is_empty() {
            rows.extend(gaps.into_iter().map(HistoryRow::Gap));
            rows.sort_by_key(HistoryRow::position);
            if order == "DESC" {
                rows.reverse();
            }
            rows.truncate(limit);
        }
        Ok(rows)
    }

    fn events_between(
        &self,
        low: i64,
        high: i64,
        order: &str,
        limit: usize,
    ) -> rusqlite::Result<Vec<EventRow>> {
        let (columns, with_hook) = (row::EVENT_ROW, row::WITH_HOOK);
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {columns} FROM events AS e {with_hook} \
             WHERE e.position > ? AND e.position < ? ORDER BY e.position {order} LIMIT ?"
        ))?;
        row::readable(statement.query_map(params![low, high, limit], row::event_row)?)
    }

    /// Returns the newest event of a burst with the
    /// burst's sums; `None` if retention has removed it.
    fn burst_row(&self, first: i64, last: i64) -> rusqlite::Result<Option<HistoryRow>> {
        let (columns, with_hook) = (row::EVENT_ROW, row::WITH_HOOK);
        let newest = self
            .connection
            .prepare_cached(&format!(
                "SELECT {columns} FROM events AS e {with_hook} WHERE e.position = ?"
            ))?
            .query_row([last], row::event_row)
            .optional();
        let newest = row::if_readable(newest)?.flatten();
        let Some(mut newest) = newest else {
            return Ok(None);
        };
        if first < last {
            newest.burst = Some(burst::summed_up(self.connection, first, last)?);
        }
        Ok(Some(HistoryRow::Event(newest)))
    }
}
