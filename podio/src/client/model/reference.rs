//! How objects refer to each other: who made a change, with which client, on which object.

use serde::{Deserialize, Serialize};

use crate::client::lenient::lenient;

/// The author of a change: a person or an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByLine {
    /// `user` or `app`.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: String,
    /// The user's or app's id.
    #[serde(default, deserialize_with = "lenient")]
    pub id: u64,
    /// The display name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
}

/// The API client with which a change was made: the strongest evidence of a loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// Podio's internal id of it.
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
    /// Returns whether it is Podio itself: its web pages and apps, which cannot set `hook=false`.
    pub fn is_podio_itself(&self) -> bool {
        self.name.eq_ignore_ascii_case("podio")
    }
}

/// A person, with the members of a profile that Podtap needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Id of the account, if the person has one.
    #[serde(default, deserialize_with = "lenient")]
    pub user_id: Option<u64>,
    /// The display name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
}

/// The object that something is attached to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// `item`, `task`, `space`, …
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub kind: String,
    /// Unique within its `kind`.
    #[serde(default, deserialize_with = "lenient")]
    pub id: u64,
    /// Its title, if Podio sends it.
    #[serde(default, deserialize_with = "lenient")]
    pub title: Option<String>,
}

/// A reference to an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppRef {
    /// `None` if Podio does not send it.
    #[serde(default, deserialize_with = "lenient")]
    pub app_id: Option<u64>,
    /// The name for people; it may change.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// The name for one item of this app.
    #[serde(default, deserialize_with = "lenient")]
    pub item_name: Option<String>,
    /// The id of its space.
    #[serde(default, deserialize_with = "lenient")]
    pub space_id: Option<u64>,
}
