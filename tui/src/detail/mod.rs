//! Holds the state of the open event: which event, which tab, and the scroll position. The tabs are
//! laid out outside the UI loop ([`OpenEvent`]); this module only moves over finished lines.

mod attempts;
mod body;
mod diff;
mod effect;
mod find;
mod finding;
mod hex;
mod hits;
mod json;
#[cfg(test)]
mod large;
mod render_options;
mod rows;
#[cfg(test)]
mod scenes;
mod select;
mod sheet;
mod summary;
mod update;
mod view;

use podtap_agent::EventId;
use podtap_agent::history::Event;

pub(crate) use diff::explanation_lines;
pub(crate) use effect::{DetailAnswer, DetailEffect, read_event, run};
use find::Find;
use finding::FindingLines;
pub(crate) use render_options::{BodyForm, RenderOptions};
use select::RowSelection;
#[cfg(test)]
pub(crate) use sheet::FullEvent;
pub(crate) use sheet::OpenEvent;
pub(crate) use view::{DetailProps, view};

use crate::generation::Generation;
use crate::line::cells;

/// Cells between two tabs.
const TAB_GAP: usize = 2;

/// A tab of the detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tab {
    /// What happened, to which object, and the outcome of the delivery.
    #[default]
    Summary,
    /// The fields of the webhook's form.
    Params,
    /// The request as received.
    Request,
    /// The answer to the last attempt.
    Response,
    /// Every attempt.
    Attempts,
    /// What changed in Podio, or how the event differs from another one.
    Diff,
}

impl Tab {
    /// Every tab, in the order of the keys.
    pub(crate) const ALL: [Self; 6] = [
        Self::Summary,
        Self::Params,
        Self::Request,
        Self::Response,
        Self::Attempts,
        Self::Diff,
    ];

    /// Returns the title of the tab.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Summary => "Summary",
            Self::Params => "Params",
            Self::Request => "Request",
            Self::Response => "Response",
            Self::Attempts => "Attempts",
            Self::Diff => "Diff",
        }
    }

    /// Returns the number of cells between two tabs on a row of `room` cells: fewer if the
    /// last tab would not fit otherwise.
    pub(crate) fn gap(room: u16) -> usize {
        let titles: usize = Self::ALL.iter().map(|tab| tab.title().len()).sum();
        let gaps = (Self::ALL.len() - 1) * TAB_GAP;
        if titles + gaps <= usize::from(room) {
            TAB_GAP
        } else {
            1
        }
    }

    /// Returns the number of cells of the tab on the row of tabs, including the gap after it.
    pub(crate) fn cells(self, room: u16) -> u16 {
        cells(self.title().len() + Self::gap(room))
    }

    fn index(self) -> usize {
        Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0)
    }

    fn beside(self, steps: usize) -> Self {
        let index = (self.index() + steps) % Self::ALL.len();
        Self::ALL.get(index).copied().unwrap_or_default()
    }
}

/// The detail's state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Detail {
    tab: Tab,
    /// The first row on the screen.
    top: usize,
    /// Number of cells to the left of the screen's edge.
    left: usize,
    /// Whether long lines continue beyond the edge instead of on the next row.
    unwrapped: bool,
    /// The form of the bodies that a person chose, and the event for which they chose it.
    /// Other events use [`BodyForm::Auto`].
    form: Option<(EventId, BodyForm)>,
    /// The attempt that a person chose, and its event.
    attempt: Option<(EventId, u32)>,
    selection: Option<RowSelection>,
    /// The row in which the mouse button was pressed.
    pressed: Option<usize>,
    /// The event that is shown. It stays until the next one is loaded, so
    /// that the screen does not flicker.
    opened: Option<Box<OpenEvent>>,
    stale: bool,
    /// Whether the shown event is no longer in the history.
    is_gone: bool,
    /// The explanation or comparison that a person asked for.
    finding: Option<FindingLines>,
    find: Find,
    generation: Generation,
    asked: Option<(Generation, EventId)>,
    failure: Option<String>,
}

impl Detail {
    /// Returns the event that is shown.
    pub(crate) fn open_event(&self) -> Option<&OpenEvent> {
        self.opened.as_deref()
    }

    /// Returns the event with this id, if it is the one that is shown.
    pub(crate) fn opened_event(&self, id: EventId) -> Option<&Event> {
        let opened = self.open_event()?;
        (opened.event.id == id).then_some(&opened.event)
    }

    /// Returns the first row on a screen of `height` lines.
    pub(crate) fn first(&self, height: usize) -> usize {
        self.top.min(self.rows().len().saturating_sub(height))
    }

    /// Returns the number of cells to the left of the screen's edge.
    pub(crate) fn scrolled_cells(&self) -> usize {
        self.left
            .min(self.rows().widest().saturating_sub(self.width()))
    }

    /// Returns the number of cells per line for which the rows are laid out.
    fn width(&self) -> usize {
        self.open_event().map_or(0, |opened| opened.options.width)
    }

    /// Returns the form in which to show the bodies of this event.
    fn form(&self, id: EventId) -> BodyForm {
        let chosen = self.form.filter(|(of, _)| *of == id);
        chosen.map(|(_, form)| form).unwrap_or_default()
    }
}
