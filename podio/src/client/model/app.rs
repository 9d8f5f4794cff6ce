//! What hooks are made on: apps, their fields, spaces; and what the tokens reach.

use serde::{Deserialize, Serialize};

use crate::client::lenient::{lenient, list};

/// An app: a template with its fields, on which most hooks are made (podio.md 1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Unique in all of Podio; hooks of an app are made with it.
    #[serde(default, deserialize_with = "lenient")]
    pub app_id: u64,
    /// The space that it is in.
    #[serde(default, deserialize_with = "lenient")]
    pub space_id: Option<u64>,
    /// Its page for people.
    #[serde(default, deserialize_with = "lenient")]
    pub link: Option<String>,
    /// Its names and switches.
    #[serde(default, deserialize_with = "lenient")]
    pub config: AppConfig,
    /// What the caller may do; `add_hook` is needed to make hooks (podio.md 1.4).
    #[serde(default, deserialize_with = "list")]
    pub rights: Vec<String>,
    /// In the order in which Podio answers them.
    #[serde(default, deserialize_with = "list")]
    pub fields: Vec<AppField>,
}

/// Names and switches of an app. The switches may keep hooks from firing (podio.md 1.1, unknown).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AppConfig {
    /// The app's name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// What one of its items is called.
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
    /// Unique in all of Podio; hooks on a single field are made with it.
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

/// A space: a folder of apps with its members. Hooks on it tell about apps, tasks and people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Unique in all of Podio; hooks of a space are made with it.
    #[serde(default, deserialize_with = "lenient")]
    pub space_id: u64,
    /// As people see it; it may change.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// Its page for people.
    #[serde(default, deserialize_with = "lenient")]
    pub url: Option<String>,
}

/// Something that the tokens reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenScope {
    /// `app`, `space`, …; `None` for everything.
    #[serde(default, deserialize_with = "lenient")]
    pub ref_type: Option<String>,
    /// The id of that app or space; `None` for everything.
    #[serde(default, deserialize_with = "lenient")]
    pub ref_id: Option<u64>,
    /// What may be done with it.
    #[serde(default, deserialize_with = "list")]
    pub permissions: Vec<String>,
}
