//! A table of the hooks with one row per hook and event type: calls, failures, answer times, a
//! sparkline, and how close each is to the limits at which Podio stops calling it.

mod about;
mod columns;
mod effect;
mod row;
#[cfg(test)]
mod scenes;
mod view;

use podtap_agent::figures::{HookTraffic, Traffic};
use ratatui::layout::Rect;

use crate::keymap::Action;
use crate::widget::cursor;
pub(crate) use effect::{PulsesAnswer, PulsesEffect, run};
pub(crate) use view::{area, view};

/// The identity of a row, which stays the same from one answer to the next.
type HookTrafficKey = (Option<u64>, Option<String>);

/// The open table.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Pulses {
    traffic: Option<Box<Traffic>>,
    failure: Option<String>,
    /// The row under the cursor; `None` until a person moves the cursor.
    selected: Option<HookTrafficKey>,
    /// The first row on the screen after the last move.
    top: usize,
    is_asked: bool,
    /// Whether there was a request since the last tick.
    is_fresh: bool,
}

// Shares and rates are computed from whole numbers, so that none of them is NaN.
impl Eq for Pulses {}

impl Pulses {
    /// Returns the next request: one per second while the table is open.
    pub(crate) fn ask(&mut self) -> Option<PulsesEffect> {
        if self.is_asked || self.is_fresh {
            return None;
        }
        (self.is_asked, self.is_fresh) = (true, true);
        Some(PulsesEffect::Count)
    }

    /// Handles a tick of the clock.
    pub(crate) fn tick(&mut self) {
        self.is_fresh = false;
    }

    /// Handles the answer. If the calls cannot be counted, the rows stay.
    pub(crate) fn on_answer(&mut self, answer: PulsesAnswer) {
        self.is_asked = false;
        let PulsesAnswer::Counted(result) = answer;
        match result {
            Ok(traffic) => (self.traffic, self.failure) = (Some(traffic), None),
            Err(error) => self.failure = Some(error),
        }
    }

    /// Returns the row under the cursor.
    pub(crate) fn selected_hook(&self) -> Option<&HookTraffic> {
        self.rows().get(self.cursor())
    }

    /// Returns the filter that shows the events of the row under the cursor.
    pub(crate) fn filter(&self) -> Option<String> {
        let (hook_id, event_type) = self.selected_hook().map(key)?;
        let hook = hook_id.map(|hook_id| format!("hook:{hook_id}"));
        let kind = event_type.map(|kind| format!("type:{kind}"));
        let terms: Vec<String> = hook.into_iter().chain(kind).collect();
        (!terms.is_empty()).then(|| terms.join(" "))
    }

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

    fn go_to(&mut self, row: usize, height: usize) {
        self.selected = self.rows().get(row).map(key);
        self.top = self.first(height);
    }

    fn rows(&self) -> &[HookTraffic] {
        let rows = self
            .traffic
            .as_ref()
            .map(|traffic| traffic.hooks.as_slice());
        rows.unwrap_or_default()
    }

    /// Returns the index of the selected row, whose place may have changed.
    fn cursor(&self) -> usize {
        let is_selected = |row: &HookTraffic| Some(key(row)) == self.selected;
        self.rows().iter().position(is_selected).unwrap_or(0)
    }

    /// Returns the first row to show in `height` rows, so that the cursor is among them.
    fn first(&self, height: usize) -> usize {
        cursor::first(self.top, self.cursor(), height)
    }
}

fn key(row: &HookTraffic) -> HookTrafficKey {
    (row.hook_id, row.event_type.clone())
}

#[cfg(test)]
mod tests {
    use super::scenes::{hook, traffic};
    use super::*;

    const SCREEN: Rect = Rect::new(0, 0, 80, 24);

    fn show_traffic(pulses: &mut Pulses, hooks: Vec<HookTraffic>) {
        pulses.on_answer(PulsesAnswer::Counted(Ok(Box::new(traffic(hooks)))));
    }

    #[test]
    fn the_cursor_stays_on_its_row_whatever_becomes_busier() {
        let mut pulses = Pulses::default();
        show_traffic(&mut pulses, vec![hook(7, 90), hook(8, 80), hook(9, 70)]);
        pulses.act(Action::Down, SCREEN);
        assert_eq!(pulses.filter().as_deref(), Some("hook:8 type:item.update"));
        show_traffic(&mut pulses, vec![hook(9, 99), hook(7, 90), hook(8, 80)]);
        assert_eq!(pulses.selected_hook().and_then(|row| row.hook_id), Some(8));
        show_traffic(&mut pulses, vec![hook(9, 99)]);
        assert_eq!(pulses.selected_hook().and_then(|row| row.hook_id), Some(9));
        show_traffic(&mut pulses, Vec::new());
        assert_eq!((pulses.selected_hook(), pulses.filter()), (None, None));
        pulses.act(Action::Down, SCREEN);
    }

    #[test]
    fn it_is_counted_once_a_second_one_question_at_a_time() {
        let mut pulses = Pulses::default();
        assert!(pulses.ask().is_some());
        pulses.tick();
        assert_eq!(pulses.ask(), None);
        pulses.on_answer(PulsesAnswer::Counted(Err("busy".to_owned())));
        assert!(pulses.ask().is_some());
        pulses.on_answer(PulsesAnswer::Counted(Err("busy".to_owned())));
        assert_eq!(pulses.ask(), None);
    }

    #[test]
    fn a_line_is_selected_by_a_click() {
        let mut pulses = Pulses::default();
        show_traffic(&mut pulses, vec![hook(7, 90), hook(8, 80)]);
        assert_eq!(pulses.click(2, SCREEN), Some(1));
        assert_eq!(pulses.selected_hook().and_then(|row| row.hook_id), Some(8));
        assert_eq!(pulses.click(0, SCREEN), None);
        assert_eq!(pulses.click(9, SCREEN), None);
    }
}
