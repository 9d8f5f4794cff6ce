//! `podtap import`: adds the events of archives to a history, without delivering them.

use std::fs::File;
use std::io::{IsTerminal as _, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use podtap_agent::export::archive::ArchiveFormat;
use podtap_agent::history::{HistoryError, Writer, WriterThread};
use podtap_agent::import::{ArchiveImport, ImportError, ImportReport, Problem};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::json::JsonObject;
use crate::output::{note, print, printable};
use crate::shutdown::Shutdown;

/// Time between two updates of the counter, and minimum duration of an import that shows one.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// Imports the files in order. A file without any usable event is reported at the end.
pub(crate) async fn run(import: cli::ImportArgs, settings: &Settings) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::register()?;
    let mut history = ImportTarget {
        path: settings.history()?,
        open: None,
    };
    let imported = all(&import, &mut history, shutdown.token()).await;
    history.close().await;
    imported.map(|()| shutdown.exit_code())
}

async fn all(
    import: &cli::ImportArgs,
    history: &mut ImportTarget,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let (mut empty, mut unusable) = (Vec::new(), Vec::new());
    for file in &import.files {
        let opened = tokio::select! {
            opened = ArchiveImport::open(source(file)?) => opened,
            () = stop.cancelled() => return Ok(()),
        };
        let archive = opened.map_err(|problem| file_failure(file, &problem))?;
        let format = archive.format();
        // If there are no events to add, no history is created.
        let outcome = if archive.is_empty() {
            archive.discard().await
        } else {
            let mut counter = Counter::new();
            let told = |report: &ImportReport| counter.show(report);
            let writer = history.writer()?;
            let outcome = archive.into_history_until(writer, stop, told).await;
            counter.clear();
            outcome
        };
        let report = outcome.map_err(|error| import_failure(file, &error))?;
        say(import.json, file, format, &report)?;
        explain(&report);
        if stop.is_cancelled() {
            note("stopped; imported events are kept, and importing again adds no duplicates");
            return Ok(());
        }
        if report.events() == 0 {
            let is_wrong = !report.named.is_empty() || report.broken_off.is_some();
            let list = if is_wrong { &mut unusable } else { &mut empty };
            list.push(name(file));
        }
    }
    let (code, what, files) = match (unusable.is_empty(), empty.is_empty()) {
        (true, true) => return Ok(()),
        (false, _) => (
            Code::Failed,
            "the file has no event that can be imported",
            unusable,
        ),
        (true, false) => (Code::NothingMatched, "the file has no event", empty),
    };
    Err(Failure::new(code, what)
        .fact("file", files.join("\n"))
        .hint("import the output of `podtap events --json` or `--har`"))
}

/// Prints on stderr what was skipped because of errors, and where a file breaks off.
fn explain(report: &ImportReport) {
    for skipped in &report.named {
        note(&format!("skipped {skipped}"));
    }
    if let Some(place) = &report.broken_off {
        note(&format!(
            "the file ends unexpectedly {place}; the events before that are imported"
        ));
    }
}

fn source(file: &Path) -> Result<Box<dyn Read + Send>, Failure> {
    if file == Path::new("-") {
        return Ok(Box::new(std::io::stdin()));
    }
    if crate::system::is_pipe(file) {
        return Ok(Box::new(Pipe::At(file.to_owned())));
    }
    match File::open(file) {
        Ok(opened) => Ok(Box::new(opened)),
        Err(error) => {
            Err(Failure::because("the file cannot be read", &error).fact("file", name(file)))
        }
    }
}

/// A pipe that is opened by the first read, on the thread that may wait for it.
enum Pipe {
    At(PathBuf),
    Open(File),
}

impl Read for Pipe {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        if let Self::At(path) = self {
            *self = Self::Open(crate::file::open(path)?);
        }
        match self {
            Self::Open(file) => file.read(bytes),
            Self::At(_) => Ok(0),
        }
    }
}

fn say(
    json: bool,
    file: &Path,
    format: ArchiveFormat,
    report: &ImportReport,
) -> Result<(), Failure> {
    let &ImportReport {
        new,
        known,
        skipped,
        ..
    } = report;
    let file = file.to_string_lossy();
    if json {
        return print(
            &JsonObject::Import {
                file: &file,
                format: match format {
                    ArchiveFormat::Har => "har",
                    ArchiveFormat::Ndjson => "ndjson",
                },
                new,
                known,
                skipped,
            }
            .to_line(),
        );
    }
    print(&printable(&format!(
        "{file}: {new} imported, {known} already there, {skipped} skipped"
    )))
}

fn name(file: &Path) -> String {
    printable(&file.to_string_lossy())
}

fn file_failure(file: &Path, problem: &Problem) -> Failure {
    let what = format!("the file cannot be imported: {problem}");
    Failure::new(Code::Failed, printable(&what)).fact("file", name(file))
}

/// Returns the failure of a file or history; the events before it are in the history.
fn import_failure(file: &Path, error: &ImportError) -> Failure {
    let ImportReport { new, known, .. } = error.imported;
    file_failure(file, &error.problem)
        .fact(
            "before it",
            format!("{new} imported, {known} already there"),
        )
        .hint("events before it were imported; importing again adds no duplicates")
}

/// Shows the progress of a long import on the terminal's last line.
struct Counter {
    is_wanted: bool,
    is_shown: bool,
    last: Instant,
}

impl Counter {
    fn new() -> Self {
        Self {
            is_wanted: std::io::stderr().is_terminal(),
            is_shown: false,
            last: Instant::now(),
        }
    }

    fn show(&mut self, report: &ImportReport) {
        if !self.is_wanted || self.last.elapsed() < COUNT_EVERY {
            return;
        }
        let ImportReport { new, known, .. } = report;
        to_stderr(&format!("\r{new} imported, {known} already there"));
        (self.is_shown, self.last) = (true, Instant::now());
    }

    fn clear(&mut self) {
        if self.is_shown {
            to_stderr(&format!("\r{:60}\r", ""));
        }
    }
}

/// Writes to stderr. If stderr is closed, no one reads it, so a failed write is ignored.
fn to_stderr(text: &str) {
    std::io::stderr().lock().write_all(text.as_bytes()).ok();
}

/// The history that gets the events, opened with the first event.
struct ImportTarget {
    path: PathBuf,
    open: Option<(Writer, WriterThread)>,
}

impl ImportTarget {
    fn writer(&mut self) -> Result<&Writer, HistoryError> {
        let opened = match self.open.take() {
            Some(opened) => opened,
            // In this process nothing listens for changes.
            None => Writer::open(&self.path, |_| {})?,
        };
        Ok(&self.open.insert(opened).0)
    }

    async fn close(self) {
        if let Some((_, thread)) = self.open {
            thread.close().await;
        }
    }
}
