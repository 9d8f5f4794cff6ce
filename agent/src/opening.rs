//! Opens a history for an agent, and checks one that was left without being closed.

use std::path::{Path, PathBuf};

use podtap_connect::reason;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::change::Change;
use crate::history::{self, HistoryError, Writer, WriterSide, WriterThread};
use crate::lock::HistoryLock;

/// Checks a history that was too large to wait for at the start. A failed check has no other
/// consequence: a reader or the writer that finds damage reports it.
pub(crate) async fn check(writer: Writer, path: PathBuf, token: CancellationToken) {
    let checked = token.run_until_cancelled(history::check_beside(&path, &writer));
    if let Some(Err(error)) = checked.await {
        tracing::warn!(
            error = reason::words(&error),
            "the history could not be checked"
        );
    }
    // Returning earlier would end the other parts.
    token.cancelled().await;
}

/// Opens the history for writing; the holder of the lock rebuilds a damaged one.
pub(crate) fn open_writer(
    path: &Path,
    changes: &broadcast::Sender<Change>,
    lock: Option<&HistoryLock>,
) -> Result<(Writer, WriterThread), HistoryError> {
    let side = match lock {
        Some(_) => WriterSide::Holder,
        None => WriterSide::Beside,
    };
    let open = || {
        let changes = changes.clone();
        // It is fine if there is no listener.
        Writer::open_as(side, path, move |change| {
            let _ = changes.send(Change::History(change));
        })
    };
    match open() {
        Err(error) if lock.is_some() => {
            history::if_damaged(path, error)?;
            open()
        }
        opened => opened,
    }
}
