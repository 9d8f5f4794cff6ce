//! Manages the rows that are loaded around the cursor: how a page from the history joins them, and
//! which page to request next. Pure. The history may have millions of events; the window has a few
//! screens of them, newest first, without gaps.

use std::collections::{BTreeSet, VecDeque};

use podtap_agent::history::{Anchor, HistoryRow, Position};

use super::effect::ListPage;

/// Number of rows per request.
pub(crate) const PAGE: usize = 256;

/// Maximum number of loaded rows. Above that, those farthest from the cursor are dropped.
pub(crate) const MAX_ROWS: usize = 4 * PAGE;

/// Distance from the edge of the loaded rows, in rows, at which the next page is requested. It is
/// larger than a screen of any size.
const MARGIN: usize = 128;

/// Number of the newest positions to search again if it is not known which events have changed: an
/// event that did not match the filter may match it once its attempt has ended.
const LATELY: i64 = 10_000;

/// Average number of positions per row above which the matching events are sparse.
const SPARSE: i64 = 4;

/// The value of `known` if no position has been read.
const NOTHING: (i64, i64) = (0, 0);

/// The rows that are loaded.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowWindow {
    rows: VecDeque<HistoryRow>,
    /// The range of positions, both ends excluded, in which all existing rows are loaded. `MIN` and
    /// `MAX` are the ends of the history.
    known: (i64, i64),
    /// The newest position of the history when the newest rows were read, even if its
    /// event does not match the filter.
    seen: i64,
    /// Rows that may have changed since they were read.
    stale: BTreeSet<Position>,
}

impl RowWindow {
    /// Returns the number of loaded rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether no rows are loaded.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the row at an index; 0 is the newest.
    pub(crate) fn row(&self, index: usize) -> Option<&HistoryRow> {
        self.rows.get(index)
    }

    /// Returns all loaded rows, newest first.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = &HistoryRow> + Clone {
        self.rows.iter()
    }

    /// Returns whether the first row is the newest in the history.
    pub(crate) fn reaches_newest(&self) -> bool {
        self.known.1 == i64::MAX
    }

    /// Returns whether the last row is the oldest in the history.
    pub(crate) fn reaches_oldest(&self) -> bool {
        self.known.0 == i64::MIN
    }

    /// Returns whether all rows of the history are loaded.
    pub(crate) fn is_whole(&self) -> bool {
        self.reaches_newest() && self.reaches_oldest()
    }

    /// Returns the position of the first row.
    pub(crate) fn newest(&self) -> Option<Position> {
        self.rows.front().map(HistoryRow::position)
    }

    /// Returns the position of the oldest event that the last row represents.
    pub(crate) fn oldest(&self) -> Option<Position> {
        self.rows.back().map(HistoryRow::oldest)
    }

    /// Returns the index of the row that shows `position`, otherwise of the next
    /// older row, otherwise of the last row.
    pub(crate) fn nearest(&self, position: Position) -> Option<usize> {
        let index = self.rows.partition_point(|row| row.oldest() > position);
        let last = self.rows.len().checked_sub(1)?;
        Some(index.min(last))
    }

    /// Inserts a row that the loaded rows lack.
    pub(crate) fn insert(&mut self, row: HistoryRow) {
        let index = self
            .rows
            .partition_point(|it| it.position() > row.position());
        self.rows.insert(index, row);
    }

    /// Removes the row at this position.
    pub(crate) fn remove(&mut self, position: Position) {
        self.rows.retain(|row| row.position() != position);
    }

    /// Records that there are events up to `through`.
    pub(crate) fn on_appended(&mut self, through: Position) {
        if self.reaches_newest() && through.0 > self.seen {
            self.known.1 = self.seen.saturating_add(1);
        }
    }

    /// Records that the event at `position` has changed. If it is newer than the loaded
    /// rows, it may match the filter now.
    pub(crate) fn on_touched(&mut self, position: Position) {
        let row = self.nearest(position).and_then(|index| self.row(index));
        let shown = row.filter(|row| (row.oldest()..=row.position()).contains(&position));
        if let Some(row) = shown.map(HistoryRow::position) {
            self.stale.insert(row);
        } else if self.newest().is_none_or(|newest| position > newest) && self.known.0 < position.0
        {
            self.known.1 = self.known.1.min(position.0);
        }
    }

    /// Records that any event may have changed, including the newest events
    /// that did not match the filter.
    pub(crate) fn on_everything_touched(&mut self) {
        self.stale = self.rows.iter().map(HistoryRow::position).collect();
        if self.reaches_newest() {
            let lately = self.seen.saturating_add(1).saturating_sub(LATELY);
            let newest = self.newest().map_or(i64::MIN, |newest| newest.0);
            let known = newest.max(self.known.0).saturating_add(1);
            self.known.1 = known.max(lately);
        }
    }

    /// Returns the page to request next, the most urgent first: the newest page if the list follows
    /// it, then changed rows on the screen, then the rows to which the screen is about to scroll.
    pub(crate) fn next_anchor(&self, follow: bool, first: usize, height: usize) -> Option<Anchor> {
        if self.known == NOTHING {
            return Some(Anchor::Newest);
        }
        let newer = Anchor::After(Position(self.known.1.saturating_sub(1)));
        let older = Anchor::Before(Position(self.known.0.saturating_add(1)));
        let shown = self.rows.iter().skip(first).take(height.max(1));
        let mut shown = shown.map(HistoryRow::position);
        let changed = shown.find(|position| self.stale.contains(position));
        if follow && self.is_dense() && (!self.reaches_newest() || changed.is_some()) {
            Some(Anchor::Newest)
        } else if follow && !self.reaches_newest() {
            Some(newer)
        } else if let Some(Position(changed)) = changed {
            Some(Anchor::Before(Position(changed.saturating_add(1))))
        } else if !self.reaches_newest() && (first < MARGIN || self.is_empty()) {
            Some(newer)
        } else if !self.reaches_oldest() && first + height + MARGIN > self.rows.len() {
            Some(older)
        } else {
            None
        }
    }

    /// Returns whether a large part of the events matches the filter. If so, reading the newest
    /// page is fast; otherwise only new events are searched.
    fn is_dense(&self) -> bool {
        let (Some(newest), Some(oldest)) = (self.newest(), self.oldest()) else {
            return false;
        };
        let rows = i64::try_from(self.rows.len()).unwrap_or(i64::MAX);
        let newest = newest.0.max(self.seen);
        newest.saturating_sub(oldest.0) <= rows.saturating_mul(SPARSE)
    }

    /// Adds the answer to a query for `limit` rows at `anchor`. A page that is not adjacent
    /// to the loaded rows replaces them.
    pub(crate) fn merge(&mut self, anchor: Anchor, limit: usize, page: ListPage) {
        let (low, high) = span(anchor, limit, &page);
        let joins = low < self.known.1 && self.known.0 < high && self.known != NOTHING;
        let (mut newer, mut older) = (VecDeque::new(), VecDeque::new());
        if joins {
            for row in self.rows.drain(..) {
                if row.position().0 >= high {
                    newer.push_back(row);
                } else if row.position().0 <= low {
                    older.push_back(row);
                }
            }
            self.known = (self.known.0.min(low), self.known.1.max(high));
        } else {
            self.known = (low, high);
            self.stale.clear();
        }
        if high == i64::MAX {
            let before = if joins { self.seen } else { 0 };
            self.seen = page.newest.0.max(before);
        }
        newer.extend(page.rows);
        newer.append(&mut older);
        self.rows = newer;
        self.stale
            .retain(|position| position.0 >= high || position.0 <= low);
    }

    /// Drops the rows farthest from the index `cursor` if there are more than [`MAX_ROWS`].
    pub(crate) fn trim(&mut self, cursor: usize) {
        let excess = self.rows.len().saturating_sub(MAX_ROWS);
        if excess == 0 {
            return;
        }
        if cursor < MAX_ROWS / 2 {
            self.rows.truncate(MAX_ROWS);
            self.known.0 = self.oldest().map_or(0, |oldest| oldest.0.saturating_sub(1));
        } else {
            let newer = excess.min(cursor - MAX_ROWS / 2);
            self.rows.drain(..newer);
            self.rows.truncate(MAX_ROWS);
            self.known = match (self.oldest(), self.newest()) {
                (Some(oldest), Some(newest)) => {
                    (oldest.0.saturating_sub(1), newest.0.saturating_add(1))
                }
                _ => NOTHING,
            };
        }
        let (oldest, newest) = (self.oldest(), self.newest());
        self.stale
            .retain(|stale| Some(*stale) >= oldest && Some(*stale) <= newest);
    }
}

/// Returns the range of positions, both ends excluded, that a page covers.
fn span(anchor: Anchor, limit: usize, page: &ListPage) -> (i64, i64) {
    let rows = &page.rows;
    let end = |stopped: Option<Position>, end: i64| stopped.map_or(end, |position| position.0);
    let (lowest, highest) = (end(page.older, i64::MIN), end(page.newer, i64::MAX));
    let whole = rows.len() < limit;
    let just_below = rows.last().map(|row| row.oldest().0.saturating_sub(1));
    let just_above = rows.first().map(|row| row.position().0.saturating_add(1));
    let below = just_below.filter(|_| !whole).unwrap_or(lowest);
    let above = |filled: bool| just_above.filter(|_| filled).unwrap_or(highest);
    let (low, high) = match anchor {
        Anchor::Newest => (below, i64::MAX),
        Anchor::Before(position) => (below, position.0),
        Anchor::After(position) => (position.0, above(!whole)),
        Anchor::Around(middle) => {
            let newer = rows.partition_point(|row| row.position() > middle);
            (below, above(newer >= limit / 2))
        }
    };
    // A burst that has grown beyond the edge of the range is covered completely.
    (
        low.min(just_below.unwrap_or(low)),
        high.max(just_above.unwrap_or(high)),
    )
}

#[cfg(test)]
mod tests;
