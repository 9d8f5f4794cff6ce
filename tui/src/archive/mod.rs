//! Events into a file and back: an archive is written where the person says, and what one holds
//! comes into the history, on record only.

mod effect;
mod form;
#[cfg(test)]
mod tests;

pub(crate) use effect::{ArchiveAnswer, ArchiveEffect, run};
pub(crate) use form::{ExportForm, ImportForm};

use crate::command::{Slot, UiCommand};
use crate::theme::Role;
use crate::words;

/// The import that is under way, if one is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Archive {
    importing: Option<Importing>,
}

#[derive(Debug, Clone)]
struct Importing {
    /// What the archive is called.
    name: String,
    /// Imported and triggered events before it.
    before: u64,
}

impl Archive {
    /// Imports what the form names; `others` is how many events were imported or triggered so far.
    ///
    /// # Errors
    /// What cannot be, in words.
    pub(crate) fn import(
        &mut self,
        form: &ImportForm,
        others: u64,
    ) -> Result<ArchiveEffect, String> {
        let file = form.file()?;
        if self.importing.is_some() {
            return Err("another archive is being imported; wait for it, or stop it".to_owned());
        }
        self.importing = Some(Importing {
            name: file.display().to_string(),
            before: others,
        });
        Ok(ArchiveEffect::Import { file })
    }

    /// Whether an archive is being imported.
    pub(crate) fn is_importing(&self) -> bool {
        self.importing.is_some()
    }

    /// How many events were imported so far, while some are.
    pub(crate) fn imported_so_far(&self, others: u64) -> Option<u64> {
        let importing = self.importing.as_ref()?;
        Some(others.saturating_sub(importing.before))
    }

    /// Imports no more; says what was taken over.
    pub(crate) fn stop(&mut self, others: u64) -> Vec<UiCommand<ArchiveEffect>> {
        let taken = self.imported_so_far(others);
        let Some((Importing { name, .. }, taken)) = self.importing.take().zip(taken) else {
            return Vec::new();
        };
        let taken = words::count(taken, "event");
        let text = format!("Stopped importing {name}: {taken} were taken over");
        vec![
            UiCommand::Stop(Slot::Import),
            UiCommand::notify(Role::Quiet, text),
        ]
    }

    /// An archive was written or imported, or as much of it as could be.
    ///
    /// # Errors
    /// Why not, in words: the form is to be shown again.
    pub(crate) fn on_answer(
        &mut self,
        answer: ArchiveAnswer,
    ) -> Result<UiCommand<ArchiveEffect>, String> {
        match answer {
            ArchiveAnswer::Exported { result } => {
                let (many, file) = result?;
                let many = words::count(many, "event");
                let text = format!("Exported {many} to {}", file.display());
                Ok(UiCommand::notify(Role::Ok, text))
            }
            ArchiveAnswer::Imported { result } => {
                self.importing = None;
                let report = result?;
                let new = words::count(report.new, "event");
                let known = words::number(report.known);
                let mut text = format!("Imported {new}; {known} already there");
                if report.skipped > 0 {
                    text += &format!(", {} skipped", words::number(report.skipped));
                }
                Ok(match report.broken_off {
                    None => UiCommand::notify(Role::Ok, text),
                    Some(place) => {
                        let text = format!("{text}; the file ends unexpectedly {place}");
                        UiCommand::notify(Role::Failed, text)
                    }
                })
            }
        }
    }
}
