//! A person's setting for other keys: how it is written, and every reason why it cannot be.

use super::{Action, Binding, Context, KeyPress, Keymap, UnknownKey};

/// Most keys of one action: the help has room for about as many.
const MAX_KEYS: usize = 8;

/// The key that quits everywhere, whatever is overridden.
const INTERRUPT: &str = "ctrl-c";

/// What a terminal sends for these keys is what it sends for those.
const SAME: &[(&str, &str)] = &[("ctrl-i", "tab"), ("ctrl-m", "enter"), ("ctrl-[", "esc")];

/// Keys that a person sets for an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOverride {
    /// In this place alone; `None` for every place in which the action has keys.
    pub place: Option<Context>,
    /// The action's name.
    pub action: String,
    /// The keys as written, the one to show first; none to take all away.
    pub keys: Vec<String>,
}

/// An override that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// No action has this name.
    #[error("`{0}` is not an action of a key")]
    UnknownAction(String),
    /// There is nothing like it in that place.
    #[error("`{action}` has no keys there, only in: {places}")]
    Elsewhere {
        action: &'static str,
        /// The names of the places where it has keys.
        places: String,
    },
    /// A text names no key.
    #[error(transparent)]
    UnknownKey(#[from] UnknownKey),
    /// The terminal cannot tell the key from another.
    #[error("a terminal sends `{same}` for `{key}`: write `{same}`")]
    Same {
        /// The key as written.
        key: String,
        /// What arrives.
        same: &'static str,
    },
    /// More than fit.
    #[error("an action has at most {MAX_KEYS} keys")]
    TooMany,
    /// The key is text there.
    #[error("`{0}` is text while you type: use a key such as `enter` or `ctrl-o`")]
    Text(KeyPress),
    /// The key quits, always.
    #[error("`{INTERRUPT}` always quits")]
    Interrupt,
    /// Two overrides for one key.
    #[error("`{key}` is given to `{other}` too, and only one gets it {}", place.title().to_lowercase())]
    Twice {
        key: KeyPress,
        other: &'static str,
        /// Where both are.
        place: Context,
    },
    /// A place could not be left, or not be used.
    #[error("`{}` needs a key {}: without one, you could not use that place, or not leave it", action.name(), place.title().to_lowercase())]
    NoWayOut {
        place: Context,
        /// What needs a key.
        action: Action,
    },
}

impl KeyOverride {
    /// The keys, each once.
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
    /// The overrides that make this keymap, as few as will do: one for an action with the same keys
    /// in all of its places, else one a place. Each with the help's words.
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
