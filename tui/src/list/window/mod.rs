//! Pure page arithmetic: the rows that are loaded around the cursor, how an answer of the history
//! joins them, and which page is wanted next. The history may hold millions; this holds a few
//! screens of it, newest first, without gaps.

use std::collections::{BTreeSet, VecDeque};

use podtap_agent::history::{Anchor, HistoryRow, Position};

use super::effect::ListPage;

/// Rows asked for at once.
pub(crate) const PAGE: usize = 256;

/// Rows kept at most; those farthest from the cursor go.
pub(crate) const MAX_ROWS: usize = 4 * PAGE;

/// Rows from the edge at which the next page is asked for: beyond a screen of any size.
const MARGIN: usize = 128;

/// Events that were passed over may pass the filter later, when their attempt has ended: so many of
/// the newest are looked at again where it is not known which have changed.
const LATELY: i64 = 10_000;

/// Positions a row from which on the rows lie far apart.
const SPARSE: i64 = 4;

/// Of no position is anything known.
const NOTHING: (i64, i64) = (0, 0);

/// The rows that are loaded.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowWindow {
    rows: VecDeque<HistoryRow>,
    /// Between these two, both excluded, the rows are all that there are; `MIN` and `MAX` stand
    /// for the ends of the history.
    known: (i64, i64),
    /// The newest event when the newest rows were read, whether it is among them or not.
    seen: i64,
    /// Rows that may have changed since they were read.
    stale: BTreeSet<Position>,
}

impl RowWindow {
    /// How many rows are loaded.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is loaded.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row at an index, 0 being the newest.
    pub(crate) fn row(&self, index: usize) -> Option<&HistoryRow> {
        self.rows.get(index)
    }

    /// All loaded rows, newest first.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = &HistoryRow> + Clone {
        self.rows.iter()
    }

    /// Whether the first row is the newest of all.
    pub(crate) fn reaches_newest(&self) -> bool {
        self.known.1 == i64::MAX
    }

    /// Whether the last row is the oldest of all.
    pub(crate) fn reaches_oldest(&self) -> bool {
        self.known.0 == i64::MIN
    }

    /// Whether the rows are all that there are.
    pub(crate) fn is_whole(&self) -> bool {
        self.reaches_newest() && self.reaches_oldest()
    }

    /// The position of the first row.
    pub(crate) fn newest(&self) -> Option<Position> {
        self.rows.front().map(HistoryRow::position)
    }

    /// The position of the oldest event for which the last row stands.
    pub(crate) fn oldest(&self) -> Option<Position> {
        self.rows.back().map(HistoryRow::oldest)
    }

    /// The index of the row that shows `position`, or of the next older one, or of the last.
    pub(crate) fn nearest(&self, position: Position) -> Option<usize> {
        let index = self.rows.partition_point(|row| row.oldest() > position);
        let last = self.rows.len().checked_sub(1)?;
        Some(index.min(last))
    }

    /// Puts a row among the others that they do not hold.
    pub(crate) fn insert(&mut self, row: HistoryRow) {
        let index = self
            .rows
            .partition_point(|it| it.position() > row.position());
        self.rows.insert(index, row);
    }

    /// Takes the row at this position away.
    pub(crate) fn remove(&mut self, position: Position) {
        self.rows.retain(|row| row.position() != position);
    }

    /// There are events up to `through`.
    pub(crate) fn on_appended(&mut self, through: Position) {
        if self.reaches_newest() && through.0 > self.seen {
            self.known.1 = self.seen.saturating_add(1);
        }
    }

    /// The event at `position` is not what it was. A new one that is not among the rows may pass
    /// the filter now.
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

    /// Nothing is known to be as it was: neither the rows nor what was passed over lately.
    pub(crate) fn on_everything_touched(&mut self) {
        self.stale = self.rows.iter().map(HistoryRow::position).collect();
        if self.reaches_newest() {
            let lately = self.seen.saturating_add(1).saturating_sub(LATELY);
            let newest = self.newest().map_or(i64::MIN, |newest| newest.0);
            let known = newest.max(self.known.0).saturating_add(1);
            self.known.1 = known.max(lately);
        }
    }

    /// The page to ask for next, most urgent first: the newest when following, changed rows on
    /// the screen, then whatever the screen is about to reach.
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

    /// Whether the filter lets much through: then the newest page is found at once, and else only
    /// what is new is worth looking at.
    fn is_dense(&self) -> bool {
        let (Some(newest), Some(oldest)) = (self.newest(), self.oldest()) else {
            return false;
        };
        let rows = i64::try_from(self.rows.len()).unwrap_or(i64::MAX);
        let newest = newest.0.max(self.seen);
        newest.saturating_sub(oldest.0) <= rows.saturating_mul(SPARSE)
    }

    /// Joins the answer to a query for `limit` rows at `anchor`; a page that has a gap between it
    /// and the loaded rows takes their place.
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

    /// Drops the rows farthest from the index `cursor` where there are too many.
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

/// What a page speaks for: every position between these two, both excluded.
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
    // A burst that has grown across the edge is there as a whole.
    (
        low.min(just_below.unwrap_or(low)),
        high.max(just_above.unwrap_or(high)),
    )
}

#[cfg(test)]
mod tests;
