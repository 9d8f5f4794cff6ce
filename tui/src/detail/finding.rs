//! Shows an explanation or a comparison that a person asked for. It replaces the tab Diff until the
//! person asks for another one or opens another event.

use podtap_agent::EventId;

use super::render_options::RenderOptions;
use super::rows::Rows;
use super::{Detail, Tab};
use crate::line::Line;

/// Lines about one event, kept in full so that they can be laid out for another width.
#[derive(Debug, Clone)]
pub(super) struct FindingLines {
    event: EventId,
    lines: Vec<Line>,
    /// The laid-out rows, and the options for which they were laid out.
    sheet: Option<(Rows, RenderOptions)>,
}

impl Detail {
    /// Shows lines about an event in the tab Diff.
    pub(crate) fn show_finding(&mut self, event: EventId, lines: Vec<Line>) {
        self.finding = Some(FindingLines {
            event,
            lines,
            sheet: None,
        });
        self.open_tab(Tab::Diff);
        // An explanation may change the other tabs too.
        self.stale = true;
    }

    /// Returns the rows of the open tab.
    pub(crate) fn rows(&self) -> &Rows {
        let Some(opened) = self.open_event() else {
            return Rows::none();
        };
        match &self.finding {
            Some(found) if self.tab == Tab::Diff && found.event == opened.event.id => {
                found.sheet.as_ref().map_or(Rows::none(), |(rows, _)| rows)
            }
            _ => opened.sheet(self.tab),
        }
    }

    /// Returns whether the open tab is Diff and has nothing to show,
    /// because neither an explanation nor a comparison was requested.
    pub(super) fn lacks_diff(&self) -> bool {
        let is_told = self.open_event().is_none_or(|opened| opened.is_explained);
        self.tab == Tab::Diff && !is_told && self.finding.is_none()
    }

    /// Lays the lines out again if necessary. Drops them if another event is selected.
    pub(super) fn lay_out_finding(&mut self, selected: EventId, options: RenderOptions) {
        let before = self.finding.is_some();
        self.finding = self.finding.take().filter(|found| found.event == selected);
        let is_laid_out =
            |found: &FindingLines| matches!(&found.sheet, Some((_, so)) if *so == options);
        let is_other = match &mut self.finding {
            Some(found) if !is_laid_out(found) => {
                found.sheet = Some((Rows::lay_out(found.lines.clone(), options), options));
                true
            }
            found => before && found.is_none(),
        };
        if is_other && self.tab == Tab::Diff {
            self.end_selection();
            self.look_again();
        }
    }
}
