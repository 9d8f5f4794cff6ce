//! Exports events to a new archive file and imports events from an existing one.

use std::fs::File;
use std::path::PathBuf;

use podtap_agent::export::archive::{self, ArchiveFormat, ArchiveSelection};
use podtap_agent::import::{ArchiveImport, ImportReport};
use podtap_agent::{AgentHandle, Target};

use crate::error_text::error_text;

/// A request from the forms to the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArchiveEffect {
    /// Writes events to a file.
    Export {
        selection: Box<ArchiveSelection>,
        /// The format of the file.
        format: ArchiveFormat,
        /// The local service to name in the URLs of events that were never delivered.
        target: Target,
        /// The file, which must not exist yet.
        file: PathBuf,
    },
    /// Imports the events of an archive.
    Import {
        /// The archive's file.
        file: PathBuf,
    },
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub(crate) enum ArchiveAnswer {
    /// The answer to [`ArchiveEffect::Export`].
    Exported {
        /// The number of events in the file, and its path.
        result: Result<(u64, PathBuf), String>,
    },
    /// The answer to [`ArchiveEffect::Import`].
    Imported {
        /// The events that were new, and those that were not.
        result: Result<ImportReport, String>,
    },
}

pub(crate) async fn run(effect: ArchiveEffect, agent: &AgentHandle) -> ArchiveAnswer {
    match effect {
        ArchiveEffect::Export {
            selection,
            format,
            target,
            file,
        } => {
            let result = export(agent, *selection, format, &target, file).await;
            ArchiveAnswer::Exported { result }
        }
        ArchiveEffect::Import { file } => {
            let result = import(agent, file).await;
            ArchiveAnswer::Imported { result }
        }
    }
}

/// Writes an archive and returns the number of events in it. Does not overwrite an existing file.
async fn export(
    agent: &AgentHandle,
    selection: ArchiveSelection,
    format: ArchiveFormat,
    target: &Target,
    file: PathBuf,
) -> Result<(u64, PathBuf), String> {
    let opened = archive::create(&file)
        .map_err(|error| format!("{} cannot be created: {error}", file.display()))?;
    let written = archive::write(agent.history(), selection, format, target, opened).await;
    match written {
        Ok(many) => Ok((many, file)),
        Err(error) => Err(format!(
            "{} is not complete: {}",
            file.display(),
            error_text(error)
        )),
    }
}

/// Imports an archive from a regular file. Refuses a pipe or a terminal: opening one may wait for
/// ever, and the command line can read it instead.
async fn import(agent: &AgentHandle, file: PathBuf) -> Result<ImportReport, String> {
    let name = file.display().to_string();
    let about = tokio::fs::metadata(&file).await;
    if about.is_ok_and(|about| !about.is_file()) {
        return Err(format!("{name} is not a file"));
    }
    let opened = File::open(&file).map_err(|error| format!("{name} cannot be read: {error}"))?;
    let archive = ArchiveImport::open(opened).await;
    let archive = archive.map_err(|problem| format!("{name} cannot be imported: {problem}"))?;
    agent.import(archive).await.map_err(|error| {
        let new = error.imported.new;
        format!("{name} cannot be imported: {error}; {new} events before that were imported")
    })
}
