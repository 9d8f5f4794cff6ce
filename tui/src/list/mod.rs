//! The list of events: a window of the history, a cursor that is a place in it, and whether it
//! follows the newest.

mod choice;
mod effect;
mod filtering;
mod fold;
mod hold;
pub(crate) mod marks;
mod row;
#[cfg(test)]
mod tests;
mod update;
mod view;
pub(crate) mod window;

use podtap_agent::EventId;
use podtap_agent::history::{
    Anchor, EventRow, Filter, HistoryGap, HistoryRow, PageQuery, Position,
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

/// Rows between the cursor and the edge of the screen while there are more beyond it.
const SCROLL_MARGIN: usize = 2;

/// The list's state.
#[derive(Debug, Clone)]
pub(crate) struct List {
    window: RowWindow,
    /// Which events are wanted.
    filter: Filter,
    /// The filter that the loaded rows passed: another one until its first rows have come.
    shown: Filter,
    /// The selected row as it was last read; `None` while there are no rows. Unless the list
    /// follows the newest, it is the same until a person selects another one.
    selected: Option<HistoryRow>,
    /// Whether the selected event is among the rows only because it is selected: the history, or
    /// the filter, no longer holds it.
    is_stray: bool,
    /// Rows of the screen above the cursor.
    lead: usize,
    /// Whether the cursor stays on the newest event.
    follow: bool,
    /// Where the list goes with the next page.
    goal: Option<Goal>,
    /// The rows that were found on the way to the goal, while there are none to show yet.
    incoming: Option<RowWindow>,
    /// What the list was before the filter that is being typed.
    before: Option<BeforeTyping>,
    /// The filter that was tried last, where it wants nothing.
    without_matches: Option<Filter>,
    /// The goal that the loaded rows belong to, while the way there has not led to any yet.
    pursued: Option<Goal>,
    generation: Generation,
    asked: Option<Asked>,
    /// What changed while a page was being read, and so may be missing from it.
    missed: Changes,
    marks: Marks,
    scope: ShownEvents,
    /// Bursts that a person opened, from first to last.
    opened: Vec<(Position, Position)>,
    /// The filter whose events are being counted.
    counting: Option<Filter>,
    count_stale: bool,
    /// Ticks until the total may be counted again.
    count_pause: u64,
    /// How many events there were, up to which.
    counted: Option<(u64, Position)>,
    /// The total when following ended.
    seen: Option<u64>,
    /// The history could not be read, in words; nothing more is asked until the next tick.
    failure: Option<String>,
}

/// Where the list goes with the next page, which then takes the place of the rows that are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Newest,
    Oldest,
    /// To the burst that takes in the selected event, or the event in the burst that was opened.
    Folded(Position),
    /// To the selected event where the filter wants it, else to the newest.
    Passing(Position),
    /// To the selected event, which stays selected even where the filter does not want it.
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

/// The page that is being read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
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
    /// The selected event, or the burst; `None` also where that is a gap.
    pub(crate) fn selected(&self) -> Option<&EventRow> {
        self.selected_row()?.event()
    }

    /// The gap, where one is selected in place of an event.
    pub(crate) fn selected_gap(&self) -> Option<&HistoryGap> {
        self.selected_row()?.gap()
    }

    /// The gap that is newer than every event, if there is one.
    pub(crate) fn newest_gap(&self) -> Option<&HistoryGap> {
        let newest = self
            .window
            .row(0)
            .filter(|_| self.window.reaches_newest())?;
        newest.gap()
    }

    /// The selected row, event or gap.
    pub(crate) fn selected_row(&self) -> Option<&HistoryRow> {
        self.selected.as_ref()
    }

    /// The rows that are being loaded.
    fn incoming(&self) -> &RowWindow {
        self.incoming.as_ref().unwrap_or(&self.window)
    }

    /// A loaded event.
    pub(crate) fn event(&self, id: EventId) -> Option<&EventRow> {
        let mut events = self.window.rows().filter_map(HistoryRow::event);
        events.find(|row| row.id == id)
    }

    /// The loaded rows.
    pub(crate) fn window(&self) -> &RowWindow {
        &self.window
    }

    /// Whether the cursor stays on the newest event.
    pub(crate) fn follows(&self) -> bool {
        self.follow
    }

    /// Whether the first answer of the history is still to come.
    pub(crate) fn is_loading(&self) -> bool {
        self.window.is_empty() && !self.window.is_whole() && self.failure.is_none()
    }

    /// Whether a filter still looks for what could fill a screen of `height` rows.
    pub(crate) fn is_searching(&self, height: usize) -> bool {
        let is_looking = self.asked.is_some() && !self.incoming().is_whole();
        is_looking && !self.shows_all() && self.window.len() < height
    }

    /// Whether the rows of what is wanted now are still to come: none of them is there yet.
    pub(crate) fn is_coming(&self) -> bool {
        self.goal.is_some() || self.is_loading()
    }

    /// Which events are wanted.
    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// How many events there are for the filter, once they have been counted.
    pub(crate) fn total(&self) -> Option<u64> {
        let (total, through) = self.counted?;
        Some(total + self.newer_than(through))
    }

    /// The loaded events that came after this one.
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

    /// Whether the history holds no event.
    pub(crate) fn is_history_empty(&self) -> bool {
        self.window.is_empty() && self.shows_all() && !self.is_loading()
    }

    /// Whether the filter wants every event.
    pub(crate) fn shows_all(&self) -> bool {
        self.filter.is_empty()
    }

    /// Events that came since following ended.
    pub(crate) fn unseen(&self) -> u64 {
        match (self.follow, self.total(), self.seen) {
            (false, Some(total), Some(seen)) => total.saturating_sub(seen),
            _ => 0,
        }
    }

    /// The index of the first row on a screen of `height` rows.
    pub(crate) fn first(&self, height: usize) -> usize {
        let index = self.index().unwrap_or(0);
        let lead = self.lead.min(height.saturating_sub(1));
        let last_start = self.window.len().saturating_sub(height);
        index.saturating_sub(lead).min(last_start)
    }

    /// The events on a screen of `height` rows.
    pub(crate) fn in_sight(&self, height: usize) -> impl Iterator<Item = &EventRow> + Clone {
        let rows = self.window.rows().skip(self.first(height)).take(height);
        rows.filter_map(HistoryRow::event)
    }

    /// Where the selected event is.
    fn cursor(&self) -> Option<Position> {
        self.selected.as_ref().map(HistoryRow::position)
    }

    /// The selected row's index among the loaded ones.
    pub(crate) fn index(&self) -> Option<usize> {
        self.window.nearest(self.cursor()?)
    }
}
