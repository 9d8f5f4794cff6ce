//! Searches the open tab: the search line, and moving from match to match.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Detail;
use super::hits::{Hits, MOST};
use crate::env::Env;
use crate::input::Input;
use crate::keymap::{Action, Context, KeyPress};
use crate::line::Line;
use crate::theme::Role;
use crate::words;

/// The text to search for, and the line in which a person types it while that is open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Find {
    text: String,
    line: Option<Input>,
    /// The text of the search before this one.
    past: String,
    /// The matches in the rows of the tab.
    pub(super) hits: Hits,
    /// The match that was last moved to.
    pub(super) current: Option<usize>,
}

impl Detail {
    /// Opens the search line.
    pub(crate) fn open_find(&mut self) {
        self.find.line = Some(Input::default());
    }

    /// Returns whether the search line receives the keys.
    pub(crate) fn is_finding(&self) -> bool {
        self.find.line.is_some()
    }

    /// Ends the search. Returns whether there was one.
    pub(crate) fn clear_find(&mut self) -> bool {
        self.find.line = None;
        let looked = !std::mem::take(&mut self.find.text).is_empty();
        self.look_again();
        looked
    }

    /// Handles a key in the search line.
    pub(crate) fn find_key(&mut self, key: KeyPress, action: Option<Action>) {
        let Some(line) = &mut self.find.line else {
            return;
        };
        match action {
            Some(Action::Back) => drop(self.clear_find()),
            Some(Action::Up) => {
                *line = Input::of(&self.find.past);
                self.search_typed();
            }
            Some(Action::Open) => {
                self.find.line = None;
                if !self.find.text.is_empty() {
                    self.find.past.clone_from(&self.find.text);
                }
            }
            _ if line.key(key) => self.search_typed(),
            _ => {}
        }
    }

    /// Inserts pasted text into the search line.
    pub(crate) fn find_paste(&mut self, text: &str) {
        if let Some(line) = &mut self.find.line {
            line.insert(text);
            self.search_typed();
        }
    }

    fn search_typed(&mut self) {
        self.find.text = self.find.line.as_ref().map(Input::text).unwrap_or_default();
        self.look_again();
        let next = self.find.hits.at_or_below(self.top);
        self.go_to(if next < self.find.hits.len() { next } else { 0 });
    }

    /// Searches again, because the rows or the text have changed.
    pub(super) fn look_again(&mut self) {
        self.find.hits = Hits::of(self.rows(), &self.find.text);
        self.find.current = None;
    }

    /// Moves to the next or the previous match. Continues at the first match after the last one,
    /// and at the last match before the first one.
    pub(crate) fn find_again(&mut self, forward: bool, height: usize) {
        let (many, first) = (self.find.hits.len(), self.first(height));
        let in_sight = |place: &usize| {
            let row = self.find.hits.row(*place);
            row.is_some_and(|row| (first..first + height).contains(&row))
        };
        let here = self.find.current.filter(in_sight);
        let next = match (here, forward) {
            (Some(here), true) => here + 1,
            (None, true) => self.find.hits.at_or_below(first),
            (Some(here), false) => here.wrapping_sub(1),
            (None, false) => self.find.hits.at_or_below(first).wrapping_sub(1),
        };
        self.go_to(match (next < many, forward) {
            (true, _) => next,
            (false, true) => 0,
            (false, false) => many.saturating_sub(1),
        });
    }

    /// Scrolls down and sideways until a match is in sight.
    fn go_to(&mut self, place: usize) {
        let (rows, hits) = (self.rows(), &self.find.hits);
        let (Some(row), Some(cells)) = (hits.row(place), hits.cells(rows, place)) else {
            return;
        };
        // One cell at either side is reserved for the sign that the line continues.
        let width = self.width().saturating_sub(1);
        let left = self.scrolled_cells();
        let in_sight = cells.start >= left + usize::from(left > 0) && cells.end <= left + width;
        if !in_sight {
            let fits = cells.end <= width;
            self.left = if fits {
                0
            } else {
                cells.start.saturating_sub(width / 3)
            };
        }
        (self.top, self.find.current) = (row, Some(place));
        self.take_cursor_to(row);
    }

    /// Draws the open search line in the row `area`.
    pub(crate) fn view_find(&self, area: Rect, env: Env<'_>, buffer: &mut Buffer) {
        let Some(input) = &self.find.line else { return };
        let many = self.find.hits.len();
        let (role, note) = match (input.text().as_str(), many) {
            ("", _) => (Role::Quiet, "find in this tab".to_owned()),
            (_, 0) => (Role::Failed, "  no match in this tab".to_owned()),
            _ => {
                let more = if many == MOST { " and more" } else { "" };
                let many = u64::try_from(many).unwrap_or(u64::MAX);
                let note = format!(
                    "  {}{more} · {}",
                    words::count(many, "place"),
                    env.keymap.hints(
                        Context::Detail,
                        &[
                            (Action::FindNext, "next"),
                            (Action::FindPrevious, "previous"),
                        ],
                    ),
                );
                (Role::Quiet, note)
            }
        };
        let room = usize::from(area.width).saturating_sub(2 + note.len());
        let line = Line::of(Role::Accent, " /")
            .join(input.line(room, None))
            .with(role, note);
        line.draw(area, env.theme, buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detail::DetailEffect;
    use crate::detail::Tab;
    use crate::testing::{event, sample_event};

    fn detail() -> Detail {
        let mut detail = Detail::default();
        let Some(DetailEffect::LoadEvent { generation, .. }) = detail.ask(Some(event(1).id), 40)
        else {
            panic!("nothing is asked");
        };
        detail.event(generation, Ok(Some(sample_event(1, 40))));
        detail.open_tab(Tab::Request);
        detail
    }

    #[test]
    fn what_is_typed_is_found_whatever_its_case_and_across_pieces() {
        let mut detail = detail();
        detail.open_find();
        detail.find_paste("ITEM_ID=47");
        let rows = detail.open_event().unwrap().sheet(Tab::Request);
        assert_eq!(rows.text(detail.top..detail.top + 1), "&item_id=4711");
        assert_eq!(detail.find.hits.cells(rows, 0), Some(1..11));
    }

    #[test]
    fn next_goes_around() {
        let mut detail = detail();
        detail.open_find();
        detail.find_paste("content-");
        let hits = &detail.find.hits;
        let (Some(first), Some(last), None) = (hits.row(0), hits.row(1), hits.row(2)) else {
            panic!("{hits:?}");
        };
        assert_eq!(detail.top, first);
        for (forward, found) in [(true, last), (true, first), (false, last), (false, first)] {
            detail.find_again(forward, 2);
            assert_eq!(detail.top, found);
        }
        assert!(detail.clear_find() && !detail.clear_find());
    }

    #[test]
    fn a_place_out_of_sight_is_brought_into_it_sideways_too() {
        let mut detail = detail();
        detail.unwrapped = true;
        let Some(DetailEffect::LoadEvent {
            generation,
            options,
            ..
        }) = detail.ask(Some(event(1).id), 20)
        else {
            panic!("nothing is asked");
        };
        detail.event(generation, Ok(Some(crate::testing::opened_as(1, options))));
        detail.open_find();
        detail.find_paste("urlencoded");
        let cells = detail.find.hits.cells(detail.rows(), 0).unwrap();
        let left = detail.scrolled_cells();
        assert!(cells.start > 20 && left > 0, "{cells:?} {left}");
        assert!(
            cells.start > left && cells.start < left + 20,
            "{cells:?} {left}"
        );
        detail.find_key("esc".parse().unwrap(), Some(Action::Back));
        detail.open_find();
        detail.find_paste("host");
        assert_eq!(detail.scrolled_cells(), 0);
    }
}
