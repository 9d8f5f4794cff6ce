//! A decoded webhook: its type, its hook, and all parameters in their original order.
//!
//! Created by [`crate::decode()`], or from pairs if an event is composed. It does not depend
//! on HTTP, and nothing is lost: parameters that Podio adds later are kept and shown.

use std::fmt;

use crate::catalog::EventType;

/// The type of an event: one of the catalogue, or one that Podio has added since.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A type of the catalogue.
    Known(EventType),
    /// Any other text, unchanged. It is shown, never refused.
    Other(String),
}

impl EventKind {
    /// Returns the value of the parameter `type`. It is
    /// text from outside: escape it before showing it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(event) => event.as_str(),
            Self::Other(text) => text,
        }
    }
}

impl From<&str> for EventKind {
    fn from(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::Other(text.to_owned()), Self::Known)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The kind of object that an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// An item of an app.
    Item,
    /// A task of an item or a space.
    Task,
    /// A comment on something other than an item.
    Comment,
    /// An app: its template was changed.
    App,
    /// A web form, if the event names no app.
    Form,
    /// A space, if the event names nothing in it.
    Space,
    /// A member of a space.
    User,
    /// A contact.
    Profile,
    /// A status post.
    Status,
}

impl ObjectKind {
    /// All kinds, in the order in which an event's object is determined: a container
    /// before its parts, so that all events of an item have the same object (invariant 2).
    pub const BY_PRECEDENCE: &[Self] = &[
        Self::Item,
        Self::Task,
        Self::Comment,
        Self::App,
        Self::Form,
        Self::Space,
        Self::User,
        Self::Profile,
        Self::Status,
    ];

    /// Returns the kind with this name.
    pub fn from_word(word: &str) -> Option<Self> {
        let mut kinds = Self::BY_PRECEDENCE.iter().copied();
        kinds.find(|kind| kind.as_str() == word)
    }

    /// Returns the name of the kind: `item`, `task`, …
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::Task => "task",
            Self::Comment => "comment",
            Self::App => "app",
            Self::Form => "form",
            Self::Space => "space",
            Self::User => "user",
            Self::Profile => "profile",
            Self::Status => "status",
        }
    }

    /// Returns the parameter that contains the object's id: `item_id`, `task_id`, …
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Item => "item_id",
            Self::Task => "task_id",
            Self::Comment => "comment_id",
            Self::App => "app_id",
            Self::Form => "form_id",
            Self::Space => "space_id",
            Self::User => "user_id",
            Self::Profile => "profile_id",
            Self::Status => "status_id",
        }
    }
}

/// A reference to an object in Podio; displayed as `item 4711`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// The kind of the object.
    pub kind: ObjectKind,
    /// Its id, unique within its kind.
    pub id: u64,
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.id)
    }
}

/// A decoded webhook of Podio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodioEvent {
    /// Its type.
    pub kind: EventKind,
    /// The hook that sent it, if the parameter exists and is a number.
    pub hook_id: Option<u64>,
    /// Every pair of the body in order, including `type`, `hook_id`, repeated names,
    /// and what Podio moved here from the query of the hook's URL (podio.md 1.2).
    pub params: Vec<(String, String)>,
}

impl PodioEvent {
    /// Builds the event from these pairs; returns `None` if they have no `type`.
    ///
    /// Of repeated names, the first counts. As far as is known, Podio's
    /// own come before those of the URL's query (podio.md 1.2, inferred).
    pub fn from_params(params: Vec<(String, String)>) -> Option<Self> {
        let kind = EventKind::from(find(&params, "type").filter(|text| !text.is_empty())?);
        let hook_id = find(&params, "hook_id").and_then(parse_id);
        Some(Self {
            kind,
            hook_id,
            params,
        })
    }

    /// Returns the first value of `name`.
    pub fn param(&self, name: &str) -> Option<&str> {
        find(&self.params, name)
    }

    /// Returns the value of `name` as an id: only decimal digits, at most 64 bits.
    pub fn id(&self, name: &str) -> Option<u64> {
        self.param(name).and_then(parse_id)
    }

    /// Returns the item's own revision number: 0 at creation (podio.md 1.1, `item_revision_id`).
    pub fn revision(&self) -> Option<u64> {
        self.id("item_revision_id")
    }

    /// Returns the object that the event is about: the item, or else the task, the comment,
    /// the app, and so on. `None` for `hook.verify` and for events that name no object.
    pub fn object(&self) -> Option<ObjectRef> {
        ObjectKind::BY_PRECEDENCE.iter().find_map(|&kind| {
            let id = self.id(kind.parameter())?;
            Some(ObjectRef { kind, id })
        })
    }

    /// Returns the code of a `hook.verify`, which the validation sends back.
    pub fn code(&self) -> Option<&str> {
        self.param("code")
    }
}

fn find<'a>(params: &'a [(String, String)], name: &str) -> Option<&'a str> {
    params
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// Parses an id; stricter than `u64::from_str`, which accepts a plus sign (invariant 7).
fn parse_id(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(params: &[(&str, &str)]) -> PodioEvent {
        let params = params
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        PodioEvent::from_params(params).unwrap()
    }

    #[test]
    fn all_events_of_an_item_share_one_object() {
        let update = event(&[("type", "item.update"), ("item_id", "4711")]);
        let comment = event(&[
            ("comment_id", "9"),
            ("item_id", "4711"),
            ("type", "comment.create"),
        ]);
        assert_eq!(update.object(), comment.object());
        assert_eq!(update.object().unwrap().to_string(), "item 4711");
    }

    #[test]
    fn ids_are_digits_of_at_most_64_bits() {
        for (text, id) in [
            ("3345393757", Some(3_345_393_757)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("+5", None),
            ("-5", None),
            ("", None),
            ("5 ", None),
            ("٥", None),
        ] {
            let event = event(&[("type", "item.update"), ("item_id", text)]);
            assert_eq!(event.id("item_id"), id, "{text:?}");
        }
    }

    #[test]
    fn an_unknown_type_is_kept_as_it_came() {
        let event = event(&[("type", "item.moved"), ("hook_id", "x")]);
        assert_eq!(event.kind, EventKind::Other("item.moved".to_owned()));
        assert_eq!((event.hook_id, event.object()), (None, None));
    }

    #[test]
    fn the_first_of_repeated_names_counts_and_all_are_kept() {
        let event = event(&[("type", "item.update"), ("type", "x"), ("type", "y")]);
        assert_eq!(event.kind, EventKind::Known(EventType::ItemUpdate));
        assert_eq!(event.params.len(), 3);
    }
}
