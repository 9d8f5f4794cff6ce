//! Stores and changes tasks.

use jiff::Timestamp;
use podtap_podio::EventType;
use podtap_podio::client::ByLine;
use serde::{Deserialize, Serialize};

use super::{Attachment, RevisionAuthor, Switches, World, next};
use crate::answer::ErrorAnswer;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredTask {
    pub(crate) id: u64,
    pub(crate) text: String,
    pub(crate) description: String,
    pub(crate) private: bool,
    pub(crate) due_date: Option<String>,
    pub(crate) due_time: Option<String>,
    /// User who has to do it.
    pub(crate) responsible: ByLine,
    pub(crate) labels: Vec<String>,
    pub(crate) on: Option<Attachment>,
    pub(crate) created_on: Timestamp,
    pub(crate) author: RevisionAuthor,
    /// Time and user of its completion.
    pub(crate) completed: Option<(Timestamp, ByLine)>,
}

/// Content of a new task.
#[derive(Debug, Clone, Default)]
pub(crate) struct NewTask {
    pub(crate) text: String,
    pub(crate) description: String,
    pub(crate) private: bool,
    pub(crate) due_date: Option<String>,
    pub(crate) due_time: Option<String>,
    /// The author if missing.
    pub(crate) responsible: Option<ByLine>,
    pub(crate) labels: Vec<String>,
    /// Files to attach.
    pub(crate) file_ids: Vec<u64>,
    pub(crate) on: Option<Attachment>,
}

impl World {
    pub(crate) fn create_task(
        &mut self,
        new: NewTask,
        author: &RevisionAuthor,
        switches: Switches,
    ) -> Result<u64, ErrorAnswer> {
        new.on.map_or(Ok(()), |on| self.check(on))?;
        self.check_files(&new.file_ids)?;
        let task_id = next(&mut self.ids.task);
        let task = StoredTask {
            id: task_id,
            text: new.text,
            description: new.description,
            private: new.private,
            due_date: new.due_date,
            due_time: new.due_time,
            responsible: new.responsible.unwrap_or_else(|| author.by.clone()),
            labels: new.labels,
            on: new.on,
            created_on: self.now,
            author: author.clone(),
            completed: None,
        };
        self.tasks.insert(task_id, task);
        self.attach_all(&new.file_ids, Attachment::Task(task_id), switches)?;
        self.emit_task(EventType::TaskCreate, task_id, new.on, switches);
        Ok(task_id)
    }

    pub(crate) fn update_task(
        &mut self,
        task_id: u64,
        switches: Switches,
        change: impl FnOnce(&mut StoredTask),
    ) -> Result<(), ErrorAnswer> {
        let task = self
            .tasks
            .get_mut(&task_id)
            .ok_or_else(ErrorAnswer::not_found)?;
        change(task);
        let on = task.on;
        self.emit_task(EventType::TaskUpdate, task_id, on, switches);
        Ok(())
    }

    /// Attaches a task to another object, or to none.
    pub(crate) fn refer_task(
        &mut self,
        task_id: u64,
        on: Option<Attachment>,
        switches: Switches,
    ) -> Result<(), ErrorAnswer> {
        on.map_or(Ok(()), |on| self.check(on))?;
        self.update_task(task_id, switches, |task| task.on = on)
    }

    pub(crate) fn delete_task(
        &mut self,
        task_id: u64,
        switches: Switches,
    ) -> Result<(), ErrorAnswer> {
        let task = self
            .tasks
            .remove(&task_id)
            .ok_or_else(ErrorAnswer::not_found)?;
        self.emit_task(EventType::TaskDelete, task_id, task.on, switches);
        Ok(())
    }
}
