//! A field in which a person types text.

use super::FormField;
use crate::input::Input;
use crate::keymap::KeyPress;
use crate::line::Line;
use crate::theme::Role;

/// One line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    label: String,
    input: Input,
    /// The text to show instead of an empty value.
    placeholder: String,
    autofocus: bool,
}

impl Text {
    /// Creates a field that contains `text`. `placeholder` says what an empty value means.
    pub(crate) fn new(
        label: impl Into<String>,
        text: &str,
        placeholder: impl Into<String>,
    ) -> Self {
        Self {
            label: label.into(),
            input: Input::of(text),
            placeholder: placeholder.into(),
            autofocus: false,
        }
    }

    /// Makes the form start in this field.
    #[must_use]
    pub(crate) fn with_autofocus(mut self) -> Self {
        self.autofocus = true;
        self
    }

    /// Returns the typed text.
    pub(crate) fn text(&self) -> String {
        self.input.text()
    }

    /// Returns the parsed text; `None` if it is empty.
    pub(crate) fn parse<T>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        let text = self.text();
        match text.trim() {
            "" => Ok(None),
            text => parse(text).map(Some),
        }
    }
}

impl FormField for Text {
    fn label(&self) -> &str {
        &self.label
    }

    fn has_autofocus(&self) -> bool {
        self.autofocus
    }

    fn key(&mut self, key: KeyPress) -> bool {
        self.input.key(key);
        false
    }

    fn paste(&mut self, text: &str) {
        self.input.insert(text);
    }

    fn value(&self, has_keys: bool, room: usize) -> Line {
        let is_empty = self.input.text().is_empty();
        match (has_keys, is_empty) {
            (true, true) => {
                let input = self.input.line(room, None);
                input.with(Role::Quiet, &self.placeholder)
            }
            (true, false) => self.input.line(room, None),
            (false, true) => Line::of(Role::Quiet, &self.placeholder),
            (false, false) => Line::of(Role::Plain, self.input.text()),
        }
    }
}
