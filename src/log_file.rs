//! The log file that is written while the terminal UI uses the screen.
//! Its size is limited, and only its owner can read it. A full file is
//! renamed to `podtap.log.old` and replaces the earlier one.
//!
//! The crates that rotate files depend on crates for
//! calendars and compression, which are not needed here.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use podtap_disk::private;

/// Size of a log file in bytes; with the old file, twice as much is kept.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The log's name in the data folder.
pub(crate) const NAME: &str = "podtap.log";

/// An open log.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    max_bytes: u64,
}

impl LogFile {
    /// Opens the log at `path` to append to it; creates it if it is missing.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::with_limit(path, MAX_BYTES)
    }

    fn with_limit(path: &Path, max_bytes: u64) -> io::Result<Self> {
        let file = private::append_to(path)?;
        Ok(Self {
            path: path.to_owned(),
            bytes: file.metadata()?.len(),
            file,
            max_bytes,
        })
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        std::fs::rename(&self.path, private::beside(&self.path, ".old"))?;
        *self = Self::with_limit(&self.path, self.max_bytes)?;
        Ok(())
    }
}

impl Write for LogFile {
    /// Writes one whole line: the subscriber calls this once per line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let length = line.len() as u64;
        if self.bytes > 0 && self.bytes + length > self.max_bytes {
            // If another process has renamed the file, this one still
            // writes to the old file, so the path is opened again.
            self.begin_anew()
                .or_else(|_| Self::with_limit(&self.path, self.max_bytes).map(|new| *self = new))?;
        }
        self.file.write_all(line)?;
        self.bytes += length;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_never_takes_more_than_twice_its_limit_and_keeps_the_newest_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("podtap.log");
        let mut log = LogFile::with_limit(&path, 1000).unwrap();
        for n in 0..450 {
            writeln!(log, "line {n:04}").unwrap();
        }
        drop(log);
        let mut log = LogFile::with_limit(&path, 1000).unwrap();
        log.write_all(b"the last line\n").unwrap();

        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        let total: u64 = files
            .iter()
            .map(|entry| entry.as_ref().unwrap().metadata().unwrap().len())
            .sum();
        assert_eq!(files.len(), 2);
        assert!(total <= 2000, "{total}");
        let newest = std::fs::read_to_string(&path).unwrap();
        assert!(newest.ends_with("line 0449\nthe last line\n"), "{newest}");
    }
}
