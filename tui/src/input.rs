//! A line of text that a person types: the text, its cursor, and the keys that all such lines have.
//! The filter, the search, notes and the palette use it.

use crossterm::event::KeyCode;

use crate::keymap::KeyPress;
use crate::line::Line;
use crate::safe_text::SafeText;
use crate::theme::Role;

/// Maximum number of characters in a line. Pasted text is cut to this length.
const MOST: usize = 1_000;

/// A text and its cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Input {
    before: String,
    after: String,
}

impl Input {
    /// Creates a line with the cursor at its end.
    pub(crate) fn of(text: &str) -> Self {
        Self {
            before: text.to_owned(),
            after: String::new(),
        }
    }

    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.before, self.after)
    }

    /// Returns the text before the cursor.
    pub(crate) fn before(&self) -> &str {
        &self.before
    }

    /// Inserts text at the cursor. Line breaks and other control characters become spaces.
    pub(crate) fn insert(&mut self, text: &str) {
        let room = MOST.saturating_sub(self.text().chars().count());
        let clean = |c: char| if c.is_control() { ' ' } else { c };
        self.before.extend(text.chars().map(clean).take(room));
    }

    /// Handles a key that has the same meaning in all lines of text.
    /// Returns whether the key does anything.
    pub(crate) fn key(&mut self, key: KeyPress) -> bool {
        match key.code() {
            _ if key.typed_char().is_some() => self.before.extend(key.typed_char()),
            KeyCode::Backspace if key.is_plain() => drop(self.before.pop()),
            KeyCode::Delete => drop(take_first(&mut self.after)),
            KeyCode::Left => self.move_left(),
            KeyCode::Right => self.before.extend(take_first(&mut self.after)),
            KeyCode::Home => self.home(),
            KeyCode::End => self.end(),
            KeyCode::Char('a') if key.is_control() => self.home(),
            KeyCode::Char('e') if key.is_control() => self.end(),
            KeyCode::Char('u') if key.is_control() => self.before.clear(),
            KeyCode::Char('k') if key.is_control() => self.after.clear(),
            KeyCode::Char('w') if key.is_control() => self.erase_word(),
            KeyCode::Backspace => self.erase_word(),
            _ => return false,
        }
        true
    }

    /// Returns the line with its cursor, in `room` cells, with the
    /// character number `fault`, from 1, marked.
    pub(crate) fn line(&self, room: usize, fault: Option<usize>) -> Line {
        let mut line = Line::new();
        let text = self.text();
        let cursor = self.before.chars().count();
        // The cursor must stay on the screen, so text to the left of it is left out first.
        let start = cursor.saturating_sub(room.saturating_sub(2));
        for (index, c) in text.chars().chain([' ']).enumerate().skip(start) {
            let role = match index {
                _ if index == cursor => Role::Cursor,
                _ if fault == Some(index + 1) => Role::Failed,
                _ => Role::Plain,
            };
            let c = SafeText::new(c.encode_utf8(&mut [0; 4]));
            if line.width() + c.width() > room {
                break;
            }
            line.push(role, c.as_str());
        }
        line
    }

    fn move_left(&mut self) {
        if let Some(c) = self.before.pop() {
            self.after.insert(0, c);
        }
    }

    fn home(&mut self) {
        self.after.insert_str(0, &std::mem::take(&mut self.before));
    }

    fn end(&mut self) {
        self.before.push_str(&std::mem::take(&mut self.after));
    }

    fn erase_word(&mut self) {
        let kept = self
            .before
            .trim_end()
            .rfind(' ')
            .map_or(0, |space| space + 1);
        self.before.truncate(kept);
    }
}

fn take_first(text: &mut String) -> Option<char> {
    (!text.is_empty()).then(|| text.remove(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input_with(keys: &str) -> Input {
        let mut input = Input::of("type:item item:1");
        for key in keys.split(' ').filter(|key| !key.is_empty()) {
            assert!(input.key(key.parse().unwrap()), "{key}");
        }
        input
    }

    #[test]
    fn the_keys_of_a_shell_line_edit_the_text() {
        for (keys, text) in [
            ("x", "type:item item:1x"),
            ("space é", "type:item item:1 é"),
            ("backspace", "type:item item:"),
            ("left x", "type:item item:x1"),
            ("home del x", "xype:item item:1"),
            ("ctrl-a right x", "txype:item item:1"),
            ("ctrl-w", "type:item "),
            ("ctrl-w ctrl-w", ""),
            ("left left ctrl-u", ":1"),
            ("left ctrl-k end x", "type:item item:x"),
        ] {
            assert_eq!(input_with(keys).text(), text, "{keys}");
        }
        assert!(!input_with("").key("enter".parse().unwrap()));
    }

    #[test]
    fn the_cursor_stays_in_sight_and_pasted_text_stays_on_the_line() {
        let mut input = Input::default();
        input.insert(&"long\n".repeat(500));
        assert_eq!(input.text().chars().count(), MOST);
        let line = input.line(20, None);
        assert!(
            line.width() <= 20 && line.text().ends_with(' '),
            "{:?}",
            line.text()
        );
    }
}
