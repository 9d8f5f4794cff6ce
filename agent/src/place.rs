//! Where hooks are made: an app, one of its fields, or a space. Item and comment events name none
//! of them (podio.md 1.1), so what a hook is on has to be learned and kept.

use std::fmt;

use podtap_podio::RefType;

/// An app, a field of an app, or a space; printed as `app 123`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceRef {
    /// What it is.
    pub ref_type: RefType,
    /// Its id.
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

/// A place with its name, as far as Podio was asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Which one.
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
