//! What was found out about an event when somebody asked: it takes the place of the tab Diff until
//! something else is asked about the same event, or another event is opened.

use podtap_agent::EventId;

use super::render_options::RenderOptions;
use super::rows::Rows;
use super::{Detail, Tab};
use crate::line::Line;

/// Lines about one event, kept whole so that they can be laid out for another width.
#[derive(Debug, Clone)]
pub(super) struct FindingLines {
    event: EventId,
    lines: Vec<Line>,
    /// The lines laid out, and how.
    sheet: Option<(Rows, RenderOptions)>,
}

impl Detail {
    /// Shows what was found out about an event, in the tab Diff.
    pub(crate) fn show_finding(&mut self, event: EventId, lines: Vec<Line>) {
        self.finding = Some(FindingLines {
            event,
            lines,
            sheet: None,
        });
        self.open_tab(Tab::Diff);
        // The rest of the detail may tell of it too.
        self.stale = true;
    }

    /// The rows of the open tab.
    pub(crate) fn rows(&self) -> &Rows {
        let Some(opened) = self.opened() else {
            return Rows::none();
        };
        match &self.finding {
            Some(found) if self.tab == Tab::Diff && found.event == opened.event.id => {
                found.sheet.as_ref().map_or(Rows::none(), |(rows, _)| rows)
            }
            _ => opened.sheet(self.tab),
        }
    }

    /// Whether the open tab would tell what changed, had anybody asked.
    pub(super) fn lacks_diff(&self) -> bool {
        let is_told = self.opened().is_none_or(|opened| opened.is_explained);
        self.tab == Tab::Diff && !is_told && self.finding.is_none()
    }

    /// Lays what was found out, and forgets it with its event.
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
