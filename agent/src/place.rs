//! The places of hooks: an app, one of its fields, or a space. Item and comment events do not name
//! them (podio.md 1.1), so the place of a hook must be learned and stored.

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
    /// Returns the app with this id.
    pub const fn app(app_id: u64) -> Self {
        Self {
            ref_type: RefType::App,
            ref_id: app_id,
        }
    }

    /// Returns the field with this id. Podio's hook operations do not name the app of a field.
    pub const fn field(field_id: u64) -> Self {
        Self {
            ref_type: RefType::AppField,
            ref_id: field_id,
        }
    }

    /// Returns the space with this id.
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

/// A hook to create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedHook {
    pub place: PlaceRef,
    pub event: EventType,
}

/// The text is not a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot have hooks; try app 123, space 9 or field 7")]
pub struct InvalidPlace(String);

impl FromStr for PlaceRef {
    type Err = InvalidPlace;

    /// Parses the printed form; an id alone is an app's.
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

/// A place with its name, if Podio was asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    pub at: PlaceRef,
    /// Its name. Untrusted text: escape it before showing it.
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
