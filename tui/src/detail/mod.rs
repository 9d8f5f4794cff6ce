//! The open event: which one, which tab, how far it is scrolled. What the tabs say is laid out off
//! the loop ([`OpenEvent`]); this only moves over finished lines.

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
    /// What happened, to what, and what came of it.
    #[default]
    Summary,
    /// The fields of the form.
    Params,
    /// The request as it came.
    Request,
    /// The answer to the last attempt.
    Response,
    /// Every attempt.
    Attempts,
    /// What changed, or how the event differs from another.
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

    /// What stands on it.
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

    /// Cells between two tabs on a row of `room` cells: less air where the last one would not fit.
    pub(crate) fn gap(room: u16) -> usize {
        let titles: usize = Self::ALL.iter().map(|tab| tab.title().len()).sum();
        let gaps = (Self::ALL.len() - 1) * TAB_GAP;
        if titles + gaps <= usize::from(room) {
            TAB_GAP
        } else {
            1
        }
    }

    /// Cells that it takes on the row of tabs, with the gap after it.
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
    /// The cells that are beyond the left edge of the screen.
    left: usize,
    /// Whether lines go on beyond the edge instead of below.
    unwrapped: bool,
    /// The form in which the bodies of an event are looked at; of any other, the one that suits.
    form: Option<(EventId, BodyForm)>,
    /// The attempt that was chosen, of which event.
    attempt: Option<(EventId, u32)>,
    selection: Option<RowSelection>,
    /// The row in which the mouse's button went down.
    pressed: Option<usize>,
    /// What is shown; stays until its successor has come, so that nothing flickers.
    opened: Option<Box<OpenEvent>>,
    stale: bool,
    /// Whether the history no longer holds what is shown.
    is_gone: bool,
    /// What was found out when somebody asked.
    finding: Option<FindingLines>,
    find: Find,
    generation: Generation,
    asked: Option<(Generation, EventId)>,
    failure: Option<String>,
}

impl Detail {
    /// The event that is shown.
    pub(crate) fn opened(&self) -> Option<&OpenEvent> {
        self.opened.as_deref()
    }

    /// The event with this id, if it is the one that is shown.
    pub(crate) fn opened_event(&self, id: EventId) -> Option<&Event> {
        let opened = self.opened()?;
        (opened.event.id == id).then_some(&opened.event)
    }

    /// The first row on a screen of `height` lines.
    pub(crate) fn first(&self, height: usize) -> usize {
        self.top.min(self.rows().len().saturating_sub(height))
    }

    /// The cells that are beyond the left edge of the screen.
    pub(crate) fn left(&self) -> usize {
        self.left
            .min(self.rows().widest().saturating_sub(self.width()))
    }

    /// Cells of a line on the screen for which the rows are laid out.
    fn width(&self) -> usize {
        self.opened().map_or(0, |opened| opened.options.width)
    }

    /// The form in which the bodies of this event are to be looked at.
    fn form(&self, id: EventId) -> BodyForm {
        let chosen = self.form.filter(|(of, _)| *of == id);
        chosen.map(|(_, form)| form).unwrap_or_default()
    }
}
