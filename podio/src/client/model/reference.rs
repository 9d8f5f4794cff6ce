//! How objects name each other: who did it, through what, on what.

use serde::{Deserialize, Serialize};

use crate::client::lenient::lenient;

/// Who did something: a person or an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByLine {
    /// `user` or `app`.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: String,
    /// The user's or app's id.
    #[serde(default, deserialize_with = "lenient")]
    pub id: u64,
    /// The name to show.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
}

/// The API client through which something was done: the strongest evidence of a loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// Podio's own number for it.
    #[serde(default, deserialize_with = "lenient")]
    pub id: Option<u64>,
    /// The id of the registered API client.
    #[serde(default, deserialize_with = "lenient")]
    pub auth_client_id: Option<u64>,
    /// The registered name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
}

impl Via {
    /// Whether it is Podio itself: its web pages and apps, where `hook=false` cannot be set.
    pub fn is_podio_itself(&self) -> bool {
        self.name.eq_ignore_ascii_case("podio")
    }
}

/// A person, by the members of a profile that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The account, where the person has one.
    #[serde(default, deserialize_with = "lenient")]
    pub user_id: Option<u64>,
    /// The name to show.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
}

/// What something is attached to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// `item`, `task`, `space`, …
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: String,
    /// Unique within its `kind`.
    #[serde(default, deserialize_with = "lenient")]
    pub id: u64,
    /// Its title, where Podio gives it.
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
}

/// An app as other objects name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppRef {
    /// `None` if Podio names the app without it.
    #[serde(default, deserialize_with = "lenient")]
    pub app_id: Option<u64>,
    /// As people see it; it may change.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// What one of its items is called.
    #[serde(default, deserialize_with = "lenient")]
    pub item_name: Option<String>,
    /// The space that it is in.
    #[serde(default, deserialize_with = "lenient")]
    pub space_id: Option<u64>,
}
