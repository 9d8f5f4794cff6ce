//! A person's setting of other keys for an action: its format, and every reason to refuse it.

use super::{Action, Binding, Context, KeyPress, Keymap, UnknownKey};

/// Maximum number of keys per action. The help has room for about as many.
const MAX_KEYS: usize = 8;

/// The key that always quits, and that cannot be overridden.
const INTERRUPT: &str = "ctrl-c";

/// Keys for which a terminal sends the same as for another key.
const SAME: &[(&str, &str)] = &[("ctrl-i", "tab"), ("ctrl-m", "enter"), ("ctrl-[", "esc")];

/// The keys that a person sets for an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOverride {
    /// The place in which the keys apply; `None` for every place in which the action has keys.
    pub place: Option<Context>,
    /// The action's name.
    pub action: String,
    /// The keys as written, the one to show first; empty to remove all keys.
    pub keys: Vec<String>,
}

/// Why an override is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// No action has this name.
    #[error("`{0}` is not an action of a key")]
    UnknownAction(String),
    /// The action has no keys in that place.
    #[error("`{action}` has no keys there, only in: {places}")]
    Elsewhere {
        action: &'static str,
        /// The names of the places in which it has keys.
        places: String,
    },
    /// The text is not the name of a key.
    #[error(transparent)]
    UnknownKey(#[from] UnknownKey),
    /// The terminal sends the same for the key as for another one.
    #[error("a terminal sends `{same}` for `{key}`: write `{same}`")]
    Same {
        /// The key as written.
        key: String,
        /// What the terminal sends.
        same: &'static str,
    },
    /// There are more than `MAX_KEYS` keys.
    #[error("an action has at most {MAX_KEYS} keys")]
    TooMany,
    /// The key types text in that place.
    #[error("`{0}` is text while you type: use a key such as `enter` or `ctrl-o`")]
    Text(KeyPress),
    /// The key always quits.
    #[error("`{INTERRUPT}` always quits")]
    Interrupt,
    /// Two overrides use the same key.
    #[error("`{key}` is given to `{other}` too, and only one gets it {}", place.title().to_lowercase())]
    Twice {
        key: KeyPress,
        other: &'static str,
        /// The place of both.
        place: Context,
    },
    /// A place could not be used or left.
    #[error("`{}` needs a key {}: without one, you could not use that place, or not leave it", action.name(), place.title().to_lowercase())]
    NoWayOut {
        place: Context,
        /// The action that needs a key.
        action: Action,
    },
}

impl KeyOverride {
    /// Returns the keys without duplicates.
    pub(super) fn parse(&self) -> Result<Vec<KeyPress>, KeymapError> {
        if self.keys.len() > MAX_KEYS {
            return Err(KeymapError::TooMany);
        }
        let mut keys = Vec::with_capacity(self.keys.len());
        for text in &self.keys {
            let key: KeyPress = text.parse()?;
            let plain = key.to_string();
            if let Some((_, same)) = SAME.iter().find(|(key, _)| plain == *key) {
                return Err(KeymapError::Same { key: plain, same });
            }
            if plain == INTERRUPT && self.action != Action::Quit.name() {
                return Err(KeymapError::Interrupt);
            }
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Ok(keys)
    }
}

impl Keymap {
    /// Returns the smallest list of overrides that makes this keymap, each with the help text: one
    /// override for an action with the same keys in all of its places, otherwise one per place.
    pub fn overrides(&self) -> Vec<(KeyOverride, String)> {
        let mut overrides = Vec::new();
        for action in Action::ALL {
            let own: Vec<&Binding> = self.0.iter().filter(|b| b.action == *action).collect();
            let key_override = |binding: &Binding, place| KeyOverride {
                place,
                action: action.name().to_owned(),
                keys: binding.keys.iter().map(ToString::to_string).collect(),
            };
            match own.as_slice() {
                [first, rest @ ..] if rest.iter().all(|b| b.keys == first.keys) => {
                    let mut help: Vec<&str> = own.iter().map(|b| b.help).collect();
                    help.dedup();
                    overrides.push((key_override(first, None), help.join(" · ")));
                }
                several => {
                    let each = several.iter();
                    overrides.extend(
                        each.map(|b| (key_override(b, Some(b.context)), b.help.to_owned())),
                    );
                }
            }
        }
        overrides
    }
}
