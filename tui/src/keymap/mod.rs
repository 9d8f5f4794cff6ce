//! Which key does what, where: one table, from which keys resolve, and from which the footer, the
//! help and the palette are printed, so that none of them can disagree.

mod action;
mod key;
mod table;

pub use action::Action;
pub use key::{Key, UnknownKey};

/// A place that has keys of its own. Keys are looked up in the focused place first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// The list of events.
    List,
    /// The open event.
    Detail,
    /// Both of them.
    Browse,
    /// Any window over them.
    Modal,
    /// A window that asks whether something shall be done.
    Confirm,
    /// A line of text being typed.
    Typing,
    /// Everywhere.
    Global,
}

impl Context {
    /// The heading of its keys in the help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::List => "In the list",
            Self::Detail => "In the detail",
            Self::Browse => "In both",
            Self::Modal => "In a window",
            Self::Confirm => "When asked",
            Self::Typing => "While typing",
            Self::Global => "Everywhere",
        }
    }
}

/// Keys that do one thing in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Where.
    pub context: Context,
    /// What.
    pub action: Action,
    /// By which keys, the one to show first.
    pub keys: Vec<Key>,
    /// One or two words for the footer; empty where it stays out of it.
    pub label: &'static str,
    /// The help's words.
    pub help: &'static str,
}

/// Every binding, in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap(Vec<Binding>);

/// A binding of the configuration that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// No action has this name.
    #[error("{0:?} is nothing that a key can do; the help lists the names")]
    UnknownAction(String),
    /// A text names no key.
    #[error(transparent)]
    UnknownKey(#[from] UnknownKey),
}

impl Default for Keymap {
    fn default() -> Self {
        Self(table::bindings())
    }
}

impl Keymap {
    /// Gives an action other keys, everywhere it has some; takes those keys from what had them in
    /// the same place.
    ///
    /// # Errors
    /// When the action or a key is unknown; nothing has changed then.
    pub fn rebind(&mut self, action: &str, keys: &[&str]) -> Result<(), KeymapError> {
        let keys: Vec<Key> = keys
            .iter()
            .map(|key| key.parse())
            .collect::<Result<_, _>>()?;
        let places: Vec<Context> = self
            .of_name(action)
            .map(|binding| binding.context)
            .collect();
        if places.is_empty() {
            return Err(KeymapError::UnknownAction(action.to_owned()));
        }
        for binding in &mut self.0 {
            if binding.action.name() == action {
                binding.keys.clone_from(&keys);
            } else if places.contains(&binding.context) {
                binding.keys.retain(|key| !keys.contains(key));
            }
        }
        Ok(())
    }

    /// What a key does where these places are looked through in this order.
    pub fn resolve(&self, contexts: &[Context], key: Key) -> Option<Action> {
        contexts.iter().find_map(|context| {
            let mut here = self.0.iter().filter(|binding| binding.context == *context);
            here.find(|binding| binding.keys.contains(&key))
                .map(|binding| binding.action)
        })
    }

    /// The bindings of one place that have a key.
    pub fn of(&self, context: Context) -> impl Iterator<Item = &Binding> {
        self.0
            .iter()
            .filter(move |binding| binding.context == context && !binding.keys.is_empty())
    }

    /// The key to show for an action, if it has one.
    pub fn key(&self, action: Action) -> Option<Key> {
        let binding = self.0.iter().find(|binding| binding.action == action)?;
        binding.keys.first().copied()
    }

    fn of_name<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Binding> {
        self.0
            .iter()
            .filter(move |binding| binding.action.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        text.parse().unwrap()
    }

    #[test]
    fn the_focused_place_is_looked_through_first() {
        let keymap = Keymap::default();
        let list = [Context::List, Context::Browse, Context::Global];
        let detail = [Context::Detail, Context::Browse, Context::Global];
        assert_eq!(keymap.resolve(&list, key("q")), Some(Action::Quit));
        assert_eq!(keymap.resolve(&detail, key("q")), Some(Action::Back));
        assert_eq!(keymap.resolve(&detail, key("ctrl-c")), Some(Action::Quit));
        assert_eq!(keymap.resolve(&list, key("f9")), None);
    }

    #[test]
    fn no_key_does_two_things_in_one_place() {
        let keymap = Keymap::default();
        let mut seen = std::collections::HashMap::new();
        for binding in &keymap.0 {
            for key in &binding.keys {
                let before = seen.insert((binding.context, *key), binding.action);
                assert_eq!(before, None, "{key} in {:?}", binding.context);
            }
        }
    }

    #[test]
    fn a_rebound_key_is_taken_from_what_had_it() {
        let mut keymap = Keymap::default();
        keymap.rebind("replay", &["j", "ctrl-r"]).unwrap();
        let list = [Context::List, Context::Browse];
        assert_eq!(keymap.resolve(&list, key("ctrl-r")), Some(Action::Replay));
        assert_eq!(keymap.resolve(&list, key("r")), None);
        assert!(keymap.rebind("fly", &["x"]).is_err());
        assert!(keymap.rebind("replay", &["xx"]).is_err());
    }
}
