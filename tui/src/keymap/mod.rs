//! Defines which key does what in which context. One table resolves keys and is the source of the
//! footer, the help and the palette, so that they always agree.

mod action;
mod key;
mod key_override;
mod rebind;
mod table;

pub use action::Action;
pub use key::{KeyPress, UnknownKey};
pub use key_override::{KeyOverride, KeymapError};

/// A context with keys of its own. Keys are looked up in the focused context first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// The list of events.
    List,
    /// The open event.
    Detail,
    /// The list and the detail.
    Browse,
    /// Any window over the panes.
    Modal,
    /// A window that asks for confirmation.
    Confirm,
    /// The hooks pane.
    Hooks,
    /// The timeline of an object, or another table of its kind.
    Table,
    /// A line in which a person types text.
    Typing,
    /// Every context.
    Global,
}

impl Context {
    /// Returns the heading of the context's keys in the help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::List => "In the list",
            Self::Detail => "In the detail",
            Self::Browse => "In both",
            Self::Modal => "In a window",
            Self::Confirm => "When asked",
            Self::Hooks => "In the hooks",
            Self::Table => "In a table",
            Self::Typing => "While typing",
            Self::Global => "Everywhere",
        }
    }

    const ALL: [Self; 9] = [
        Self::List,
        Self::Detail,
        Self::Browse,
        Self::Modal,
        Self::Confirm,
        Self::Hooks,
        Self::Table,
        Self::Typing,
        Self::Global,
    ];

    /// Returns the name of the context in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Detail => "detail",
            Self::Browse => "both",
            Self::Modal => "window",
            Self::Confirm => "question",
            Self::Hooks => "hook-list",
            Self::Table => "table",
            Self::Typing => "typing",
            Self::Global => "everywhere",
        }
    }

    /// Returns the context with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.name() == name)
    }

    /// Returns all names, for errors.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::name)
    }

    /// Returns whether the keys of this context come before the keys of
    /// `other`. Every context shadows itself.
    fn shadows(self, other: Self) -> bool {
        let nearer = match other {
            Self::Browse => matches!(self, Self::List | Self::Detail),
            Self::Global => true,
            _ => false,
        };
        nearer || self == other
    }
}

/// The keys for one action in one context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub context: Context,
    pub action: Action,
    /// The keys, the one to show first.
    pub keys: Vec<KeyPress>,
    /// One or two words for the footer; empty if the footer does not show it.
    pub label: &'static str,
    /// The text in the help.
    pub help: &'static str,
}

/// All bindings, in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap(Vec<Binding>);

impl Default for Keymap {
    fn default() -> Self {
        Self(table::bindings())
    }
}

impl Keymap {
    /// Returns the action of a key, looked up in these contexts in this order.
    pub fn resolve(&self, contexts: &[Context], key: KeyPress) -> Option<Action> {
        contexts.iter().find_map(|context| {
            let mut here = self.0.iter().filter(|binding| binding.context == *context);
            here.find(|binding| binding.keys.contains(&key))
                .map(|binding| binding.action)
        })
    }

    /// Returns the bindings of one context, including those without a key.
    pub fn all_of(&self, context: Context) -> impl Iterator<Item = &Binding> {
        let bindings = self.0.iter();
        bindings.filter(move |binding| binding.context == context)
    }

    /// Returns the bindings of one context that have a key.
    pub fn of(&self, context: Context) -> impl Iterator<Item = &Binding> {
        self.all_of(context)
            .filter(|binding| !binding.keys.is_empty())
    }

    /// Returns the key to show for an action, if it has one.
    pub fn key(&self, action: Action) -> Option<KeyPress> {
        let binding = self.0.iter().find(|binding| binding.action == action)?;
        binding.keys.first().copied()
    }

    /// Returns the key to show for an action in one context, if it has one there.
    pub fn key_in(&self, context: Context, action: Action) -> Option<KeyPress> {
        let here = self.of(context).find(|binding| binding.action == action);
        here.and_then(|binding| binding.keys.first().copied())
    }

    /// Returns what the keys of one context do, in words: `enter sends · esc leaves`. Actions
    /// without a key there are left out.
    pub fn hints(&self, context: Context, words: &[(Action, &str)]) -> String {
        let said = words.iter().filter_map(|(action, words)| {
            let key = self.key_in(context, *action)?;
            Some(format!("{key} {words}"))
        });
        said.collect::<Vec<_>>().join(" · ")
    }

    /// Returns how to close a window, in words.
    pub fn closes(&self) -> String {
        self.hints(Context::Modal, &[(Action::Back, "closes")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> KeyPress {
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
    fn hints_are_printed_from_the_keys_and_leave_out_what_has_none() {
        let words = [
            (Action::Open, "sends"),
            (Action::Quit, "quits"),
            (Action::Back, "leaves"),
        ];
        let says = Keymap::default().hints(Context::Typing, &words);
        assert_eq!(says, "enter sends · esc leaves");
    }
}
