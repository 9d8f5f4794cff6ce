//! People, and what they post: contacts and status posts.

use serde::{Deserialize, Serialize};

use super::reference::{ByLine, Via};
use crate::client::lenient::{lenient, list};

/// A contact: a user's profile, or one that a space keeps of a person without an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Its id, which is not the user's.
    #[serde(default, deserialize_with = "lenient")]
    pub profile_id: u64,
    /// The account, where the person has one.
    #[serde(default, deserialize_with = "lenient")]
    pub user_id: Option<u64>,
    /// The name to show.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// Mail addresses.
    #[serde(default, deserialize_with = "list")]
    pub mail: Vec<String>,
    /// Phone numbers.
    #[serde(default, deserialize_with = "list")]
    pub phone: Vec<String>,
    /// Where the person works.
    #[serde(default, deserialize_with = "lenient")]
    pub organization: Option<String>,
    /// The page for people.
    #[serde(default, deserialize_with = "lenient")]
    pub link: Option<String>,
}

/// A status post in a space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusPost {
    /// As `status_id` of an event names it.
    #[serde(default, deserialize_with = "lenient")]
    pub status_id: u64,
    /// Its text.
    #[serde(default, deserialize_with = "lenient")]
    pub value: String,
    /// Its page for people.
    #[serde(default, deserialize_with = "lenient")]
    pub link: Option<String>,
    /// When it was posted.
    #[serde(default, deserialize_with = "lenient")]
    pub created_on: Option<String>,
    /// Who posted it.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// The API client that it was posted through.
    #[serde(default, deserialize_with = "lenient")]
    pub created_via: Option<Via>,
}
