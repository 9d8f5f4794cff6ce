//! A table of the failed deliveries with one row per fault: how many, the
//! answer, and the probable cause.

mod effect;
#[cfg(test)]
mod scenes;
mod view;

use podtap_agent::history::{FailureGroup, Failures};
use ratatui::layout::Rect;

use crate::keymap::Action;
use crate::widget::cursor;
pub(crate) use effect::{FaultsAnswer, FaultsEffect, run};
pub(crate) use view::{area, view};

/// Ticks between two requests. Each request reads answers from the history.
const TICKS: u8 = 5;

/// The open table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FaultsPane {
    failures: Option<Box<Failures>>,
    failure: Option<String>,
    /// The fingerprint of the row under the cursor; `None` until a person moves the cursor.
    selected: Option<String>,
    /// The first row on the screen after the last move.
    top: usize,
    is_asked: bool,
    /// Ticks until the next request.
    fresh: u8,
}

impl FaultsPane {
    /// Returns the next request: one every few seconds while the table is open.
    pub(crate) fn ask(&mut self) -> Option<FaultsEffect> {
        if self.is_asked || self.fresh > 0 {
            return None;
        }
        (self.is_asked, self.fresh) = (true, TICKS);
        Some(FaultsEffect::Group)
    }

    /// Handles a tick of the clock.
    pub(crate) fn tick(&mut self) {
        self.fresh = self.fresh.saturating_sub(1);
    }

    /// Handles the answer. If the history cannot be read, the rows stay.
    pub(crate) fn on_answer(&mut self, answer: FaultsAnswer) {
        self.is_asked = false;
        let FaultsAnswer::Grouped(result) = answer;
        match result {
            Ok(failures) => (self.failures, self.failure) = (Some(failures), None),
            Err(error) => self.failure = Some(error),
        }
    }

    /// Returns the filter that shows the events of the row under the cursor.
    pub(crate) fn filter(&self) -> Option<String> {
        let group = self.selected_group()?;
        Some(format!("failure:{}", group.fingerprint))
    }

    /// Moves the cursor.
    pub(crate) fn act(&mut self, action: Action, screen: Rect) {
        let height = view::height(screen).max(1);
        if let Some(row) = cursor::step(action, self.cursor(), self.rows().len(), height) {
            self.go_to(row, height);
        }
    }

    /// Selects the row on a line of the window that was clicked, and returns its index.
    pub(crate) fn click(&mut self, line: usize, screen: Rect) -> Option<usize> {
        let height = view::height(screen).max(1);
        let row = cursor::clicked_row(line, self.first(height), self.rows().len(), height)?;
        self.go_to(row, height);
        Some(row)
    }

    fn selected_group(&self) -> Option<&FailureGroup> {
        self.rows().get(self.cursor())
    }

    fn go_to(&mut self, row: usize, height: usize) {
        let group = self.rows().get(row);
        self.selected = group.map(|group| group.fingerprint.clone());
        self.top = self.first(height);
    }

    fn rows(&self) -> &[FailureGroup] {
        let failures = self.failures.as_ref();
        failures
            .map(|failures| failures.groups.as_slice())
            .unwrap_or_default()
    }

    /// Returns the index of the selected row, whose place may have changed.
    fn cursor(&self) -> usize {
        let is_selected = |row: &FailureGroup| Some(&row.fingerprint) == self.selected.as_ref();
        self.rows().iter().position(is_selected).unwrap_or(0)
    }

    /// Returns the first row to show in `height` rows, so that the cursor is among them.
    fn first(&self, height: usize) -> usize {
        cursor::first(self.top, self.cursor(), height)
    }
}
