//! The command palette: finds every possible action, and every saved
//! filter, by a few of its letters.

use std::cmp::Reverse;

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use podtap_agent::history::SavedFilters;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::copy::CopyForm as Form;
use crate::env::Env;
use crate::frame::{Frame, Titles};
use crate::input::Input;
use crate::keymap::{Action, Binding, Context, KeyPress, Keymap};
use crate::layout::{centered, inner};
use crate::line::Line;
use crate::theme::Role;

/// Rows of the window: the input line, a gap, and the best matches.
const HEIGHT: u16 = 14;

/// Rows of the input line and the gap below it.
const TYPED: usize = 2;

/// Cells of the window.
const WIDTH: u16 = 60;

/// Cells of a saved filter's name.
const NAME: usize = 24;

/// A line of the palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PaletteEntry<'a> {
    Act(&'a Binding),
    /// Copies the event in a form.
    Copy(Form),
    /// Applies a saved filter, with this name and text.
    Filter(&'a str, &'a str),
}

/// What a person chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PaletteChoice {
    /// Carries out this action.
    Act(Action),
    /// Copies the event in this form.
    Copy(Form),
    /// Applies this filter.
    Filter(String),
}

/// The open palette.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct CommandPalette {
    contexts: Vec<Context>,
    input: Input,
    chosen: usize,
    saved: SavedFilters,
}

impl CommandPalette {
    /// Creates a palette with the actions of these contexts and the saved filters.
    pub(crate) fn new(contexts: Vec<Context>, saved: SavedFilters) -> Self {
        Self {
            contexts,
            saved,
            ..Self::default()
        }
    }

    /// Handles a key. Returns the choice, if the key makes one.
    pub(crate) fn key(
        &mut self,
        key: KeyPress,
        action: Option<Action>,
        keymap: &Keymap,
    ) -> Option<PaletteChoice> {
        let found = self.matches(keymap);
        match action {
            Some(Action::Open) => return found.get(self.chosen).map(PaletteEntry::choice),
            Some(Action::Down) => {
                self.chosen = (self.chosen + 1).min(found.len().saturating_sub(1));
            }
            Some(Action::Up) => self.chosen = self.chosen.saturating_sub(1),
            _ if self.input.key(key) => self.chosen = 0,
            _ => {}
        }
        None
    }

    /// Inserts pasted text into the input line.
    pub(crate) fn paste(&mut self, text: &str) {
        self.input.insert(text);
        self.chosen = 0;
    }

    /// Returns the matches, the best first. If some line contains the typed letters one after
    /// the other, only such lines match.
    fn matches<'a>(&'a self, keymap: &'a Keymap) -> Vec<PaletteEntry<'a>> {
        let as_they_are = self.matching(AtomKind::Substring, keymap);
        if as_they_are.is_empty() {
            self.matching(AtomKind::Fuzzy, keymap)
        } else {
            as_they_are
        }
    }

    fn matching<'a>(&'a self, kind: AtomKind, keymap: &'a Keymap) -> Vec<PaletteEntry<'a>> {
        let text = self.input.text();
        let pattern = Pattern::new(&text, CaseMatching::Ignore, Normalization::Smart, kind);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut scratch = Vec::new();
        let contexts = self.contexts.iter();
        let bindings = contexts.flat_map(|context| keymap.all_of(*context));
        let can_copy = self.contexts.contains(&Context::Browse);
        let copies = can_copy.then(Form::all);
        let saved = self.saved.iter();
        let choices = bindings
            .map(PaletteEntry::Act)
            .chain(copies.into_iter().flatten().map(PaletteEntry::Copy))
            .chain(saved.map(|(name, text)| PaletteEntry::Filter(name, text)));
        let score = |choice: PaletteEntry<'a>| {
            let words = choice.words();
            let score = pattern.score(Utf32Str::new(&words, &mut scratch), &mut matcher)?;
            Some((score, choice))
        };
        let mut found: Vec<(u32, PaletteEntry<'_>)> = choices.filter_map(score).collect();
        // Of two equal matches, the shorter text comes first. Without
        // input, all lines stay in order.
        let length = |choice: &PaletteEntry<'_>| {
            if text.is_empty() {
                0
            } else {
                choice.words().len()
            }
        };
        found.sort_by_key(|(score, choice)| (Reverse(*score), length(choice)));
        found.into_iter().map(|(_, choice)| choice).collect()
    }

    /// Returns the choice on a line of the window that was clicked.
    pub(crate) fn click(&self, line: usize, keymap: &Keymap) -> Option<PaletteChoice> {
        let at = line.checked_sub(TYPED)?;
        self.matches(keymap).get(at).map(PaletteEntry::choice)
    }

    /// Returns the area of the window.
    pub(crate) fn area(screen: Rect) -> Rect {
        centered(screen, WIDTH, HEIGHT)
    }

    /// Draws the palette over `screen`.
    pub(crate) fn view(&self, env: Env<'_>, screen: Rect, buffer: &mut Buffer) {
        let area = Self::area(screen);
        Clear.render(area, buffer);
        let hint = [(Action::Open, "does it"), (Action::Back, "closes")];
        let hint = env.keymap.hints(Context::Typing, &hint);
        let titles = Titles {
            left: Line::of(Role::Strong, "Do"),
            right: Line::of(Role::Quiet, hint),
            ..Titles::default()
        };
        Frame {
            focused: true,
            titles,
        }
        .draw(area, env.theme, buffer);
        let area = inner(area);
        let width = usize::from(area.width);
        let typed = Line::of(Role::Accent, ":").join(self.input.line(width - 1, None));
        typed.draw(area, env.theme, buffer);
        let found = self.matches(env.keymap);
        if let Some(row) = area.rows().nth(TYPED).filter(|_| found.is_empty()) {
            Line::of(Role::Quiet, "No command has this name.").draw(row, env.theme, buffer);
        }
        for ((index, choice), row) in found.iter().enumerate().zip(area.rows().skip(TYPED)) {
            let line = choice.line(width, env.keymap, &self.contexts);
            line.draw(row, env.theme, buffer);
            if index == self.chosen {
                buffer.set_style(row, env.theme.selection(true));
            }
        }
    }
}

impl PaletteEntry<'_> {
    /// Returns the text that is searched for the typed letters.
    fn words(&self) -> String {
        match self {
            Self::Act(binding) => format!("{} {}", binding.help, binding.action.name()),
            Self::Copy(form) => format!("copy the {}", form.name()),
            Self::Filter(name, text) => format!("show @{name} {text}"),
        }
    }

    fn choice(&self) -> PaletteChoice {
        match self {
            Self::Act(binding) => PaletteChoice::Act(binding.action),
            Self::Copy(form) => PaletteChoice::Copy(*form),
            Self::Filter(name, _) => PaletteChoice::Filter(format!("@{name}")),
        }
    }

    fn line(&self, width: usize, keymap: &Keymap, contexts: &[Context]) -> Line {
        match self {
            Self::Act(binding) => {
                // A nearer context may use the key for something else.
                let does = |key| keymap.resolve(contexts, key) == Some(binding.action);
                let key = binding.keys.iter().find(|key| does(**key));
                let key = key.map(ToString::to_string).unwrap_or_default();
                Line::new()
                    .column(Role::Plain, binding.help, width.saturating_sub(12))
                    .column_right(Role::Accent, key, 12)
            }
            Self::Copy(form) => {
                let key = keymap.key_in(Context::Browse, Action::Copy);
                let key = key.map(|key| format!("{key} {}", form.letter()));
                Line::new()
                    .column(Role::Plain, self.words(), width.saturating_sub(12))
                    .column_right(Role::Accent, key.unwrap_or_default(), 12)
            }
            Self::Filter(name, text) => Line::new()
                .column(Role::Plain, format!("show @{name}"), NAME)
                .column(Role::Quiet, *text, width.saturating_sub(NAME)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::saved_filters;

    #[test]
    fn a_few_letters_find_what_can_be_done() {
        let keymap = Keymap::default();
        let contexts = vec![Context::List, Context::Browse, Context::Global];
        for (letters, chosen) in [
            ("param", PaletteChoice::Act(Action::Params)),
            ("@err", PaletteChoice::Filter("@errors".to_owned())),
            ("5xx", PaletteChoice::Filter("@errors".to_owned())),
            ("url", PaletteChoice::Copy(Form::Url)),
            ("repl", PaletteChoice::Act(Action::Replay)),
            ("health", PaletteChoice::Act(Action::Health)),
            ("rply", PaletteChoice::Act(Action::Replay)),
        ] {
            let saved = saved_filters(&[("errors", "status:5xx")]);
            let mut palette = CommandPalette::new(contexts.clone(), saved);
            for letter in letters.chars() {
                let key = letter.to_string().parse().unwrap();
                assert_eq!(palette.key(key, None, &keymap), None);
            }
            let enter = "enter".parse().unwrap();
            let found = palette.key(enter, Some(Action::Open), &keymap);
            assert_eq!(found, Some(chosen));
        }
    }

    #[test]
    fn what_has_no_key_left_can_still_be_done() {
        let wish = crate::keymap::KeyOverride {
            place: None,
            action: "mark".to_owned(),
            keys: Vec::new(),
        };
        let keymap = Keymap::with_overrides(&[wish]).unwrap();
        let mut palette = CommandPalette::new(vec![Context::List], SavedFilters::default());
        for letter in "unmark it".split("").filter(|letter| !letter.is_empty()) {
            let key = if letter == " " { "space" } else { letter };
            palette.key(key.parse().unwrap(), None, &keymap);
        }
        let enter = "enter".parse().unwrap();
        let found = palette.key(enter, Some(Action::Open), &keymap);
        assert_eq!(found, Some(PaletteChoice::Act(Action::Mark)));
    }
}
