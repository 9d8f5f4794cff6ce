//! What is done for a history that the agent before this one left without closing it: it is checked,
//! before it is used or beside that.

use std::path::Path;

use podtap_disk::check::{self, DatabaseHealth};

use super::connection;
use super::error::HistoryError;
use super::reader::Reader;
use super::rebuild::{if_damaged, rebuild_or_say};
use super::writer::Writer;

/// A file of up to so many bytes is checked before it is used when the agent before was cut off:
/// some seconds. A larger one is checked beside its use.
const CHECKED_AT_ONCE: u64 = 512 * 1024 * 1024;

/// What is left to do for a history that the agent before this one left without closing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aftercare {
    /// Nothing: it was checked.
    None,
    /// It is too large to wait for its check: [`check_beside`] does it.
    Check,
}

/// Looks after a history that the agent before this one left without closing it.
pub(crate) fn after_a_cut(path: &Path) -> Result<Aftercare, HistoryError> {
    let bytes = path.metadata().map_or(0, |about| about.len());
    if bytes > CHECKED_AT_ONCE {
        tracing::info!(
            bytes,
            "the agent did not end cleanly last time; the history is checked in the background"
        );
        return Ok(Aftercare::Check);
    }
    if bytes == 0 {
        return Ok(Aftercare::None);
    }
    let health = connection::open_writer(path).and_then(|connection| check::quick(&connection));
    match health {
        Ok(DatabaseHealth::Sound | DatabaseHealth::Unknown) => {
            tracing::info!("the agent did not end cleanly last time; the history is sound");
            Ok(())
        }
        Ok(DatabaseHealth::Damaged(findings)) => rebuild_or_say(path, &findings),
        Err(error) => if_damaged(path, HistoryError::open(path)(error)),
    }?;
    Ok(Aftercare::None)
}

/// Checks a history while it is in use, on a thread of its own; a damaged one is rebuilt. Takes
/// about a second for 100 MB; dropping the future ends it.
pub(crate) async fn check_beside(path: &Path, writer: &Writer) -> Result<(), HistoryError> {
    let reader = Reader::open(path, "history-check")?;
    match reader.read(check::quick).await? {
        DatabaseHealth::Sound | DatabaseHealth::Unknown => {
            tracing::info!("the history was checked and is sound");
            Ok(())
        }
        // The writer looks for itself, and rebuilds.
        DatabaseHealth::Damaged(_) => writer.suspect().await,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, SeekFrom, Write as _};

    use super::*;
    use crate::history::History;

    #[tokio::test]
    async fn a_history_in_use_that_turns_out_damaged_is_rebuilt() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'age_marks'";
        let connection = connection::read_write(&path).unwrap();
        let root: u64 = connection.query_row(root, [], |row| row.get(0)).unwrap();
        drop(connection);
        let (writer, thread) = Writer::open(&path, |_| {}).unwrap();
        check_beside(&path, &writer).await.unwrap();
        // Nothing reads this table meanwhile.
        let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start((root - 1) * 4096)).unwrap();
        file.write_all(&[0x5a; 4096]).unwrap();

        check_beside(&path, &writer).await.unwrap();
        writer.until_it_works().await;

        let is_kept = |entry: std::io::Result<std::fs::DirEntry>| {
            let name = entry.unwrap().file_name();
            name.to_string_lossy().contains("damaged")
        };
        assert!(folder.path().read_dir().unwrap().any(is_kept));
        assert_eq!(History::open(&path).unwrap().check().await.unwrap(), None);
        thread.close().await;
    }
}
