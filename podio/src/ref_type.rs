//! The kinds of objects that can have hooks.
//!
//! Used by the catalogue, the client's hook operations and the sandbox.

use std::fmt;
use std::str::FromStr;

/// The kind of object that has a hook: the first path
/// segment of Podio's hook operations (podio.md 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefType {
    /// An app: its items, comments, files, forms and the app itself.
    App,
    /// One field of an app: its hooks fire only when that field changes.
    AppField,
    /// A space: its apps, tasks, members, contacts and status posts.
    Space,
}

impl RefType {
    /// All kinds of objects that can have hooks.
    pub const ALL: &[Self] = &[Self::App, Self::AppField, Self::Space];

    /// Returns the path segment: `app`, `app_field` or `space`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::AppField => "app_field",
            Self::Space => "space",
        }
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that is not the name of a kind of object with hooks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("hooks are made on `app`, `app_field` or `space`, not on `{0}`")]
pub struct UnknownRefType(String);

impl FromStr for RefType {
    type Err = UnknownRefType;

    fn from_str(text: &str) -> Result<Self, UnknownRefType> {
        Self::ALL
            .iter()
            .find(|ref_type| ref_type.as_str() == text)
            .copied()
            .ok_or_else(|| UnknownRefType(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_parses_back_from_its_segment_and_others_are_told() {
        for &ref_type in RefType::ALL {
            assert_eq!(ref_type.as_str().parse(), Ok(ref_type));
        }
        let error = "workspace".parse::<RefType>().unwrap_err();
        assert!(error.to_string().contains("workspace"));
    }
}
