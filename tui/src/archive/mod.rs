//! Exports events to a file and imports them from one. A person chooses the file of an export.
//! Imported events are stored in the history and are not delivered.

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
    importing: Option<RunningImport>,
}

#[derive(Debug, Clone)]
struct RunningImport {
    /// The path of the archive, as shown.
    name: String,
    /// Number of imported or triggered events before this import.
    before: u64,
}

impl Archive {
    /// Imports the archive that the form names. `others` is the number of events that
    /// were imported or triggered before.
    ///
    /// # Errors
    /// Why it cannot be imported, in words.
    pub(crate) fn import(
        &mut self,
        form: &ImportForm,
        others: u64,
    ) -> Result<ArchiveEffect, String> {
        let file = form.file()?;
        if self.importing.is_some() {
            return Err("another archive is being imported; wait for it, or stop it".to_owned());
        }
        self.importing = Some(RunningImport {
            name: file.display().to_string(),
            before: others,
        });
        Ok(ArchiveEffect::Import { file })
    }

    /// Returns whether an archive is being imported.
    pub(crate) fn is_importing(&self) -> bool {
        self.importing.is_some()
    }

    /// Returns the number of events that were imported so far; `None` if no import is running.
    pub(crate) fn imported_so_far(&self, others: u64) -> Option<u64> {
        let importing = self.importing.as_ref()?;
        Some(others.saturating_sub(importing.before))
    }

    /// Stops the import and reports how many events it has stored.
    pub(crate) fn stop(&mut self, others: u64) -> Vec<UiCommand<ArchiveEffect>> {
        let taken = self.imported_so_far(others);
        let Some((RunningImport { name, .. }, taken)) = self.importing.take().zip(taken) else {
            return Vec::new();
        };
        let taken = words::count(taken, "event");
        let text = format!("Stopped importing {name}: {taken} were taken over");
        vec![
            UiCommand::Stop(Slot::Import),
            UiCommand::notify(Role::Quiet, text),
        ]
    }

    /// Reports that an archive was written or imported, completely or in part.
    ///
    /// # Errors
    /// Why it failed, in words. The form is then shown again.
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
