//! Search within the open tab: what is typed, and which lines hold it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Detail;
use crate::app::App;
use crate::input::Input;
use crate::keymap::{Action, Context, Key};
use crate::line::Line;
use crate::theme::Role;
use crate::words;

/// The text that is looked for, and the line in which it is typed while that is open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Find {
    text: String,
    line: Option<Input>,
}

impl Find {
    /// What is looked for; empty where nothing is.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl Detail {
    /// Opens the line.
    pub(crate) fn open_find(&mut self) {
        self.find.line = Some(Input::of(&self.find.text));
    }

    /// Whether the line has the keys.
    pub(crate) fn is_finding(&self) -> bool {
        self.find.line.is_some()
    }

    /// Looks for nothing any more; says whether it did.
    pub(crate) fn clear_find(&mut self) -> bool {
        self.find.line = None;
        !std::mem::take(&mut self.find.text).is_empty()
    }

    /// A key was pressed in the line.
    pub(crate) fn find_key(&mut self, key: Key, action: Option<Action>) {
        let Some(line) = &mut self.find.line else {
            return;
        };
        match action {
            Some(Action::Back) => drop(self.clear_find()),
            Some(Action::Open) => self.find.line = None,
            _ if line.key(key) => self.typed(),
            _ => {}
        }
    }

    /// Text was pasted into the line.
    pub(crate) fn find_paste(&mut self, text: &str) {
        if let Some(line) = &mut self.find.line {
            line.insert(text);
            self.typed();
        }
    }

    fn typed(&mut self) {
        self.find.text = self.find.line.as_ref().map(Input::text).unwrap_or_default();
        let hits = self.hits();
        let next = hits.iter().find(|hit| **hit >= self.top).or(hits.first());
        self.top = next.copied().unwrap_or(self.top);
    }

    /// Goes to the next line, or the previous one, that holds what is looked for; from the last
    /// one to the first, and back.
    pub(crate) fn find_again(&mut self, forward: bool, height: usize) {
        let (hits, first) = (self.hits(), self.first(height));
        let here = self.top.max(first);
        let next = if forward {
            hits.iter().find(|hit| **hit > here).or(hits.first())
        } else {
            hits.iter().rev().find(|hit| **hit < here).or(hits.last())
        };
        self.top = next.copied().unwrap_or(self.top);
    }

    /// The lines of the open tab that hold what is looked for.
    fn hits(&self) -> Vec<usize> {
        let holds = |line: &Line| line.find(&self.find.text).is_some();
        self.lines()
            .iter()
            .enumerate()
            .filter(|(_, line)| holds(line))
            .map(|(at, _)| at)
            .collect()
    }

    /// Draws the open line into the row `area`.
    pub(crate) fn view_find(&self, area: Rect, app: &App, buffer: &mut Buffer) {
        let Some(input) = &self.find.line else { return };
        let many = u64::try_from(self.hits().len()).unwrap_or(u64::MAX);
        let (role, note) = match (self.find.text.as_str(), many) {
            ("", _) => (Role::Quiet, "find in this tab".to_owned()),
            (_, 0) => (Role::Failed, "  nowhere in this tab".to_owned()),
            _ => (
                Role::Quiet,
                format!(
                    "  {} · {}",
                    words::count(many, "line"),
                    app.keymap().says(
                        Context::Detail,
                        &[
                            (Action::FindNext, "next"),
                            (Action::FindPrevious, "previous"),
                        ],
                    ),
                ),
            ),
        };
        let room = usize::from(area.width).saturating_sub(2 + note.len());
        let line = Line::of(Role::Accent, " /")
            .join(input.line(room, None))
            .put(role, note);
        line.draw(area, app.theme(), buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detail::Tab;
    use crate::effect::Effect;
    use crate::testing::{event, opened};

    fn detail() -> Detail {
        let mut detail = Detail::default();
        let Some(Effect::LoadEvent { generation, .. }) = detail.ask(Some(event(1).id), 40) else {
            panic!("nothing is asked");
        };
        detail.event(generation, Ok(Some(opened(1, 40))));
        detail.open_tab(Tab::Request);
        detail
    }

    #[test]
    fn what_is_typed_is_found_whatever_its_case_and_across_pieces() {
        let mut detail = detail();
        detail.open_find();
        detail.find_paste("ITEM_ID=47");
        let line = &detail.opened().unwrap().sheet(Tab::Request)[detail.top];
        assert_eq!(line.text(), "&item_id=4711");
        assert_eq!(line.find("ITEM_ID=47"), Some((1, 10)));
    }

    #[test]
    fn next_goes_around() {
        let mut detail = detail();
        detail.open_find();
        detail.find_paste("content-");
        let [first, last] = detail.hits()[..] else {
            panic!("{:?}", detail.hits());
        };
        assert_eq!(detail.top, first);
        for (forward, found) in [(true, last), (true, first), (false, last), (false, first)] {
            detail.find_again(forward, 2);
            assert_eq!(detail.top, found);
        }
        assert!(detail.clear_find() && !detail.clear_find());
    }
}
