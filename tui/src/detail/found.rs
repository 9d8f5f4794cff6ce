//! What was found out about an event when somebody asked: it takes the place of the tab Diff until
//! something else is asked about the same event, or another event is opened.

use podtap_agent::EventId;

use super::{Detail, Tab};
use crate::line::Line;

/// Lines about one event, kept whole so that they can be laid out for another width.
#[derive(Debug, Clone)]
pub(super) struct Found {
    event: EventId,
    lines: Vec<Line>,
    /// The lines laid out, and for which width.
    sheet: Vec<Line>,
    width: usize,
}

impl Detail {
    /// Shows what was found out about an event, in the tab Diff.
    pub(crate) fn show_found(&mut self, event: EventId, lines: Vec<Line>) {
        self.found = Some(Found {
            event,
            lines,
            sheet: Vec::new(),
            width: 0,
        });
        self.open_tab(Tab::Diff);
        // The rest of the detail may tell of it too.
        self.stale = true;
    }

    /// The lines of the open tab.
    pub(crate) fn lines(&self) -> &[Line] {
        let Some(opened) = self.opened() else {
            return &[];
        };
        match &self.found {
            Some(found) if self.tab == Tab::Diff && found.event == opened.event.id => &found.sheet,
            _ => opened.sheet(self.tab),
        }
    }

    /// Lays what was found out for this width, and forgets it with its event.
    pub(super) fn lay_out_found(&mut self, selected: EventId, width: usize) {
        self.found = self.found.take().filter(|found| found.event == selected);
        if let Some(found) = self.found.as_mut().filter(|found| found.width != width) {
            let lines = found.lines.iter().cloned();
            found.sheet = lines.flat_map(|line| line.wrap(width)).collect();
            found.width = width;
        }
    }
}
