//! What can go wrong with the history, and who can do something about it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use podtap_disk::{SqliteCause, Trouble};

/// The history could not be opened, read or written.
///
/// `Clone`, because one failed commit is told to everybody whose write was in it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HistoryError {
    /// There is no history at this place.
    #[error("there is no history at {path}; `podtap listen` creates one")]
    Missing {
        /// The file looked for.
        path: PathBuf,
    },
    /// A later Podtap wrote the file.
    #[error(
        "the history {path} has format {found}, and this podtap reads formats up to {known}; use a \
         newer podtap"
    )]
    Newer {
        path: PathBuf,
        /// The format that it has.
        found: usize,
        /// The last format known here.
        known: usize,
    },
    /// The file cannot be opened, or it is no history.
    #[error("cannot open the history {path}")]
    Open {
        path: PathBuf,
        source: Arc<SqliteCause>,
    },
    /// There is no room on the disk.
    #[error("the disk is too full to open the history {path}")]
    Full {
        path: PathBuf,
        /// What SQLite said.
        source: Arc<SqliteCause>,
    },
    /// The file's folder cannot be made, or a thread not be started.
    #[error("cannot prepare the history {path}")]
    Prepare {
        path: PathBuf,
        source: Arc<io::Error>,
    },
    /// A read failed.
    #[error("cannot read the history")]
    Read(#[source] Arc<SqliteCause>),
    /// A write failed; nothing of its transaction was kept.
    #[error("cannot write to the history")]
    Write(#[source] Arc<SqliteCause>),
    /// What was asked for is not in the history any more.
    #[error("the event is no longer in the history")]
    Gone,
    /// The thread that should do it has ended.
    #[error("the history is closed")]
    Closed,
}

impl HistoryError {
    /// Whether it may be over by itself after a while.
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

    /// Whether a history that cannot be opened may be one that can after a while.
    pub(crate) fn may_pass_at_start(&self) -> bool {
        match self {
            Self::Open { source, .. } => matches!(source.trouble(), Trouble::Locked | Trouble::Io),
            Self::Prepare { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            _ => self.may_pass(),
        }
    }

    /// Whether one row cannot be read, and others may be.
    pub fn is_of_one_row(&self) -> bool {
        matches!(self, Self::Read(cause) if cause.is_unreadable_row())
    }

    /// Whether the file is damaged.
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
