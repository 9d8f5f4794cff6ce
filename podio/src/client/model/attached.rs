//! What hangs on items and spaces: comments, tasks, files.

use serde::{Deserialize, Serialize};

use super::reference::{ByLine, Person, Reference};

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Its id.
    pub comment_id: u64,
    /// Its text.
    #[serde(default)]
    pub value: String,
    /// When it was made.
    #[serde(default)]
    pub created_on: Option<String>,
    /// Who made it.
    #[serde(default)]
    pub created_by: Option<ByLine>,
    /// What it is on.
    #[serde(rename = "ref", default)]
    pub reference: Option<Reference>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub task_id: u64,
    /// What is to be done.
    #[serde(default)]
    pub text: String,
    /// `active` or `completed`.
    #[serde(default)]
    pub status: Option<String>,
    /// The day it is due, `YYYY-MM-DD`.
    #[serde(default)]
    pub due_date: Option<String>,
    /// Who shall do it.
    #[serde(default)]
    pub responsible: Option<Person>,
    /// Its page for people.
    #[serde(default)]
    pub link: Option<String>,
    /// Who created it.
    #[serde(default)]
    pub created_by: Option<ByLine>,
    /// What it belongs to.
    #[serde(rename = "ref", default)]
    pub reference: Option<Reference>,
}

/// A file, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its id.
    pub file_id: u64,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its media type.
    #[serde(default)]
    pub mimetype: Option<String>,
    /// Its size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// Its page for people.
    #[serde(default)]
    pub link: Option<String>,
    /// What it is attached to.
    #[serde(default)]
    pub context: Option<Reference>,
    /// Who uploaded it.
    #[serde(default)]
    pub created_by: Option<ByLine>,
}
