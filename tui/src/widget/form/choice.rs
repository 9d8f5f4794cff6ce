//! A field of which one option is chosen.

use crossterm::event::KeyCode;

use crate::keymap::Key;
use crate::line::Line;
use crate::theme::Role;

/// One of several; typing goes to the next one that begins so, or holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    options: Vec<String>,
    pub(super) at: usize,
    typed: String,
}

impl Choice {
    /// A choice of these, at first the one at `at`.
    pub(super) fn new(options: Vec<String>, at: usize) -> Self {
        let typed = String::new();
        Self { options, at, typed }
    }

    /// Says whether another option is chosen now.
    pub(super) fn key(&mut self, key: Key) -> bool {
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
            _ => self.look_for(key.typed()),
        }
        self.at != before
    }

    /// Goes to the first option that begins with what was typed, else to the first that holds it;
    /// a letter that leads nowhere begins anew.
    fn look_for(&mut self, letter: Option<char>) {
        let Some(letter) = letter else { return };
        self.typed.push(letter);
        for _ in 0..2 {
            let mut options = self.options.iter();
            let begins = options.position(|option| option.starts_with(&self.typed));
            let mut options = self.options.iter();
            let holds = || options.position(|option| option.contains(&self.typed));
            if let Some(found) = begins.or_else(holds) {
                self.at = found;
                return;
            }
            self.typed = letter.to_string();
        }
        self.typed.clear();
    }

    pub(super) fn line(&self, has_keys: bool) -> Line {
        let chosen = self.options.get(self.at).map_or("", String::as_str);
        if !has_keys || self.options.len() < 2 {
            return Line::of(Role::Plain, chosen);
        }
        let of = format!("  {} of {}", self.at + 1, self.options.len());
        Line::of(Role::Accent, "◂ ")
            .put(Role::Strong, chosen)
            .put(Role::Accent, " ▸")
            .put(Role::Quiet, of)
    }
}
