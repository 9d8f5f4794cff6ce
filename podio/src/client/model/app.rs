//! What hooks are made on: apps, their fields, spaces; and what the tokens reach.

use serde::{Deserialize, Serialize};

/// An app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its id.
    pub app_id: u64,
    /// The space that it is in.
    #[serde(default)]
    pub space_id: Option<u64>,
    /// Its page for people.
    #[serde(default)]
    pub link: Option<String>,
    /// Its names and switches.
    #[serde(default)]
    pub config: AppConfig,
    /// What the caller may do; `add_hook` is needed to make hooks (podio.md 1.4).
    #[serde(default)]
    pub rights: Vec<String>,
    /// Its fields.
    #[serde(default)]
    pub fields: Vec<AppField>,
}

/// Names and switches of an app. The switches may keep hooks from firing (podio.md 1.1, unknown).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AppConfig {
    /// The app's name.
    #[serde(default)]
    pub name: String,
    /// What one of its items is called.
    #[serde(default)]
    pub item_name: Option<String>,
    /// Whether creating items is silent.
    #[serde(default)]
    pub silent_creates: Option<bool>,
    /// Whether editing items is silent.
    #[serde(default)]
    pub silent_edits: Option<bool>,
    /// Whether notifications are off.
    #[serde(default)]
    pub disable_notifications: Option<bool>,
}

/// A field of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppField {
    /// Its id.
    pub field_id: u64,
    /// Its name in the API.
    #[serde(default)]
    pub external_id: String,
    /// Its type, such as `text` or `calculation`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name for people.
    #[serde(default)]
    pub label: String,
}

/// A space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Its id.
    pub space_id: u64,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its page for people.
    #[serde(default)]
    pub url: Option<String>,
}

/// Something that the tokens reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// `app`, `space`, …; `None` for everything.
    #[serde(default)]
    pub ref_type: Option<String>,
    /// Its id.
    #[serde(default)]
    pub ref_id: Option<u64>,
    /// What may be done with it.
    #[serde(default)]
    pub permissions: Vec<String>,
}
