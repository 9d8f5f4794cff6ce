//! What `why` is asked about: an object, a hook or an event type.

use std::fmt;

use podtap_podio::{EventType, ObjectKind, ObjectRef};

use super::ItemPage;
use crate::draft::nearest;

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// `item:4711`: its newest change.
    Object(ObjectRef),
    /// `hook:90211`: what it sends.
    Hook(u64),
    /// `item.update`: events of this type.
    Type(EventType),
}

/// What a person asked about, before Podio was asked for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyQuestion {
    Subject(Subject),
    /// The page of an item, whose id is to be found.
    Page(ItemPage),
}

impl WhyQuestion {
    /// What this text names: a subject, or the page of an item.
    ///
    /// # Errors
    /// When it names neither.
    pub fn parse(text: &str) -> Result<Self, NoSubject> {
        match ItemPage::parse(text) {
            Some(page) => Ok(Self::Page(page)),
            None => Subject::parse(text).map(Self::Subject),
        }
    }
}

/// Text that names nothing that can be asked about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSubject {
    /// Not a form that is known.
    #[error("`{0}` is not an object, a hook or an event type")]
    Form(String),
    /// An event type, mistyped.
    #[error("`{0}` is not a Podio event type; did you mean {1}?")]
    Type(String, &'static str),
    /// A link to something else than an item's page.
    #[error("the link is not to an item, such as https://podio.com/ORG/SPACE/apps/APP/items/12")]
    Link,
}

impl Subject {
    /// The subject that this text names: `item:4711`, `hook:5`, `item.update`, or a number, which is
    /// an item's.
    ///
    /// # Errors
    /// When it names none.
    pub fn parse(text: &str) -> Result<Self, NoSubject> {
        let text = text.trim();
        let wrong = || NoSubject::Form(text.to_owned());
        if text.contains("://") {
            return Err(NoSubject::Link);
        }
        if let Ok(id) = text.parse() {
            let kind = ObjectKind::Item;
            return Ok(Self::Object(ObjectRef { kind, id }));
        }
        if let Some((kind, id)) = text.split_once([':', '/', ' ']) {
            let id = id.trim().parse().map_err(|_| wrong())?;
            if kind == "hook" {
                return Ok(Self::Hook(id));
            }
            return ObjectKind::from_word(kind)
                .map(|kind| Self::Object(ObjectRef { kind, id }))
                .ok_or_else(wrong);
        }
        if let Ok(event) = text.parse() {
            return Ok(Self::Type(event));
        }
        Err(match nearest(text) {
            Some(near) if text.contains('.') => NoSubject::Type(text.to_owned(), near.as_str()),
            _ => wrong(),
        })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(object) => object.fmt(f),
            Self::Hook(id) => write!(f, "hook {id}"),
            Self::Type(event) => event.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_hooks_and_types_are_told_apart_and_a_mistake_is_named() {
        for (text, said) in [
            ("item:4711", "item 4711"),
            ("4711", "item 4711"),
            ("task/9", "task 9"),
            ("item 5", "item 5"),
            ("hook:90211", "hook 90211"),
            ("item.update", "item.update"),
        ] {
            assert_eq!(Subject::parse(text).unwrap().to_string(), said, "{text}");
        }
        for (text, said) in [
            ("item:x", "`item:x` is not an object"),
            ("thing:4", "`thing:4` is not an object"),
            ("item.updat", "did you mean item.update?"),
            ("https://podio.com/o/s/apps/a", "not to an item"),
            ("", "`` is not"),
        ] {
            let error = Subject::parse(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
