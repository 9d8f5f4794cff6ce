//! The log while the terminal UI has the screen: a file of its own, bounded in size, readable by its
//! owner alone. When it is full it becomes `podtap.log.old`, in place of the one before.
//!
//! The crates that rotate files bring a calendar and compression; this needs neither.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use podtap_disk::private;

/// Bytes after which a new file is begun; with the old one twice as many are kept.
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
    /// Opens the log at `path` and goes on at its end; makes it where it is missing.
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
    /// Takes a line whole: the subscriber writes one at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let length = line.len() as u64;
        if self.bytes > 0 && self.bytes + length > self.max_bytes {
            // Another process may have moved it; then this one's file is the old one by now.
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
