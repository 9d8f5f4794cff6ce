//! Apps, fields and spaces, on which hooks are created; and the scope of tokens.

use serde::{Deserialize, Serialize};

use crate::client::lenient::{lenient, list};

/// An app: a template with its fields, on which most hooks are created (podio.md 1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Unique in all of Podio; hooks of an app are created with it.
    #[serde(default, deserialize_with = "lenient")]
    pub app_id: u64,
    /// The id of its space.
    #[serde(default, deserialize_with = "lenient")]
    pub space_id: Option<u64>,
    /// The URL of its page.
    #[serde(default, deserialize_with = "lenient")]
    pub link: Option<String>,
    /// Its names and options.
    #[serde(default, deserialize_with = "lenient")]
    pub config: AppConfig,
    /// The rights of the caller; creating hooks requires `add_hook` (podio.md 1.4).
    #[serde(default, deserialize_with = "list")]
    pub rights: Vec<String>,
    /// In the order of Podio's response.
    #[serde(default, deserialize_with = "list")]
    pub fields: Vec<AppField>,
}

/// Names and options of an app. The options may keep hooks from firing (podio.md 1.1, unknown).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AppConfig {
    /// The app's name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// The name for one item of this app.
    #[serde(default, deserialize_with = "lenient")]
    pub item_name: Option<String>,
    /// Whether creating items is silent.
    #[serde(default, deserialize_with = "lenient")]
    pub silent_creates: Option<bool>,
    /// Whether editing items is silent.
    #[serde(default, deserialize_with = "lenient")]
    pub silent_edits: Option<bool>,
    /// Whether notifications are off.
    #[serde(default, deserialize_with = "lenient")]
    pub disable_notifications: Option<bool>,
}

/// A field of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppField {
    /// Unique in all of Podio; hooks on a single field are created with it.
    #[serde(default, deserialize_with = "lenient")]
    pub field_id: u64,
    /// Its name in the API.
    #[serde(default, deserialize_with = "lenient")]
    pub external_id: String,
    /// Its type, such as `text` or `calculation`.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: String,
    /// Its name for people.
    #[serde(default, deserialize_with = "lenient")]
    pub label: String,
}

/// A space: a folder of apps with its members. Hooks
/// on it report changes of apps, tasks and people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Unique in all of Podio; hooks of a space are created with it.
    #[serde(default, deserialize_with = "lenient")]
    pub space_id: u64,
    /// The name for people; it may change.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// The URL of its page.
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
}

/// An object that the tokens have access to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenScope {
    /// `app`, `space`, …; `None` for all objects.
    #[serde(default, deserialize_with = "lenient")]
    pub ref_type: Option<String>,
    /// The id of that app or space; `None` for all objects.
    #[serde(default, deserialize_with = "lenient")]
    pub ref_id: Option<u64>,
    /// The permissions on it.
    #[serde(default, deserialize_with = "list")]
    pub permissions: Vec<String>,
}
