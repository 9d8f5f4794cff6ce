//! Stores files and their bytes.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Attachment, RevisionAuthor, Switches, World, next};
use crate::answer::ErrorAnswer;

/// Maximum number of bytes of files. Beyond it, the bytes of the oldest files are dropped.
const MAX_KEPT: usize = 64 * 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredFile {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) mimetype: String,
    pub(crate) size: usize,
    /// Content, which is not saved between runs.
    #[serde(skip)]
    pub(crate) content: FileContent,
    pub(crate) on: Option<Attachment>,
    pub(crate) created_on: Timestamp,
    pub(crate) author: RevisionAuthor,
}

/// Content of a file.
#[derive(Debug, Default)]
pub(crate) enum FileContent {
    Kept(Bytes),
    /// This number of spaces: for files that simulated people upload.
    Filler(usize),
    /// The bytes were dropped for lack of room.
    #[default]
    Forgotten,
}

impl FileContent {
    const fn len(&self) -> usize {
        match self {
            Self::Kept(bytes) => bytes.len(),
            Self::Filler(size) => *size,
            Self::Forgotten => 0,
        }
    }

    pub(crate) fn bytes(&self) -> Option<Bytes> {
        match self {
            Self::Kept(bytes) => Some(bytes.clone()),
            Self::Filler(size) => Some(Bytes::from(vec![b' '; *size])),
            Self::Forgotten => None,
        }
    }
}

impl World {
    /// Stores a new file. It is not attached yet, so no hook fires.
    pub(crate) fn upload(
        &mut self,
        name: String,
        mimetype: String,
        content: FileContent,
        author: &RevisionAuthor,
    ) -> u64 {
        let file_id = next(&mut self.ids.file);
        let file = StoredFile {
            id: file_id,
            name,
            mimetype,
            size: content.len(),
            content,
            on: None,
            created_on: self.now,
            author: author.clone(),
        };
        self.files.insert(file_id, file);
        self.forget_contents();
        file_id
    }

    pub(crate) fn attach(
        &mut self,
        file_id: u64,
        on: Attachment,
        switches: Switches,
    ) -> Result<(), ErrorAnswer> {
        self.check(on)?;
        let file = self
            .files
            .get_mut(&file_id)
            .ok_or_else(ErrorAnswer::not_found)?;
        file.on = Some(on);
        self.emit_files("file_created", &[file_id], on, switches);
        Ok(())
    }

    /// Replaces `old` with `new` and deletes `old`.
    pub(crate) fn replace_file(
        &mut self,
        old: u64,
        new: u64,
        switches: Switches,
    ) -> Result<(), ErrorAnswer> {
        if !self.files.contains_key(&new) {
            return Err(ErrorAnswer::not_found());
        }
        let on = self
            .files
            .remove(&old)
            .ok_or_else(ErrorAnswer::not_found)?
            .on;
        if let Some(file) = self.files.get_mut(&new) {
            file.on = on;
        }
        if let Some(on) = on {
            self.emit_files("file_replaced", &[new], on, switches);
        }
        Ok(())
    }

    pub(crate) fn delete_file(
        &mut self,
        file_id: u64,
        switches: Switches,
    ) -> Result<(), ErrorAnswer> {
        let file = self
            .files
            .remove(&file_id)
            .ok_or_else(ErrorAnswer::not_found)?;
        if let Some(on) = file.on {
            self.emit_files("file_deleted", &[file_id], on, switches);
        }
        Ok(())
    }

    /// Checks that all files exist.
    pub(super) fn check_files(&self, file_ids: &[u64]) -> Result<(), ErrorAnswer> {
        let all_known = file_ids.iter().all(|id| self.files.contains_key(id));
        all_known.then_some(()).ok_or_else(ErrorAnswer::not_found)
    }

    /// Attaches files in one event, as when an item is created with files. Only files on items
    /// fire hooks (guessed).
    pub(super) fn attach_all(
        &mut self,
        file_ids: &[u64],
        on: Attachment,
        switches: Switches,
    ) -> Result<(), ErrorAnswer> {
        for file_id in file_ids {
            let file = self
                .files
                .get_mut(file_id)
                .ok_or_else(ErrorAnswer::not_found)?;
            file.on = Some(on);
        }
        if !file_ids.is_empty() {
            self.emit_files("file_created", file_ids, on, switches);
        }
        Ok(())
    }

    fn forget_contents(&mut self) {
        let mut room = MAX_KEPT;
        for file in self.files.values_mut().rev() {
            if let FileContent::Kept(bytes) = &file.content {
                match room.checked_sub(bytes.len()) {
                    Some(rest) => room = rest,
                    None => file.content = FileContent::Forgotten,
                }
            }
        }
    }
}
