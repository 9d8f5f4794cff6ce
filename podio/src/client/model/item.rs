//! Items, their revisions, and the changes of a revision.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reference::{AppRef, ByLine, Via};
use crate::client::lenient::{lenient, list, values};

/// The current state of an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Unique in all of Podio. The last number in its URL is its number in the app.
    #[serde(default, deserialize_with = "lenient")]
    pub item_id: u64,
    /// The title that Podio generates from the fields; it may be empty.
    #[serde(default, deserialize_with = "lenient")]
    pub title: String,
    /// The URL of its page.
    #[serde(default, deserialize_with = "lenient")]
    pub link: Option<String>,
    /// The id that the developer gave it.
    #[serde(default, deserialize_with = "lenient")]
    pub external_id: Option<String>,
    /// The app that it belongs to.
    #[serde(default, deserialize_with = "lenient")]
    pub app: Option<AppRef>,
    /// The number of its newest revision.
    #[serde(default, deserialize_with = "lenient")]
    pub revision: Option<u64>,
    /// The time of its creation.
    #[serde(default, deserialize_with = "lenient")]
    pub created_on: Option<String>,
    /// The person or app that created it.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// The newest revision.
    #[serde(default, deserialize_with = "lenient")]
    pub current_revision: Option<Revision>,
    /// In the order of Podio's response.
    #[serde(default, deserialize_with = "list")]
    pub tags: Vec<String>,
    /// The fields with a value, in the order of Podio's response.
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
    /// Settings that its type does not determine.
    #[serde(default, deserialize_with = "lenient")]
    pub config: FieldConfig,
    /// The values, as Podio sends them; [`crate::wording`] formats them.
    #[serde(default, deserialize_with = "values")]
    pub values: Vec<Value>,
}

/// The settings of a field that affect how its values are read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FieldConfig {
    /// Settings of its type, such as the `size` of a text; `Null` if Podio does not send them.
    #[serde(default)]
    pub settings: Value,
}

/// One change of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The item's own revision number: 0 at creation. Events call it `item_revision_id`.
    #[serde(default, deserialize_with = "lenient")]
    pub revision: u64,
    /// Podio's global id of the revision; events do not contain it.
    #[serde(default, deserialize_with = "lenient")]
    pub item_revision_id: Option<u64>,
    /// The kind of the change.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: RevisionKind,
    /// The time of the change.
    #[serde(default, deserialize_with = "lenient")]
    pub created_on: Option<String>,
    /// The person or app that made it.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// The API client with which it was made.
    #[serde(default, deserialize_with = "lenient")]
    pub created_via: Option<Via>,
}

/// The kind of a revision's change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevisionKind {
    /// The creation, with number 0.
    Creation,
    /// A later change.
    Update,
    /// The deletion.
    Delete,
    /// A kind that this build does not know, or none.
    #[default]
    #[serde(other)]
    Unknown,
}

/// The change of one field between two revisions.
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
    /// Settings that its type does not determine; Podio does not always send them here.
    #[serde(default, deserialize_with = "lenient")]
    pub config: FieldConfig,
    /// The values before the change; [`crate::wording`] formats them.
    #[serde(default, deserialize_with = "values")]
    pub from: Vec<Value>,
    /// The values after the change.
    #[serde(default, deserialize_with = "values")]
    pub to: Vec<Value>,
}
