//! The list of events: a window of rows from the history, a cursor, and whether the
//! cursor follows the newest event.

mod choice;
mod effect;
mod filtering;
mod fold;
mod hold;
pub(crate) mod marks;
mod row;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
mod update;
mod view;
pub(crate) mod window;

use podtap_agent::EventId;
use podtap_agent::history::{
    Anchor, DeliveryState, EventRow, Filter, HistoryGap, HistoryRow, HoldReason, PageQuery,
    Position,
};

pub(crate) use choice::EventChoice;
#[cfg(test)]
pub(crate) use effect::Folding;
pub(crate) use effect::{FindPurpose, ListAnswer, ListEffect, ListPage, ReplayOptions, run};
use filtering::{BeforeTyping, ShownEvents};
use marks::Marks;
pub(crate) use view::{ListProps, view};
use window::RowWindow;

use crate::changes::Changes;
use crate::generation::Generation;

/// Minimum number of rows between the cursor and the edge of the screen,
/// unless the list ends there.
const SCROLL_MARGIN: usize = 2;

/// The list's state.
#[derive(Debug, Clone)]
pub(crate) struct List {
    window: RowWindow,
    /// The filter to apply.
    filter: Filter,
    /// The filter that the loaded rows match. It differs from `filter` until
    /// that filter's first rows are loaded.
    shown: Filter,
    /// The selected row as it was last read; `None` while there are no rows. Unless the list
    /// follows the newest event, only a person changes which row it is.
    selected: Option<HistoryRow>,
    /// Whether the selected event is in the list only because it is selected: it was removed from
    /// the history, or does not match the filter.
    is_stray: bool,
    /// Number of rows on the screen above the cursor.
    lead: usize,
    /// Whether the cursor stays on the newest event.
    follow: bool,
    /// The place to which the list moves with the next page.
    goal: Option<Goal>,
    /// The rows that were found on the way to the goal, while there are none to show yet.
    incoming: Option<RowWindow>,
    /// The state of the list before a person began to type a filter.
    before: Option<BeforeTyping>,
    /// The filter that was tried last, if no event matches it.
    without_matches: Option<Filter>,
    /// The goal of `incoming`, while the search for rows there has found none yet.
    pursued: Option<Goal>,
    generation: Generation,
    asked: Option<RequestedPage>,
    /// Changes that came while a page was being read, and that the page may not include.
    missed: Changes,
    marks: Marks,
    scope: ShownEvents,
    /// Bursts that a person opened, each with its first and last position.
    opened: Vec<(Position, Position)>,
    /// The filter whose events are being counted.
    counting: Option<Filter>,
    count_stale: bool,
    /// Ticks until the events may be counted again.
    count_pause: u64,
    /// The number of matching events, and the newest position at the time of the count.
    counted: Option<(u64, Position)>,
    /// The total when the list stopped following the newest event.
    seen: Option<u64>,
    /// Why the history could not be read. Nothing is requested until the next tick.
    failure: Option<String>,
}

/// The place to which the list moves with the next page, which then replaces the loaded rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Newest,
    Oldest,
    /// The burst into which the selected event was folded, or the event in
    /// the burst that was opened.
    Folded(Position),
    /// The selected event if it matches the filter, otherwise the newest event.
    Passing(Position),
    /// The selected event, which stays selected even if it does not match the filter.
    Held(Position),
}

impl Goal {
    fn anchor(self) -> Anchor {
        match self {
            Self::Newest => Anchor::Newest,
            Self::Oldest => Anchor::After(Position(i64::MIN)),
            Self::Folded(at) | Self::Passing(at) | Self::Held(at) => Anchor::Around(at),
        }
    }
}

/// The request for a page that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RequestedPage {
    generation: Generation,
    query: PageQuery,
    goal: Option<Goal>,
}

impl Default for List {
    fn default() -> Self {
        Self {
            window: RowWindow::default(),
            filter: Filter::default(),
            shown: Filter::default(),
            selected: None,
            is_stray: false,
            lead: 0,
            follow: true,
            goal: None,
            incoming: None,
            before: None,
            without_matches: None,
            pursued: None,
            generation: 0,
            asked: None,
            missed: Changes::default(),
            marks: Marks::default(),
            scope: ShownEvents::default(),
            opened: Vec::new(),
            counting: None,
            count_stale: true,
            count_pause: 0,
            counted: None,
            seen: None,
            failure: None,
        }
    }
}

impl List {
    /// Returns the selected event or burst; `None` if a gap is selected.
    pub(crate) fn selected_event(&self) -> Option<&EventRow> {
        self.selected_row()?.event()
    }

    /// Returns the selected gap; `None` if an event is selected.
    pub(crate) fn selected_gap(&self) -> Option<&HistoryGap> {
        self.selected_row()?.gap()
    }

    /// Returns the gap that is newer than every event, if there is one.
    pub(crate) fn newest_gap(&self) -> Option<&HistoryGap> {
        let newest = self
            .window
            .row(0)
            .filter(|_| self.window.reaches_newest())?;
        newest.gap()
    }

    /// Returns the selected row, which is an event or a gap.
    pub(crate) fn selected_row(&self) -> Option<&HistoryRow> {
        self.selected.as_ref()
    }

    /// Returns the rows that are being loaded.
    fn incoming(&self) -> &RowWindow {
        self.incoming.as_ref().unwrap_or(&self.window)
    }

    /// Returns a loaded event.
    pub(crate) fn event(&self, id: EventId) -> Option<&EventRow> {
        let mut events = self.window.rows().filter_map(HistoryRow::event);
        events.find(|row| row.id == id)
    }

    /// Returns the loaded rows.
    pub(crate) fn window(&self) -> &RowWindow {
        &self.window
    }

    /// Returns whether the cursor stays on the newest event.
    pub(crate) fn follows(&self) -> bool {
        self.follow
    }

    /// Returns whether a loaded event is held because there was no service for it.
    pub(crate) fn has_held(&self) -> bool {
        self.window.rows().any(|row| {
            let HistoryRow::Event(row) = row else {
                return false;
            };
            let lacks_a_service = matches!(row.insight.hold, None | Some(HoldReason::NoRoute));
            row.state == DeliveryState::Held && row.attempts == 0 && lacks_a_service
        })
    }

    /// Returns whether the history has not answered yet.
    pub(crate) fn is_loading(&self) -> bool {
        self.window.is_empty() && !self.window.is_whole() && self.failure.is_none()
    }

    /// Returns whether the search for rows that match the filter is still running and has not
    /// filled a screen of `height` rows.
    pub(crate) fn is_searching(&self, height: usize) -> bool {
        let is_looking = self.asked.is_some() && !self.incoming().is_whole();
        is_looking && !self.shows_all() && self.window.len() < height
    }

    /// Returns whether none of the rows for the current filter or goal are loaded yet.
    pub(crate) fn is_coming(&self) -> bool {
        self.goal.is_some() || self.is_loading()
    }

    /// Returns the filter to apply.
    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Returns the number of events that match the filter; `None` until they are counted.
    pub(crate) fn total(&self) -> Option<u64> {
        let (total, through) = self.counted?;
        Some(total + self.newer_than(through))
    }

    /// Returns the number of loaded events that are newer than this position.
    fn newer_than(&self, through: Position) -> u64 {
        let rows = self
            .window
            .rows()
            .filter_map(HistoryRow::event)
            .filter(|row| !self.is_stray(row.position));
        let newer = rows.take_while(|row| row.position > through);
        let events = newer.map(|row| {
            let before = row.oldest().0.saturating_sub(1).max(through.0);
            u64::try_from(row.position.0.saturating_sub(before)).unwrap_or(0)
        });
        events.sum()
    }

    /// Returns whether the history has no events.
    pub(crate) fn is_history_empty(&self) -> bool {
        self.window.is_empty() && self.shows_all() && !self.is_loading()
    }

    /// Returns whether the filter matches every event.
    pub(crate) fn shows_all(&self) -> bool {
        self.filter.is_empty()
    }

    /// Returns the number of events that arrived since the list stopped following the newest event.
    pub(crate) fn unseen_count(&self) -> u64 {
        match (self.follow, self.total(), self.seen) {
            (false, Some(total), Some(seen)) => total.saturating_sub(seen),
            _ => 0,
        }
    }

    /// Returns the index of the first row on a screen of `height` rows.
    pub(crate) fn first(&self, height: usize) -> usize {
        let index = self.index().unwrap_or(0);
        let lead = self.lead.min(height.saturating_sub(1));
        let last_start = self.window.len().saturating_sub(height);
        index.saturating_sub(lead).min(last_start)
    }

    /// Returns the events on a screen of `height` rows.
    pub(crate) fn in_sight(&self, height: usize) -> impl Iterator<Item = &EventRow> + Clone {
        let rows = self.window.rows().skip(self.first(height)).take(height);
        rows.filter_map(HistoryRow::event)
    }

    /// Returns the position of the selected row.
    fn cursor(&self) -> Option<Position> {
        self.selected.as_ref().map(HistoryRow::position)
    }

    /// Returns the index of the selected row among the loaded rows.
    pub(crate) fn index(&self) -> Option<usize> {
        self.window.nearest(self.cursor()?)
    }
}
