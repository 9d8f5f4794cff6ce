//! A field in which a person chooses one of several options.

use crossterm::event::KeyCode;

use super::FormField;
use crate::keymap::KeyPress;
use crate::line::Line;
use crate::safe_text::SafeText;
use crate::theme::Role;

/// One of several options. Typing selects an option that begins with the typed text or contains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice<T> {
    label: &'static str,
    /// The options, each with its name.
    options: Vec<(T, String)>,
    at: usize,
    typed: String,
    autofocus: bool,
}

impl<T> Choice<T> {
    /// Creates a choice of these options, with the one at `at` chosen at first.
    pub(crate) fn new(label: &'static str, options: Vec<(T, String)>, at: usize) -> Self {
        Self {
            label,
            options,
            at,
            typed: String::new(),
            autofocus: false,
        }
    }

    /// Makes the form start in this field.
    #[must_use]
    pub(crate) fn with_autofocus(mut self) -> Self {
        self.autofocus = true;
        self
    }

    /// Returns the chosen option; `None` if there are no options.
    pub(crate) fn chosen_option(&self) -> Option<&T> {
        self.options.get(self.at).map(|(option, _)| option)
    }

    /// Returns whether there is more than one option.
    pub(crate) fn is_open(&self) -> bool {
        self.options.len() > 1
    }

    /// Selects the first option that begins with the typed text, otherwise the first that contains
    /// it. If there is none, the last letter starts a new text.
    fn look_for(&mut self, letter: Option<char>) {
        let Some(letter) = letter else { return };
        self.typed.push(letter);
        for _ in 0..2 {
            let mut options = self.options.iter();
            let begins = options.position(|(_, name)| name.starts_with(&self.typed));
            let mut options = self.options.iter();
            let holds = || options.position(|(_, name)| name.contains(&self.typed));
            if let Some(found) = begins.or_else(holds) {
                self.at = found;
                return;
            }
            self.typed = letter.to_string();
        }
        self.typed.clear();
    }
}

impl<T> FormField for Choice<T> {
    fn label(&self) -> &str {
        self.label
    }

    fn has_autofocus(&self) -> bool {
        self.autofocus
    }

    fn key(&mut self, key: KeyPress) -> bool {
        let (before, many) = (self.at, self.options.len().max(1));
        match key.code() {
            KeyCode::Left if key.is_plain() => {
                self.typed.clear();
                self.at = (self.at + many - 1) % many;
            }
            KeyCode::Right if key.is_plain() => {
                self.typed.clear();
                self.at = (self.at + 1) % many;
            }
            KeyCode::Char(' ') => {
                self.typed.clear();
                self.at = (self.at + 1) % many;
            }
            KeyCode::Backspace => self.typed.clear(),
            _ => self.look_for(key.typed_char()),
        }
        self.at != before
    }

    /// Ignores pasted text, because an option is chosen by its letters.
    fn paste(&mut self, _: &str) {}

    fn value(&self, has_keys: bool, room: usize) -> Line {
        let chosen = self.options.get(self.at);
        let chosen = SafeText::new(chosen.map_or("", |(_, name)| name.as_str()));
        if !has_keys || !self.is_open() {
            return Line::of(Role::Plain, chosen.fit(room));
        }
        let before = Line::of(Role::Accent, "◂ ");
        let of = format!("  {} of {}", self.at + 1, self.options.len());
        let after = Line::of(Role::Accent, " ▸").with(Role::Quiet, of);
        // A long name is cut, so that the sign for other options stays visible.
        let room = room.saturating_sub(before.width() + after.width());
        before.with(Role::Strong, chosen.fit(room)).join(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_option_gives_way_to_how_many_there_are() {
        let options = ["all 1 204 that match the filter", "one"];
        let options = options.map(str::to_owned).into_iter().enumerate().collect();
        let choice = Choice::new("Export", options, 0);
        for (has_keys, room, shown) in [
            (true, 34, "◂ all 1 204 that match … ▸  1 of 2"),
            (true, 60, "◂ all 1 204 that match the filter ▸  1 of 2"),
            (false, 20, "all 1 204 that matc…"),
        ] {
            let line = choice.value(has_keys, room);
            assert_eq!(line.text(), shown);
            assert!(line.width() <= room, "{shown}");
        }
    }
}
