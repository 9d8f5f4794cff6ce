//! Items, their revisions, and what a revision changed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reference::{AppRef, ByLine, Via};

/// An item as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Its id.
    pub item_id: u64,
    /// Its title.
    #[serde(default)]
    pub title: String,
    /// Its page for people.
    #[serde(default)]
    pub link: Option<String>,
    /// The id that the developer gave it.
    #[serde(default)]
    pub external_id: Option<String>,
    /// The app that it is in.
    #[serde(default)]
    pub app: Option<AppRef>,
    /// The number of its newest revision.
    #[serde(default)]
    pub revision: Option<u64>,
    /// When it was created.
    #[serde(default)]
    pub created_on: Option<String>,
    /// Who created it.
    #[serde(default)]
    pub created_by: Option<ByLine>,
    /// The newest revision.
    #[serde(default)]
    pub current_revision: Option<Revision>,
    /// Its values.
    #[serde(default)]
    pub fields: Vec<FieldValue>,
}

/// One field of an item with its values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldValue {
    /// The field.
    pub field_id: u64,
    /// Its name in the API.
    #[serde(default)]
    pub external_id: String,
    /// Its name for people.
    #[serde(default)]
    pub label: String,
    /// Its type, such as `text` or `category`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The values, in Podio's shape; [`crate::client::plain_text`] reads them.
    #[serde(default)]
    pub values: Vec<Value>,
}

/// One change of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The item's own number: 0 at creation. Events call it `item_revision_id`.
    pub revision: u64,
    /// Podio's global number of the revision; not what events carry.
    #[serde(default)]
    pub item_revision_id: Option<u64>,
    /// What kind of change it was.
    #[serde(rename = "type", default)]
    pub kind: RevisionKind,
    /// When it was made.
    #[serde(default)]
    pub created_on: Option<String>,
    /// Who made it.
    #[serde(default)]
    pub created_by: Option<ByLine>,
    /// The API client that it was made through.
    #[serde(default)]
    pub created_via: Option<Via>,
}

/// The kind of change that a revision is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevisionKind {
    /// The first.
    Creation,
    /// A later one.
    Update,
    /// The last.
    Delete,
    /// A word that this build does not know, or none.
    #[default]
    #[serde(other)]
    Unknown,
}

/// One field's part of the difference between two revisions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field.
    pub field_id: u64,
    /// Its name in the API.
    #[serde(default)]
    pub external_id: String,
    /// Its name for people.
    #[serde(default)]
    pub label: String,
    /// Its type, such as `text` or `category`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The values before; [`crate::client::plain_text`] reads them.
    #[serde(default)]
    pub from: Vec<Value>,
    /// The values after.
    #[serde(default)]
    pub to: Vec<Value>,
}
