//! Writes one file without secrets for a bug report: version, system,
//! settings with their origins, the links, and the end of the log.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use podtap_disk::private;
use serde::Serialize;
use serde_json::Value;

use super::container;
use super::finding::LinkCheck;
use super::report::LinkObject;
use super::settings::presentable;
use crate::commands::config;
use crate::config::Settings;
use crate::failure::Failure;
use crate::log_file;
use crate::redact::Redact;

/// Maximum number of lines, from the end of the log.
const LOG_LINES: usize = 200;

/// Number of bytes at the end of the log that are searched for these lines.
const LOG_BYTES: u64 = 256 * 1024;

/// A new bundle file, not written yet.
pub(super) struct Bundle {
    path: PathBuf,
    file: File,
}

/// The content of the bundle.
#[derive(Serialize)]
struct BundleContent {
    made_at: String,
    podtap: &'static str,
    system: &'static str,
    machine: &'static str,
    in_container: bool,
    settings: Vec<config::SettingLine>,
    checks: Vec<LinkObject>,
    log: Vec<String>,
}

impl Bundle {
    /// Creates the file; fails if it exists, since a bundle must not overwrite anything.
    pub(super) fn at(path: &Path) -> Result<Self, Failure> {
        let file = private::create_new(path).map_err(|error| {
            Failure::because("the bundle cannot be written", &error)
                .fact("file", path.display().to_string())
                .hint("choose a new file, in a folder that you may write to")
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Writes the bundle and returns its path, safe to show.
    pub(super) fn write(
        mut self,
        settings: &Settings,
        checks: &[LinkCheck],
    ) -> Result<String, Failure> {
        let redact = Redact::of(settings);
        let mut lines = config::lines(settings);
        for line in &mut lines {
            line.value = line.value.as_deref().map(presentable);
        }
        let content = BundleContent {
            made_at: format!("{:.3}", Timestamp::now()),
            podtap: env!("CARGO_PKG_VERSION"),
            system: std::env::consts::OS,
            machine: std::env::consts::ARCH,
            in_container: container::is_one(),
            settings: lines,
            checks: checks.iter().map(LinkObject::new).collect(),
            log: log(settings),
        };
        let not_written =
            |error: serde_json::Error| Failure::because("the bundle cannot be written", &error);
        let mut content = serde_json::to_value(&content).map_err(not_written)?;
        // All texts are redacted: errors may quote text from outside.
        hide(&mut content, &redact);
        let text = serde_json::to_string_pretty(&content).map_err(not_written)?;
        writeln!(self.file, "{text}")?;
        self.file.sync_all()?;
        Ok(self.path.display().to_string())
    }
}

/// Removes secrets from every text in a value.
fn hide(value: &mut Value, redact: &Redact) {
    match value {
        Value::String(text) => *text = redact.text(text),
        Value::Array(list) => list.iter_mut().for_each(|value| hide(value, redact)),
        Value::Object(fields) => fields.values_mut().for_each(|value| hide(value, redact)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Returns the last lines of the terminal UI's log, the only log that is stored in a file.
fn log(settings: &Settings) -> Vec<String> {
    let Ok(folder) = settings.data_dir() else {
        return Vec::new();
    };
    let path = folder.join(log_file::NAME);
    last_lines(&path).unwrap_or_default()
}

fn last_lines(path: &Path) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let begin = file.metadata()?.len().saturating_sub(LOG_BYTES);
    file.seek(SeekFrom::Start(begin))?;
    let mut last = VecDeque::with_capacity(LOG_LINES);
    for line in BufReader::new(file).split(b'\n') {
        if last.len() == LOG_LINES {
            last.pop_front();
        }
        last.push_back(String::from_utf8_lossy(&line?).into_owned());
    }
    Ok(last.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_log_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("podtap.log");
        let lines: Vec<_> = (0..40_000).map(|n| format!("line {n}")).collect();
        std::fs::write(&path, lines.join("\n")).unwrap();
        let last = last_lines(&path).unwrap();
        assert_eq!(last.len(), LOG_LINES);
        assert_eq!(last.last(), lines.last());
    }
}
