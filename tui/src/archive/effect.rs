//! Archives: written to a file that was not there, and read from one that is.

use std::fs::File;
use std::path::PathBuf;

use podtap_agent::export::archive::{self, ArchiveFormat, ArchiveSelection};
use podtap_agent::import::{ArchiveImport, ImportReport};
use podtap_agent::{AgentHandle, Target};

use crate::error_text::error_text;

/// What the forms ask of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ArchiveEffect {
    /// Write events into a file.
    Export {
        selection: Box<ArchiveSelection>,
        /// As what.
        format: ArchiveFormat,
        /// What the URLs of events that went nowhere name.
        target: Target,
        /// The file, which must not be there.
        file: PathBuf,
    },
    /// Take over what an archive holds.
    Import {
        /// The archive's file.
        file: PathBuf,
    },
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum ArchiveAnswer {
    /// To [`ArchiveEffect::Export`].
    Exported {
        /// How many events the file holds.
        result: Result<(u64, PathBuf), String>,
    },
    /// To [`ArchiveEffect::Import`].
    Imported {
        /// What was new.
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

/// Writes an archive; how many events it holds. A file that is there is not overwritten.
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

/// Takes over what an archive holds. Only of a file: a pipe or a terminal may keep whoever opens it
/// waiting for ever, and the command line reads those.
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
