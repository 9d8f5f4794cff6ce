//! Items, their revisions, and what a revision changed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reference::{AppRef, ByLine, Via};
use crate::client::lenient::{lenient, list, values};

/// An item as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Unique in all of Podio; the last number in its URL is its number in the app.
    #[serde(default, deserialize_with = "lenient")]
    pub item_id: u64,
    /// As Podio makes it of the fields; it may be empty.
    #[serde(default, deserialize_with = "lenient")]
    pub title: String,
    /// Its page for people.
    #[serde(default, deserialize_with = "lenient")]
    pub link: Option<String>,
    /// The id that the developer gave it.
    #[serde(default, deserialize_with = "lenient")]
    pub external_id: Option<String>,
    /// The app that it is in.
    #[serde(default, deserialize_with = "lenient")]
    pub app: Option<AppRef>,
    /// The number of its newest revision.
    #[serde(default, deserialize_with = "lenient")]
    pub revision: Option<u64>,
    /// When it was created.
    #[serde(default, deserialize_with = "lenient")]
    pub created_on: Option<String>,
    /// The person or app that made its first revision.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// The newest revision.
    #[serde(default, deserialize_with = "lenient")]
    pub current_revision: Option<Revision>,
    /// In the order in which Podio answers them.
    #[serde(default, deserialize_with = "list")]
    pub tags: Vec<String>,
    /// Those with a value, in the order in which Podio answers them.
    #[serde(default, deserialize_with = "list")]
    pub fields: Vec<FieldValue>,
}

/// One field of an item with its values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldValue {
    /// The [`AppField`](super::AppField) that it belongs to.
    #[serde(default, deserialize_with = "lenient")]
    pub field_id: u64,
    /// Its name in the API.
    #[serde(default, deserialize_with = "lenient")]
    pub external_id: String,
    /// Its name for people.
    #[serde(default, deserialize_with = "lenient")]
    pub label: String,
    /// Its type, such as `text` or `category`.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: String,
    /// What its type leaves open.
    #[serde(default, deserialize_with = "lenient")]
    pub config: FieldConfig,
    /// The values, in Podio's shape; [`crate::wording`] reads them.
    #[serde(default, deserialize_with = "values")]
    pub values: Vec<Value>,
}

/// How a field is set up, as far as its values are read by it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FieldConfig {
    /// Settings of its type, such as a text's `size`; `Null` where they are not told.
    #[serde(default)]
    pub settings: Value,
}

/// One change of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The item's own number: 0 at creation. Events call it `item_revision_id`.
    #[serde(default, deserialize_with = "lenient")]
    pub revision: u64,
    /// Podio's global number of the revision; not what events carry.
    #[serde(default, deserialize_with = "lenient")]
    pub item_revision_id: Option<u64>,
    /// What kind of change it was.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: RevisionKind,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient")]
    pub created_on: Option<String>,
    /// Who made it.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// The API client that it was made through.
    #[serde(default, deserialize_with = "lenient")]
    pub created_via: Option<Via>,
}

/// The kind of change that a revision is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevisionKind {
    /// The first: number 0.
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
    /// The [`AppField`](super::AppField) that it belongs to.
    #[serde(default, deserialize_with = "lenient")]
    pub field_id: u64,
    /// Its name in the API.
    #[serde(default, deserialize_with = "lenient")]
    pub external_id: String,
    /// Its name for people.
    #[serde(default, deserialize_with = "lenient")]
    pub label: String,
    /// Its type, such as `text` or `category`.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: String,
    /// What its type leaves open; Podio does not always tell it here.
    #[serde(default, deserialize_with = "lenient")]
    pub config: FieldConfig,
    /// The values before; [`crate::wording`] reads them.
    #[serde(default, deserialize_with = "values")]
    pub from: Vec<Value>,
    /// The values after.
    #[serde(default, deserialize_with = "values")]
    pub to: Vec<Value>,
}
