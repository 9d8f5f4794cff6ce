//! Where hooks are made: an app, one of its fields, or a space. Item and comment events name none
//! of them (podio.md 1.1), so what a hook is on has to be learned and kept.

use std::fmt;
use std::str::FromStr;

use podtap_podio::{EventType, RefType};

/// An app, a field of an app, or a space; printed as `app 123`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceRef {
    pub ref_type: RefType,
    pub ref_id: u64,
}

impl PlaceRef {
    /// The app with this id.
    pub const fn app(app_id: u64) -> Self {
        Self {
            ref_type: RefType::App,
            ref_id: app_id,
        }
    }

    /// The field with this id. Podio names no app in its hook operations.
    pub const fn field(field_id: u64) -> Self {
        Self {
            ref_type: RefType::AppField,
            ref_id: field_id,
        }
    }

    /// The space with this id.
    pub const fn space(space_id: u64) -> Self {
        Self {
            ref_type: RefType::Space,
            ref_id: space_id,
        }
    }
}

impl fmt::Display for PlaceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.ref_type {
            RefType::App => "app",
            RefType::AppField => "field",
            RefType::Space => "space",
        };
        write!(f, "{word} {}", self.ref_id)
    }
}

/// A hook to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedHook {
    pub place: PlaceRef,
    pub event: EventType,
}

/// A text that names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot have hooks; try app 123, space 9 or field 7")]
pub struct InvalidPlace(String);

impl FromStr for PlaceRef {
    type Err = InvalidPlace;

    /// Reads what is printed; an id alone is an app's.
    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let invalid = || InvalidPlace(text.trim().to_owned());
        let mut words = text.split_whitespace().rev();
        let id = words.next().and_then(|id| id.parse().ok());
        let id = id.ok_or_else(invalid)?;
        let place = match words.next() {
            Some("app") | None => Self::app(id),
            Some("space") => Self::space(id),
            Some("field") => Self::field(id),
            Some(_) => return Err(invalid()),
        };
        words.next().map_or(Ok(place), |_| Err(invalid()))
    }
}

/// A place with its name, as far as Podio was asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    pub at: PlaceRef,
    /// What people call it. Text of the outside world: escape it before showing it.
    pub name: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => self.at.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_from_what_is_printed() {
        for place in [PlaceRef::app(123), PlaceRef::space(9), PlaceRef::field(7)] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        assert_eq!(" 123 ".parse(), Ok(PlaceRef::app(123)));
        for text in ["", "app", "item 7", "my app 7", "app -1", "app 1 2"] {
            let error = text.parse::<PlaceRef>().unwrap_err();
            assert!(error.to_string().contains("app 123"), "{error}");
        }
    }
}
