//! Errors of the history, and which of them may pass without help.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use podtap_disk::{SqliteCause, Trouble};

/// The history could not be opened, read or written.
///
/// It is `Clone` because one failed commit is reported to each caller whose write was in it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HistoryError {
    /// There is no history at this path.
    #[error("there is no history at {path}; `podtap listen` creates one")]
    Missing {
        /// Path of the expected file.
        path: PathBuf,
    },
    /// A later Podtap wrote the file.
    #[error(
        "the history {path} has format {found}, and this podtap reads formats up to {known}; use a \
         newer podtap"
    )]
    Newer {
        path: PathBuf,
        /// The format of the file.
        found: usize,
        /// The newest format that this version knows.
        known: usize,
    },
    /// The file cannot be opened, or it is not a history.
    #[error("cannot open the history {path}")]
    Open {
        path: PathBuf,
        source: Arc<SqliteCause>,
    },
    /// The disk is full.
    #[error("the disk is too full to open the history {path}")]
    Full {
        path: PathBuf,
        /// The error of SQLite.
        source: Arc<SqliteCause>,
    },
    /// The file's folder cannot be created, or a thread cannot be started.
    #[error("cannot prepare the history {path}")]
    Prepare {
        path: PathBuf,
        source: Arc<io::Error>,
    },
    /// A read failed.
    #[error("cannot read the history")]
    Read(#[source] Arc<SqliteCause>),
    /// A write failed; nothing of its transaction was stored.
    #[error("cannot write to the history")]
    Write(#[source] Arc<SqliteCause>),
    /// The requested event is no longer in the history.
    #[error("the event is no longer in the history")]
    Gone,
    /// The thread for this operation has ended.
    #[error("the history is closed")]
    Closed,
}

impl HistoryError {
    /// Returns whether the cause may disappear without help.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Read(cause) | Self::Write(cause) => cause.trouble() != Trouble::Other,
            Self::Full { .. } => true,
            Self::Missing { .. }
            | Self::Newer { .. }
            | Self::Open { .. }
            | Self::Prepare { .. }
            | Self::Gone
            | Self::Closed => false,
        }
    }

    /// Returns whether a history that cannot be opened now may open after a while.
    pub(crate) fn may_pass_at_start(&self) -> bool {
        match self {
            Self::Open { source, .. } => matches!(source.trouble(), Trouble::Locked | Trouble::Io),
            Self::Prepare { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            _ => self.may_pass(),
        }
    }

    /// Returns whether one row is unreadable while others may be readable.
    pub fn is_of_one_row(&self) -> bool {
        matches!(self, Self::Read(cause) if cause.is_unreadable_row())
    }

    /// Returns whether the file is damaged.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Read(cause) | Self::Write(cause) | Self::Open { source: cause, .. } => {
                cause.trouble() == Trouble::Damaged
            }
            _ => false,
        }
    }

    pub(super) fn open(path: &Path) -> impl Fn(rusqlite::Error) -> Self + '_ {
        |source| Self::unusable(path, source.into())
    }

    pub(super) fn unusable(path: &Path, source: SqliteCause) -> Self {
        let folder = path.parent().unwrap_or(path);
        let is_full = match source.trouble() {
            Trouble::Full => true,
            Trouble::Io | Trouble::Missing => podtap_disk::space::is_full(folder),
            _ => false,
        };
        let (path, source) = (path.to_owned(), Arc::new(source));
        if is_full {
            Self::Full { path, source }
        } else {
            Self::Open { path, source }
        }
    }

    pub(super) fn read(source: rusqlite::Error) -> Self {
        Self::Read(Arc::new(source.into()))
    }

    pub(super) fn write(source: rusqlite::Error) -> Self {
        Self::Write(Arc::new(source.into()))
    }

    pub(super) fn prepare(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |source| Self::Prepare {
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }
}

/// That there is no event of this id.
pub(crate) fn unknown_event(id: podtap_wire::EventId) -> String {
    format!("there is no event {id} in the history")
}
