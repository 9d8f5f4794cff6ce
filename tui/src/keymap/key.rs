//! One key in the form in which people write it: `ctrl-u`, `space`, `G`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers, normalized: shift is part of the character and not a modifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyPress {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl KeyPress {
    /// Returns the character that this key types; `None` if a modifier makes the key a command.
    pub fn typed_char(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }

    /// Returns the key without its modifiers.
    pub fn code(self) -> KeyCode {
        self.code
    }

    /// Returns whether no modifier is held.
    pub fn is_plain(self) -> bool {
        self.modifiers.is_empty()
    }

    /// Returns whether control is the only modifier.
    pub fn is_control(self) -> bool {
        self.modifiers == KeyModifiers::CONTROL
    }

    fn of(code: KeyCode, modifiers: KeyModifiers) -> Self {
        // Terminals send the same control key for both cases of a letter.
        let code = match code {
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => {
                KeyCode::Char(c.to_ascii_lowercase())
            }
            code => code,
        };
        let modifiers = match code {
            KeyCode::Char(_) | KeyCode::BackTab => modifiers - KeyModifiers::SHIFT,
            _ => modifiers,
        };
        Self { code, modifiers }
    }
}

impl From<KeyEvent> for KeyPress {
    fn from(event: KeyEvent) -> Self {
        Self::of(event.code, event.modifiers)
    }
}

impl From<KeyPress> for KeyEvent {
    fn from(key: KeyPress) -> Self {
        Self::new(key.code, key.modifiers)
    }
}

/// The error for a text that is not the name of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a key; write `x`, `G`, `ctrl-u`, `alt-x`, `enter`, `esc`, `space`, `tab` or `f1`"
)]
pub struct UnknownKey(String);

/// The keys that have names. Characters are their own names.
const NAMES: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("space", KeyCode::Char(' ')),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("del", KeyCode::Delete),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
];

impl FromStr for KeyPress {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        let unknown = || UnknownKey(text.to_owned());
        let (mut rest, mut modifiers) = (text, KeyModifiers::NONE);
        loop {
            if let Some((_, code)) = NAMES.iter().find(|(name, _)| *name == rest) {
                return Ok(Self::of(*code, modifiers));
            }
            let prefixes = [
                ("ctrl-", KeyModifiers::CONTROL),
                ("alt-", KeyModifiers::ALT),
            ];
            let found = prefixes
                .iter()
                .find_map(|(prefix, modifier)| Some((rest.strip_prefix(prefix)?, *modifier)));
            let Some((shorter, modifier)) = found else {
                break;
            };
            (rest, modifiers) = (shorter, modifiers | modifier);
        }
        let mut chars = rest.chars();
        match (chars.next(), chars.as_str()) {
            (Some(c), "") if !c.is_control() => Ok(Self::of(KeyCode::Char(c), modifiers)),
            (Some('f'), number) => {
                let number = number.parse().map_err(|_| unknown())?;
                Ok(Self::of(KeyCode::F(number), modifiers))
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for KeyPress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("alt-")?;
        }
        let name = NAMES.iter().find(|(_, code)| *code == self.code);
        match (name, self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, KeyCode::F(number)) => write!(f, "f{number}"),
            (None, _) => f.write_str("?"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_print_as_they_are_written() {
        for text in [
            "j",
            "G",
            "?",
            "-",
            "ctrl-u",
            "alt-x",
            "ctrl-alt-x",
            "space",
            "shift-tab",
            "f12",
        ] {
            assert_eq!(
                text.parse::<KeyPress>().map(|key| key.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in ["", "jj", "ctrl-", "hyper-x", "fx"] {
            assert!(text.parse::<KeyPress>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn shift_belongs_to_the_character() {
        let event = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!("G".parse(), Ok(KeyPress::from(event)));
    }
}
