//! Selects lines in the open tab, by keys or by the mouse, and returns their text.

use std::ops::Range;

use ratatui::layout::{Position, Rect};

use super::Detail;
use crate::keymap::Action;

/// The selection, in rows: where it began, and where its other end is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowSelection {
    anchor: usize,
    cursor: usize,
}

impl Detail {
    /// Begins a selection at the first row on the screen, or ends the selection.
    pub(super) fn toggle_selection(&mut self, height: usize) {
        let first = self.first(height);
        self.selection = match self.selection {
            None if first < self.rows().len() => Some(RowSelection {
                anchor: first,
                cursor: first,
            }),
            _ => None,
        };
    }

    /// Returns whether lines are being selected.
    pub(crate) fn is_selecting(&self) -> bool {
        self.selection.is_some()
    }

    /// Ends the selection. Returns whether there was one.
    pub(crate) fn end_selection(&mut self) -> bool {
        self.pressed = None;
        self.selection.take().is_some()
    }

    /// Returns the selected rows. They always cover complete lines.
    pub(crate) fn selected_rows(&self) -> Option<Range<usize>> {
        let RowSelection { anchor, cursor } = self.selection?;
        Some(self.rows().whole(anchor.min(cursor), anchor.max(cursor)))
    }

    /// Returns the row that the keys move.
    pub(super) fn cursor(&self) -> Option<usize> {
        self.selection.map(|selection| selection.cursor)
    }

    /// Returns the number of selected lines.
    pub(super) fn selected_lines(&self) -> Option<usize> {
        let (selected, rows) = (self.selected_rows()?, self.rows());
        let last = rows.line_of(selected.end.saturating_sub(1));
        Some(last + 1 - rows.line_of(selected.start))
    }

    /// Returns the text of the selected lines as shown, and their number.
    pub(crate) fn selected_text(&self) -> Option<(String, usize)> {
        let text = self.rows().text(self.selected_rows()?);
        Some((text, self.selected_lines()?))
    }

    /// Moves the end of the selection and keeps it in sight. Returns whether there is a selection.
    pub(super) fn extend(&mut self, action: Action, height: usize) -> bool {
        let Some(cursor) = self.cursor() else {
            return false;
        };
        let page = height.saturating_sub(1).max(1);
        let half = page.div_ceil(2);
        let cursor = match action {
            Action::Down => cursor + 1,
            Action::Up => cursor.saturating_sub(1),
            Action::HalfDown => cursor + half,
            Action::HalfUp => cursor.saturating_sub(half),
            Action::PageDown => cursor + page,
            Action::PageUp => cursor.saturating_sub(page),
            Action::Top => 0,
            Action::Bottom => usize::MAX,
            _ => return false,
        };
        self.take_cursor_to(cursor);
        let cursor = self.cursor().unwrap_or(0);
        let lowest = (cursor + 1).saturating_sub(height.max(1));
        self.top = self.first(height).clamp(lowest, cursor);
        true
    }

    /// Moves the end of the selection, if there is one, to this row, or to
    /// the last row if there are fewer.
    pub(super) fn take_cursor_to(&mut self, row: usize) {
        let last = self.rows().len().saturating_sub(1);
        if let Some(selection) = &mut self.selection {
            selection.cursor = row.min(last);
        }
    }

    /// Handles a press of the mouse button: ends the selection, and a later drag selects from here.
    /// `sheet` is the area of the lines.
    pub(crate) fn on_press(&mut self, at: Position, sheet: Rect) {
        if sheet.contains(at) {
            self.press((at.y - sheet.y).into(), sheet.height.into());
        }
    }

    /// Handles a drag of the mouse to this row, and returns whether it selects lines.
    /// `sheet` is the area of the lines.
    pub(crate) fn on_drag(&mut self, row: u16, sheet: Rect) -> bool {
        let is_within = (sheet.y..sheet.bottom()).contains(&row);
        let line = is_within.then(|| (row - sheet.y).into());
        self.pull(line, row >= sheet.bottom(), sheet.height.into())
    }

    /// Handles a press of the button on this line of a screen of `height` lines.
    fn press(&mut self, line: usize, height: usize) {
        self.selection = None;
        let row = self.first(height) + line;
        self.pressed = Some(row).filter(|row| *row < self.rows().len());
    }

    /// Handles a drag to a line of that screen, or beyond its edge, which scrolls.
    /// Returns whether it selects lines.
    fn pull(&mut self, line: Option<usize>, below: bool, height: usize) -> bool {
        let Some(anchor) = self.pressed else {
            return false;
        };
        let first = self.first(height);
        let row = match line {
            Some(line) => first + line,
            None if below => first + height,
            None => first.saturating_sub(1),
        };
        let cursor = self.cursor().unwrap_or(anchor);
        self.selection = Some(RowSelection { anchor, cursor });
        self.take_cursor_to(row);
        if line.is_none() {
            self.top = if below { first + 1 } else { row };
        }
        true
    }

    /// Handles the release of the button. Returns whether lines were selected by dragging.
    pub(crate) fn on_release(&mut self) -> bool {
        self.pressed.take().is_some() && self.selection.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detail::DetailEffect;
    use crate::detail::Tab;
    use crate::testing::{event, sample_event};

    fn detail(width: usize) -> Detail {
        let mut detail = Detail::default();
        let Some(DetailEffect::LoadEvent { generation, .. }) = detail.ask(Some(event(1).id), width)
        else {
            panic!("nothing is asked");
        };
        detail.event(generation, Ok(Some(sample_event(1, width))));
        detail.open_tab(Tab::Request);
        detail
    }

    #[test]
    fn keys_extend_the_selection_and_keep_its_end_in_sight() {
        let mut detail = detail(80);
        let rows = detail.rows().len();
        detail.act(Action::Select, 3);
        for (action, selected) in [
            (Action::Down, 0..2),
            (Action::PageDown, 0..4),
            (Action::Bottom, 0..rows),
            (Action::Top, 0..1),
        ] {
            detail.act(action, 3);
            assert_eq!(detail.selected_rows(), Some(selected), "{action:?}");
            let (first, cursor) = (detail.first(3), detail.cursor().unwrap());
            assert!((first..first + 3).contains(&cursor), "{action:?}");
        }
        detail.act(Action::Select, 3);
        assert!(!detail.is_selecting());
    }

    #[test]
    fn a_wrapped_line_is_selected_and_copied_as_one() {
        let mut detail = detail(24);
        detail.act(Action::Down, 4);
        detail.act(Action::Down, 4);
        detail.act(Action::Select, 4);
        let (text, lines) = detail.selected_text().unwrap();
        assert_eq!(lines, 1);
        assert_eq!(text, "content-type: application/x-www-form-urlencoded");
        detail.act(Action::Up, 4);
        let (text, lines) = detail.selected_text().unwrap();
        assert_eq!(lines, 2);
        assert!(
            text.starts_with("host: hooks.example.com\ncontent-type: "),
            "{text}"
        );
    }

    #[test]
    fn what_is_selected_ends_with_the_rows_it_is_in() {
        let mut detail = detail(40);
        detail.act(Action::Select, 4);
        detail.open_tab(Tab::Request);
        assert!(!detail.is_selecting());
        detail.act(Action::Select, 4);
        let Some(DetailEffect::LoadEvent { generation, .. }) = detail.ask(Some(event(1).id), 24)
        else {
            panic!("nothing is asked");
        };
        detail.event(generation, Ok(Some(sample_event(1, 24))));
        assert!(!detail.is_selecting());
    }

    #[test]
    fn dragging_beyond_the_edge_scrolls() {
        let mut detail = detail(80);
        assert!(!detail.pull(Some(1), false, 3));
        detail.press(1, 3);
        assert!(detail.pull(None, true, 3));
        assert_eq!((detail.selected_rows(), detail.first(3)), (Some(1..4), 1));
        assert!(detail.pull(None, false, 3));
        assert_eq!((detail.selected_rows(), detail.first(3)), (Some(0..2), 0));
        assert!(detail.on_release() && !detail.on_release());
    }
}
