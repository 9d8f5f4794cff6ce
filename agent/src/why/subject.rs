//! The subject of `why`: an object, a hook or an event type.

use std::fmt;

use podtap_podio::{EventType, ObjectKind, ObjectRef};

use super::ItemPage;
use crate::draft::nearest;

/// The subject of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// `item:4711`: the newest change of the object.
    Object(ObjectRef),
    /// `hook:90211`: the events that the hook sends.
    Hook(u64),
    /// `item.update`: events of this type.
    Type(EventType),
}

/// A person's question, before Podio is asked for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyQuestion {
    Subject(Subject),
    /// The page of an item, whose id must be found.
    Page(ItemPage),
}

impl WhyQuestion {
    /// Parses a subject, or the page of an item.
    ///
    /// # Errors
    /// If the text is neither.
    pub fn parse(text: &str) -> Result<Self, NoSubject> {
        match ItemPage::parse(text) {
            Some(page) => Ok(Self::Page(page)),
            None => Subject::parse(text).map(Self::Subject),
        }
    }
}

/// The text is not a subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSubject {
    /// The form is unknown.
    #[error("`{0}` is not an object, a hook or an event type")]
    Form(String),
    /// A mistyped event type.
    #[error("`{0}` is not a Podio event type; did you mean {1}?")]
    Type(String, &'static str),
    /// A link that is not to an item's page.
    #[error("the link is not to an item, such as https://podio.com/ORG/SPACE/apps/APP/items/12")]
    Link,
}

impl Subject {
    /// Parses a subject: `item:4711`, `hook:5`, `item.update`, or a number, which is an item's id.
    ///
    /// # Errors
    /// If the text is not a subject.
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
