//! The sandbox's world in a file, written whole and put in place at once.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use podtap_sandbox::Handle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// At most so often it is written: a crash loses what happened within it.
const EVERY: Duration = Duration::from_secs(1);

/// The most bytes of a world that is kept.
const MAX_STATE: u64 = 256 * 1024 * 1024;

pub(super) struct StateFile {
    file: PathBuf,
}

impl StateFile {
    pub(super) fn at(file: PathBuf) -> Self {
        Self { file }
    }

    /// Takes the world from the file, where there is one.
    pub(super) fn restore(&self, handle: &Handle) -> Result<(), Failure> {
        let content = match crate::file::read(&self.file, MAX_STATE) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            content => content.map_err(|error| self.failure("cannot be read", &error))?,
        };
        handle.restore(&content).map_err(|error| {
            self.failure("cannot be used", &error)
                .hint("name another file, or delete it")
        })
    }

    /// Writes what has changed until `token` is cancelled, and a last time then.
    pub(super) async fn keep(
        self,
        handle: Handle,
        token: CancellationToken,
    ) -> Result<(), Failure> {
        let mut known = 0;
        loop {
            self.write_changed(&handle, &mut known)?;
            if token.run_until_cancelled(sleep(EVERY)).await.is_none() {
                return self.write_changed(&handle, &mut known);
            }
        }
    }

    fn write_changed(&self, handle: &Handle, known: &mut u64) -> Result<(), Failure> {
        let changed = handle
            .save_if_changed(known)
            .map_err(|error| self.failure("cannot be written", &error))?;
        match changed {
            Some(content) => self
                .write(&content)
                .map_err(|error| self.failure("cannot be written", &error)),
            None => Ok(()),
        }
    }

    /// Through another file that only its owner can read: it holds tokens.
    fn write(&self, content: &[u8]) -> std::io::Result<()> {
        let folder = self
            .file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut next = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        next.write_all(content)?;
        next.as_file().sync_all()?;
        next.persist(&self.file)?;
        Ok(())
    }

    fn failure(&self, what: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
        Failure::because(&format!("the sandbox's state {what}"), error)
            .fact("file", self.file.display().to_string())
    }
}
