//! What hangs on items and spaces: comments, tasks, files.

use jiff::Timestamp;
use podtap_podio::EventType;

use super::{Author, Switches, World, next};
use crate::answer::Refused;

/// What something hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attachment {
    Item(u64),
    Task(u64),
    Space(u64),
}

#[derive(Debug)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) value: String,
    pub(crate) on: Attachment,
    pub(crate) created_on: Timestamp,
    pub(crate) author: Author,
}

#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) id: u64,
    pub(crate) text: String,
    pub(crate) completed: bool,
    pub(crate) due_date: Option<String>,
    pub(crate) on: Option<Attachment>,
    pub(crate) created_on: Timestamp,
    pub(crate) author: Author,
}

#[derive(Debug)]
pub(crate) struct File {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) mimetype: String,
    pub(crate) size: usize,
    pub(crate) on: Option<Attachment>,
    pub(crate) created_on: Timestamp,
    pub(crate) author: Author,
}

impl World {
    /// Comments on something; only comments on items fire (expected, podio.md 9).
    pub(crate) fn comment(
        &mut self,
        on: Attachment,
        value: String,
        author: &Author,
        switches: Switches,
    ) -> Result<u64, Refused> {
        self.check(on)?;
        let comment_id = next(&mut self.ids.comment);
        let comment = Comment {
            id: comment_id,
            value,
            on,
            created_on: self.now,
            author: author.clone(),
        };
        self.comments.insert(comment_id, comment);
        self.emit_comment(EventType::CommentCreate, comment_id, on, switches);
        Ok(comment_id)
    }

    pub(crate) fn delete_comment(
        &mut self,
        comment_id: u64,
        switches: Switches,
    ) -> Result<(), Refused> {
        let comment = self.comments.remove(&comment_id);
        let on = comment.ok_or_else(Refused::not_found)?.on;
        self.emit_comment(EventType::CommentDelete, comment_id, on, switches);
        Ok(())
    }

    pub(crate) fn create_task(
        &mut self,
        on: Option<Attachment>,
        text: String,
        due_date: Option<String>,
        author: &Author,
        switches: Switches,
    ) -> Result<u64, Refused> {
        on.map_or(Ok(()), |on| self.check(on))?;
        let task_id = next(&mut self.ids.task);
        let task = Task {
            id: task_id,
            text,
            completed: false,
            due_date,
            on,
            created_on: self.now,
            author: author.clone(),
        };
        self.tasks.insert(task_id, task);
        self.emit_task(EventType::TaskCreate, task_id, on, switches);
        Ok(task_id)
    }

    pub(crate) fn update_task(
        &mut self,
        task_id: u64,
        switches: Switches,
        change: impl FnOnce(&mut Task),
    ) -> Result<(), Refused> {
        let task = self
            .tasks
            .get_mut(&task_id)
            .ok_or_else(Refused::not_found)?;
        change(task);
        let on = task.on;
        self.emit_task(EventType::TaskUpdate, task_id, on, switches);
        Ok(())
    }

    pub(crate) fn delete_task(&mut self, task_id: u64, switches: Switches) -> Result<(), Refused> {
        let task = self.tasks.remove(&task_id).ok_or_else(Refused::not_found)?;
        self.emit_task(EventType::TaskDelete, task_id, task.on, switches);
        Ok(())
    }

    /// Takes a file in; it hangs on nothing yet, so nothing fires.
    pub(crate) fn upload(
        &mut self,
        name: String,
        mimetype: String,
        size: usize,
        author: &Author,
    ) -> u64 {
        let file_id = next(&mut self.ids.file);
        let file = File {
            id: file_id,
            name,
            mimetype,
            size,
            on: None,
            created_on: self.now,
            author: author.clone(),
        };
        self.files.insert(file_id, file);
        file_id
    }

    pub(crate) fn attach(
        &mut self,
        file_id: u64,
        on: Attachment,
        switches: Switches,
    ) -> Result<(), Refused> {
        self.check(on)?;
        let file = self
            .files
            .get_mut(&file_id)
            .ok_or_else(Refused::not_found)?;
        file.on = Some(on);
        self.emit_files("file_created", &[file_id], on, switches);
        Ok(())
    }

    /// Puts `new` in the place of `old`, which is gone afterwards.
    pub(crate) fn replace_file(
        &mut self,
        old: u64,
        new: u64,
        switches: Switches,
    ) -> Result<(), Refused> {
        if !self.files.contains_key(&new) {
            return Err(Refused::not_found());
        }
        let on = self.files.remove(&old).ok_or_else(Refused::not_found)?.on;
        if let Some(file) = self.files.get_mut(&new) {
            file.on = on;
        }
        if let Some(on) = on {
            self.emit_files("file_replaced", &[new], on, switches);
        }
        Ok(())
    }

    pub(crate) fn delete_file(&mut self, file_id: u64, switches: Switches) -> Result<(), Refused> {
        let file = self.files.remove(&file_id).ok_or_else(Refused::not_found)?;
        if let Some(on) = file.on {
            self.emit_files("file_deleted", &[file_id], on, switches);
        }
        Ok(())
    }

    /// Attaches files to an item in one event, as creating an item with files does.
    pub(super) fn attach_all(
        &mut self,
        file_ids: &[u64],
        item_id: u64,
        switches: Switches,
    ) -> Result<(), Refused> {
        let on = Attachment::Item(item_id);
        for file_id in file_ids {
            let file = self.files.get_mut(file_id).ok_or_else(Refused::not_found)?;
            file.on = Some(on);
        }
        if !file_ids.is_empty() {
            self.emit_files("file_created", file_ids, on, switches);
        }
        Ok(())
    }

    /// Removes what hangs on a deleted item; it fires nothing of its own (guessed).
    pub(super) fn detach_all(&mut self, item_id: u64) {
        let gone = Attachment::Item(item_id);
        self.comments.retain(|_, comment| comment.on != gone);
        self.tasks.retain(|_, task| task.on != Some(gone));
        self.files.retain(|_, file| file.on != Some(gone));
    }

    fn check(&self, on: Attachment) -> Result<(), Refused> {
        let exists = match on {
            Attachment::Item(id) => self.items.contains_key(&id),
            Attachment::Task(id) => self.tasks.contains_key(&id),
            Attachment::Space(id) => self.spaces.contains_key(&id),
        };
        exists.then_some(()).ok_or_else(Refused::not_found)
    }
}
