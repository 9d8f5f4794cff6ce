//! People and their posts: contacts and status posts.

use serde::{Deserialize, Serialize};

use super::reference::{ByLine, Via};
use crate::client::lenient::{lenient, list};

/// A contact: a user's profile, or the profile in a space of a person without an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Id of the profile, which differs from the user's id.
    #[serde(default, deserialize_with = "lenient")]
    pub profile_id: u64,
    /// Id of the account, if the person has one.
    #[serde(default, deserialize_with = "lenient")]
    pub user_id: Option<u64>,
    /// The display name.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// Mail addresses.
    #[serde(default, deserialize_with = "list")]
    pub mail: Vec<String>,
    /// Phone numbers.
    #[serde(default, deserialize_with = "list")]
    pub phone: Vec<String>,
    /// The organization that the person works for.
    #[serde(default, deserialize_with = "lenient")]
    pub organization: Option<String>,
    /// The URL of the contact's page.
    #[serde(default, deserialize_with = "lenient")]
    pub link: Option<String>,
}

/// A status post in a space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPost {
    /// The `status_id` of an event.
    #[serde(default, deserialize_with = "lenient")]
    pub status_id: u64,
    /// Its text.
    #[serde(default, deserialize_with = "lenient")]
    pub value: String,
    /// The URL of its page.
    #[serde(default, deserialize_with = "lenient")]
    pub link: Option<String>,
    /// The time of the post.
    #[serde(default, deserialize_with = "lenient")]
    pub created_on: Option<String>,
    /// The person or app that posted it.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// The API client with which it was posted.
    #[serde(default, deserialize_with = "lenient")]
    pub created_via: Option<Via>,
}
