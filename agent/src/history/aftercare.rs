//! Checks a history that the previous agent left without closing it: a small history before its
//! first use, a large one while it is in use.

use std::path::Path;

use podtap_disk::check::{self, DatabaseHealth};

use super::connection;
use super::error::HistoryError;
use super::reader::Reader;
use super::rebuild::{if_damaged, rebuild_or_say};
use super::writer::Writer;

/// Maximum size in bytes of a history that is checked before its first use if the previous agent
/// was cut off; the check takes some seconds. A larger history is checked while it is in use.
const CHECKED_AT_ONCE: u64 = 512 * 1024 * 1024;

/// What remains to be done for a history that the previous agent left without closing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aftercare {
    /// Nothing: the history was checked.
    None,
    /// The history is too large to wait for its check: [`check_beside`] checks it.
    Check,
}

/// Checks a history that the previous agent left
/// without closing it, unless it is too large to wait.
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

/// Checks a history while it is in use, on a separate thread, and has a damaged one rebuilt. Takes
/// about a second per 100 MB. Dropping the future ends the check.
pub(crate) async fn check_beside(path: &Path, writer: &Writer) -> Result<(), HistoryError> {
    let reader = Reader::open(path, "history-check")?;
    match reader.read(check::quick).await? {
        DatabaseHealth::Sound | DatabaseHealth::Unknown => {
            tracing::info!("the history was checked and is sound");
            Ok(())
        }
        // The writer checks again and rebuilds the file.
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
        // Nothing else reads this table in the meantime.
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
