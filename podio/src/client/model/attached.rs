//! Objects attached to items and spaces: comments, tasks, files.

use serde::{Deserialize, Serialize};

use super::reference::{ByLine, Person, Reference, Via};
use crate::client::lenient::lenient;

/// A comment on an item, a task, a status post or another object with comments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// The `comment_id` of an event.
    #[serde(default, deserialize_with = "lenient")]
    pub comment_id: u64,
    /// Its text.
    #[serde(default, deserialize_with = "lenient")]
    pub value: String,
    /// The time of its creation.
    #[serde(default, deserialize_with = "lenient")]
    pub created_on: Option<String>,
    /// The person or app that created it.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// The API client with which it was created.
    #[serde(default, deserialize_with = "lenient")]
    pub created_via: Option<Via>,
    /// The object that it is on.
    #[serde(rename = "ref", default, deserialize_with = "lenient")]
    pub reference: Option<Reference>,
}

/// A task, which may belong to an item or to a space. It has no revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The `task_id` of an event.
    #[serde(default, deserialize_with = "lenient")]
    pub task_id: u64,
    /// The text that says what to do.
    #[serde(default, deserialize_with = "lenient")]
    pub text: String,
    /// `active` or `completed`.
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<String>,
    /// The day on which it is due, `YYYY-MM-DD`.
    #[serde(default, deserialize_with = "lenient")]
    pub due_date: Option<String>,
    /// The person who has to do it.
    #[serde(default, deserialize_with = "lenient")]
    pub responsible: Option<Person>,
    /// The URL of its page.
    #[serde(default, deserialize_with = "lenient")]
    pub link: Option<String>,
    /// The person or app that created it, not always the responsible person.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// The object that it belongs to.
    #[serde(rename = "ref", default, deserialize_with = "lenient")]
    pub reference: Option<Reference>,
}

/// A file, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// One of the `file_ids` of a `file.change`.
    #[serde(default, deserialize_with = "lenient")]
    pub file_id: u64,
    /// The name of the uploaded file, with its extension.
    #[serde(default, deserialize_with = "lenient")]
    pub name: String,
    /// Its media type.
    #[serde(default, deserialize_with = "lenient")]
    pub mimetype: Option<String>,
    /// Its size in bytes.
    #[serde(default, deserialize_with = "lenient")]
    pub size: Option<u64>,
    /// The URL of its page.
    #[serde(default, deserialize_with = "lenient")]
    pub link: Option<String>,
    /// The object that it is attached to.
    #[serde(default, deserialize_with = "lenient")]
    pub context: Option<Reference>,
    /// The person or app that uploaded it.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// The API client with which it was uploaded.
    #[serde(default, deserialize_with = "lenient")]
    pub created_via: Option<Via>,
}
