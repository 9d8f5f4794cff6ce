//! Stores which hooks were moved, and from where, in a file in the data folder. Only its owner
//! can read it, and it is replaced as a whole, so any later run can move the hooks back.

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use podtap_agent::PlaceRef;
use podtap_podio::{EventType, RefType};
use serde::{Deserialize, Serialize};

use crate::config::Settings;
use crate::failure::Failure;

/// A hook that was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MovedHook {
    /// The API in which the hook exists.
    pub(super) api: String,
    ref_type: String,
    ref_id: u64,
    event: String,
    /// The URL before the move.
    pub(super) from: String,
    /// The hook that replaced it.
    pub(super) hook_id: u64,
}

impl MovedHook {
    pub(super) fn new(
        api: &str,
        place: PlaceRef,
        event: EventType,
        from: &str,
        hook_id: u64,
    ) -> Self {
        Self {
            api: api.to_owned(),
            ref_type: place.ref_type.as_str().to_owned(),
            ref_id: place.ref_id,
            event: event.as_str().to_owned(),
            from: from.to_owned(),
            hook_id,
        }
    }

    /// Returns the hook's place; `None` if a later build wrote a type that this one does not know.
    pub(super) fn place(&self) -> Option<PlaceRef> {
        let ref_type: RefType = self.ref_type.parse().ok()?;
        let ref_id = self.ref_id;
        Some(PlaceRef { ref_type, ref_id })
    }

    pub(super) fn event(&self) -> Option<EventType> {
        self.event.parse().ok()
    }
}

#[derive(Debug)]
pub(super) struct MovedFile {
    path: PathBuf,
}

impl MovedFile {
    pub(super) fn of(settings: &Settings) -> Result<Self, Failure> {
        let path = settings.data_dir()?.join("moved-hooks.json");
        Ok(Self { path })
    }

    pub(super) fn read(&self) -> Result<Vec<MovedHook>, Failure> {
        match std::fs::read(&self.path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| self.failure("cannot be read", &error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.failure("cannot be read", &error)),
        }
    }

    pub(super) fn write(&self, moved: &[MovedHook]) -> Result<(), Failure> {
        let folder = self.path.parent().unwrap_or(&self.path);
        let write = || {
            podtap_disk::private::folder(folder)?;
            // `tempfile` makes it readable only by its owner.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, moved)?;
            file.flush()?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|error: std::io::Error| self.failure("cannot be written", &error))
    }

    fn failure(&self, what: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
        Failure::because(&format!("the list of moved hooks {what}"), error)
            .fact("file", self.path.display().to_string())
    }
}
