//! What hangs on items and spaces: comments, tasks, files.

use serde::{Deserialize, Serialize};

use super::reference::{ByLine, Person, Reference, Via};
use crate::client::lenient::lenient;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    #[serde(default, deserialize_with = "lenient")]
    pub comment_id: u64,
    /// Its text.
    #[serde(default, deserialize_with = "lenient")]
    pub value: String,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient")]
    pub created_on: Option<String>,
    /// Who made it.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// The API client that it was made through.
    #[serde(default, deserialize_with = "lenient")]
    pub created_via: Option<Via>,
    /// What it is on.
    #[serde(rename = "ref", default, deserialize_with = "lenient")]
    pub reference: Option<Reference>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    #[serde(default, deserialize_with = "lenient")]
    pub task_id: u64,
    /// What is to be done.
    #[serde(default, deserialize_with = "lenient")]
    pub text: String,
    /// `active` or `completed`.
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<String>,
    /// The day it is due, `YYYY-MM-DD`.
    #[serde(default, deserialize_with = "lenient")]
    pub due_date: Option<String>,
    /// Who has to do it.
    #[serde(default, deserialize_with = "lenient")]
    pub responsible: Option<Person>,
    /// Its page for people.
    #[serde(default, deserialize_with = "lenient")]
    pub link: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// What it belongs to.
    #[serde(rename = "ref", default, deserialize_with = "lenient")]
    pub reference: Option<Reference>,
}

/// A file, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    #[serde(default, deserialize_with = "lenient")]
    pub file_id: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// Its media type.
    #[serde(default, deserialize_with = "lenient")]
    pub mimetype: Option<String>,
    /// Its size in bytes.
    #[serde(default, deserialize_with = "lenient")]
    pub size: Option<u64>,
    /// Its page for people.
    #[serde(default, deserialize_with = "lenient")]
    pub link: Option<String>,
    /// What it is attached to.
    #[serde(default, deserialize_with = "lenient")]
    pub context: Option<Reference>,
    /// Who uploaded it.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// The API client that it was uploaded through.
    #[serde(default, deserialize_with = "lenient")]
    pub created_via: Option<Via>,
}
