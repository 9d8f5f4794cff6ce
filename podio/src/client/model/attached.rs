//! What hangs on items and spaces: comments, tasks, files.

use serde::{Deserialize, Serialize};

use super::reference::{ByLine, Person, Reference, Via};
use crate::client::lenient::lenient;

/// A comment on an item, a task, a status post or something else that takes comments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// As `comment_id` of an event names it.
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

/// A task, which may belong to an item or to a space. It has no revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// As `task_id` of an event names it.
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
    /// The person or app that made it, who may not be responsible.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// What it belongs to.
    #[serde(rename = "ref", default, deserialize_with = "lenient")]
    pub reference: Option<Reference>,
}

/// A file, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// As `file_ids` of `file.change` names it.
    #[serde(default, deserialize_with = "lenient")]
    pub file_id: u64,
    /// As it was uploaded, with its ending.
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
