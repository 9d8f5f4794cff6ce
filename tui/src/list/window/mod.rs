//! Pure page arithmetic: the rows that are loaded around the cursor, how an answer of the history
//! joins them, and which page is wanted next. The history may hold millions; this holds a few
//! screens of it, newest first, without gaps.

use std::collections::{BTreeSet, VecDeque};

use podtap_agent::history::{Anchor, EventRow, Position};

/// Rows asked for at once.
pub(crate) const PAGE: usize = 256;

/// Rows kept at most; those farthest from the cursor go.
pub(crate) const MAX_ROWS: usize = 4 * PAGE;

/// Rows from the edge at which the next page is asked for: beyond a screen of any size.
const MARGIN: usize = 128;

/// The rows that are loaded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    rows: VecDeque<EventRow>,
    /// Between these two, both excluded, the rows are all that there are; `MIN` and `MAX` stand
    /// for the ends of the history.
    known: (i64, i64),
    /// Rows that may have changed since they were read.
    stale: BTreeSet<Position>,
}

impl Window {
    /// How many rows are loaded.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing is loaded.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row at an index, 0 being the newest.
    pub(crate) fn row(&self, index: usize) -> Option<&EventRow> {
        self.rows.get(index)
    }

    /// All loaded rows, newest first.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = &EventRow> {
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

    /// The position of the first row.
    pub(crate) fn newest(&self) -> Option<Position> {
        self.rows.front().map(|row| row.position)
    }

    /// The position of the oldest event for which the last row stands.
    pub(crate) fn oldest(&self) -> Option<Position> {
        self.rows.back().map(EventRow::oldest)
    }

    /// The index of the row that shows `position`, or of the next older one, or of the last.
    pub(crate) fn nearest(&self, position: Position) -> Option<usize> {
        let index = self.rows.partition_point(|row| row.oldest() > position);
        let last = self.rows.len().checked_sub(1)?;
        Some(index.min(last))
    }

    /// There are events up to `through`.
    pub(crate) fn appended(&mut self, through: Position) {
        match self.newest() {
            Some(newest) if newest < through => self.known.1 = newest.0.saturating_add(1),
            Some(_) => {}
            None => self.known = (0, 0),
        }
    }

    /// The event at `position` is not what it was.
    pub(crate) fn touched(&mut self, position: Position) {
        let row = self.nearest(position).and_then(|index| self.row(index));
        let shown = row.filter(|row| (row.oldest()..=row.position).contains(&position));
        self.stale.extend(shown.map(|row| row.position));
    }

    /// Nothing is known to be as it was.
    pub(crate) fn touched_all(&mut self) {
        self.stale = self.rows.iter().map(|row| row.position).collect();
        self.known = match (self.oldest(), self.newest()) {
            (Some(oldest), Some(newest)) => {
                (oldest.0.saturating_sub(1), newest.0.saturating_add(1))
            }
            _ => (0, 0),
        };
    }

    /// The page to ask for next, most urgent first: the newest when following, changed rows on
    /// the screen, then whatever the screen is about to reach.
    pub(crate) fn wanted(&self, follow: bool, first: usize, height: usize) -> Option<Anchor> {
        let (Some(newest), Some(oldest)) = (self.newest(), self.oldest()) else {
            return (!self.reaches_newest()).then_some(Anchor::Newest);
        };
        let mut shown = self
            .rows
            .iter()
            .skip(first)
            .take(height.max(1))
            .map(|row| row.position);
        let changed = shown.find(|position| self.stale.contains(position));
        if follow && (!self.reaches_newest() || changed.is_some()) {
            Some(Anchor::Newest)
        } else if let Some(Position(changed)) = changed {
            Some(Anchor::Before(Position(changed.saturating_add(1))))
        } else if !self.reaches_newest() && first < MARGIN {
            Some(Anchor::After(newest))
        } else if !self.reaches_oldest() && first + height + MARGIN > self.rows.len() {
            Some(Anchor::Before(oldest))
        } else {
            None
        }
    }

    /// Joins the answer to a query for `limit` rows at `anchor`; a page that has a gap between it
    /// and the loaded rows takes their place.
    pub(crate) fn merge(&mut self, anchor: Anchor, limit: usize, page: Vec<EventRow>) {
        let (low, high) = span(anchor, limit, &page);
        let joins = low < self.known.1 && self.known.0 < high;
        let (mut newer, mut older) = (VecDeque::new(), VecDeque::new());
        if joins {
            for row in self.rows.drain(..) {
                if row.position.0 >= high {
                    newer.push_back(row);
                } else if row.position.0 <= low {
                    older.push_back(row);
                }
            }
            self.known = (self.known.0.min(low), self.known.1.max(high));
        } else {
            self.known = (low, high);
            self.stale.clear();
        }
        newer.extend(page);
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
                _ => (0, 0),
            };
        }
        let (oldest, newest) = (self.oldest(), self.newest());
        self.stale
            .retain(|stale| Some(*stale) >= oldest && Some(*stale) <= newest);
    }
}

/// What a page speaks for: every position between these two, both excluded.
fn span(anchor: Anchor, limit: usize, page: &[EventRow]) -> (i64, i64) {
    let whole = page.len() < limit;
    let just_below = page.last().map(|row| row.oldest().0.saturating_sub(1));
    let just_above = page.first().map(|row| row.position.0.saturating_add(1));
    let below = just_below.filter(|_| !whole).unwrap_or(i64::MIN);
    let above = just_above.filter(|_| !whole).unwrap_or(i64::MAX);
    let (low, high) = match anchor {
        Anchor::Newest => (below, i64::MAX),
        Anchor::Before(position) => (below, position.0),
        Anchor::After(position) => (position.0, above),
        Anchor::Around(middle) => {
            let newer = page.partition_point(|row| row.position > middle);
            let above = just_above.filter(|_| newer >= limit / 2);
            (below, above.unwrap_or(i64::MAX))
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
