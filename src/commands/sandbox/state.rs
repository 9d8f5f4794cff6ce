//! Stores the sandbox's state in a file, which is replaced as a whole.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use podtap_sandbox::Handle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// Time between two writes; a crash loses the changes of this time.
const EVERY: Duration = Duration::from_secs(1);

/// Maximum size of a stored state, in bytes.
const MAX_STATE: u64 = 256 * 1024 * 1024;

pub(super) struct StateFile {
    file: PathBuf,
}

impl StateFile {
    pub(super) fn at(file: PathBuf) -> Self {
        Self { file }
    }

    /// Reads the state from the file, if there is one.
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

    /// Writes changes until `token` is cancelled, then writes a last time.
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

    /// Writes through a temporary file that only its
    /// owner can read, since the state contains tokens.
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
