//! `podtap import`: archives become events of a history, on record only.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use podtap_agent::export::archive::Format;
use podtap_agent::history::{HistoryError, Writer, WriterThread};
use podtap_agent::import::{Import, ImportError, Problem, Report};
use tokio::sync::broadcast;

use crate::cli;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::json::Object;
use crate::output::{print, printable};

/// Imports one file after the other; a file that holds no event is told at the end.
pub(crate) async fn run(import: cli::Import, settings: &Settings) -> Result<ExitCode, Failure> {
    let mut history = Target {
        path: settings.history()?,
        open: None,
    };
    let imported = all(&import, &mut history).await;
    history.close().await;
    imported.map(|()| ExitCode::SUCCESS)
}

async fn all(import: &cli::Import, history: &mut Target) -> Result<(), Failure> {
    let mut empty = Vec::new();
    for file in &import.files {
        let archive = Import::open(source(file)?).await;
        let archive = archive.map_err(|problem| broken(file, &problem))?;
        let format = archive.format();
        // Nothing to keep makes no history.
        let outcome = if archive.is_empty() {
            archive.discard().await
        } else {
            archive.into_history(history.writer()?).await
        };
        let report = outcome.map_err(|error| stopped(file, &error))?;
        if report.events() == 0 {
            empty.push(name(file));
        }
        say(import.json, file, format, report)?;
    }
    if empty.is_empty() {
        return Ok(());
    }
    Err(
        Failure::new(Code::NothingMatched, "there is no event to import")
            .fact("file", empty.join("\n"))
            .hint("what `podtap events --json` or `--har` prints can be imported"),
    )
}

fn source(file: &Path) -> Result<Box<dyn Read + Send>, Failure> {
    if file == Path::new("-") {
        return Ok(Box::new(std::io::stdin()));
    }
    match File::open(file) {
        Ok(opened) => Ok(Box::new(opened)),
        Err(error) => {
            Err(Failure::because("the file cannot be read", &error).fact("file", name(file)))
        }
    }
}

fn say(json: bool, file: &Path, format: Format, report: Report) -> Result<(), Failure> {
    let Report {
        new,
        known,
        skipped,
    } = report;
    let file = file.to_string_lossy();
    if json {
        return print(
            &Object::Import {
                file: &file,
                format: match format {
                    Format::Har => "har",
                    Format::Ndjson => "ndjson",
                },
                new,
                known,
                skipped,
            }
            .to_line(),
        );
    }
    print(&printable(&format!(
        "{file}: {new} new, {known} known already, {skipped} skipped"
    )))
}

fn name(file: &Path) -> String {
    printable(&file.to_string_lossy())
}

fn broken(file: &Path, problem: &Problem) -> Failure {
    let what = format!("the file cannot be imported: {problem}");
    Failure::new(Code::Failed, printable(&what)).fact("file", name(file))
}

/// A mistake within the file: what came before it is in the history.
fn stopped(file: &Path, error: &ImportError) -> Failure {
    let Report { new, known, .. } = error.imported;
    broken(file, &error.problem)
        .fact("before it", format!("{new} new, {known} known already"))
        .hint("what came before it stays imported; importing again adds nothing twice")
}

/// The history that events go to, opened with the first of them.
struct Target {
    path: PathBuf,
    open: Option<(Writer, WriterThread)>,
}

impl Target {
    fn writer(&mut self) -> Result<&Writer, HistoryError> {
        let opened = match self.open.take() {
            Some(opened) => opened,
            // Nobody here listens to changes.
            None => Writer::open(&self.path, broadcast::Sender::new(1))?,
        };
        Ok(&self.open.insert(opened).0)
    }

    async fn close(self) {
        if let Some((_, thread)) = self.open {
            thread.close().await;
        }
    }
}
