//! Defines to what comments, tasks and files can be attached; stores and changes comments.

use jiff::Timestamp;
use podtap_podio::EventType;
use serde::{Deserialize, Serialize};

use super::{RecordKind, RevisionAuthor, Switches, World, next};
use crate::answer::ErrorAnswer;

/// An object to which something is attached. Podio's reference names these for comments,
/// tasks and files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Attachment {
    Item(u64),
    Task(u64),
    Space(u64),
    App(u64),
    Status(u64),
    File(u64),
    Comment(u64),
    /// The sandbox has no conversations, so any id is accepted.
    Conversation(u64),
}

impl Attachment {
    /// Parses the kind as in paths and bodies.
    pub(crate) fn new(kind: &str, id: u64) -> Result<Self, ErrorAnswer> {
        match kind {
            "item" => Ok(Self::Item(id)),
            "task" => Ok(Self::Task(id)),
            "space" => Ok(Self::Space(id)),
            "app" => Ok(Self::App(id)),
            "status" => Ok(Self::Status(id)),
            "file" => Ok(Self::File(id)),
            "comment" => Ok(Self::Comment(id)),
            "conversation" => Ok(Self::Conversation(id)),
            _ => Err(ErrorAnswer::invalid(format!("Invalid reference {kind}"))),
        }
    }

    pub(crate) const fn to_pair(self) -> (&'static str, u64) {
        match self {
            Self::Item(id) => ("item", id),
            Self::Task(id) => ("task", id),
            Self::Space(id) => ("space", id),
            Self::App(id) => ("app", id),
            Self::Status(id) => ("status", id),
            Self::File(id) => ("file", id),
            Self::Comment(id) => ("comment", id),
            Self::Conversation(id) => ("conversation", id),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredComment {
    pub(crate) id: u64,
    pub(crate) value: String,
    pub(crate) external_id: Option<String>,
    pub(crate) on: Attachment,
    pub(crate) created_on: Timestamp,
    pub(crate) author: RevisionAuthor,
}

/// Content of a new comment.
#[derive(Debug, Default)]
pub(crate) struct NewComment {
    pub(crate) value: String,
    pub(crate) external_id: Option<String>,
    /// Files to attach.
    pub(crate) file_ids: Vec<u64>,
}

impl World {
    /// Adds a comment. Only comments on items fire hooks (expected, podio.md 9).
    pub(crate) fn comment(
        &mut self,
        on: Attachment,
        new: NewComment,
        author: &RevisionAuthor,
        switches: Switches,
    ) -> Result<u64, ErrorAnswer> {
        self.check(on)?;
        self.check_files(&new.file_ids)?;
        let comment_id = next(&mut self.ids.comment);
        let comment = StoredComment {
            id: comment_id,
            value: new.value,
            external_id: new.external_id,
            on,
            created_on: self.now,
            author: author.clone(),
        };
        self.comments.insert(comment_id, comment);
        self.attach_all(&new.file_ids, Attachment::Comment(comment_id), switches)?;
        self.emit_comment(EventType::CommentCreate, comment_id, on, switches);
        Ok(comment_id)
    }

    /// Changes a comment's text. Podio has no event for that.
    pub(crate) fn change_comment(
        &mut self,
        comment_id: u64,
        value: String,
    ) -> Result<(), ErrorAnswer> {
        let comment = self.comments.get_mut(&comment_id);
        comment.ok_or_else(ErrorAnswer::not_found)?.value = value;
        Ok(())
    }

    pub(crate) fn delete_comment(
        &mut self,
        comment_id: u64,
        switches: Switches,
    ) -> Result<(), ErrorAnswer> {
        let comment = self.comments.remove(&comment_id);
        let on = comment.ok_or_else(ErrorAnswer::not_found)?.on;
        self.files
            .retain(|_, file| file.on != Some(Attachment::Comment(comment_id)));
        self.emit_comment(EventType::CommentDelete, comment_id, on, switches);
        Ok(())
    }

    /// Deletes everything attached to a deleted item. This fires no events (guessed).
    pub(super) fn detach_all(&mut self, item_id: u64) {
        let gone = Attachment::Item(item_id);
        self.comments.retain(|_, comment| comment.on != gone);
        self.tasks.retain(|_, task| task.on != Some(gone));
        let (comments, tasks) = (&self.comments, &self.tasks);
        self.files.retain(|_, file| match file.on {
            Some(Attachment::Comment(id)) => comments.contains_key(&id),
            Some(Attachment::Task(id)) => tasks.contains_key(&id),
            on => on != Some(gone),
        });
    }

    pub(super) fn check(&self, on: Attachment) -> Result<(), ErrorAnswer> {
        let exists = match on {
            Attachment::Item(id) => self.items.contains_key(&id),
            Attachment::Task(id) => self.tasks.contains_key(&id),
            Attachment::Space(id) => self.spaces.contains_key(&id),
            Attachment::App(id) => self.apps.contains_key(&id),
            Attachment::Status(id) => self.record(RecordKind::Status, id).is_ok(),
            Attachment::File(id) => self.files.contains_key(&id),
            Attachment::Comment(id) => self.comments.contains_key(&id),
            Attachment::Conversation(_) => true,
        };
        exists.then_some(()).ok_or_else(ErrorAnswer::not_found)
    }
}
