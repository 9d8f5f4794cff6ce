//! Writes files that only their owner can read. A file
//! is replaced as a whole, so no reader sees half of it.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::fs;
use tokio::io::AsyncWriteExt as _;

/// Number of files that this process has written.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Writes a temporary file in the same folder and renames it over the old one.
pub(super) async fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    // The name is unique among processes and among the clients of one process.
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let new = path.with_extension(format!("{}-{number}.new", std::process::id()));
    write(&new, text).await?;
    fs::rename(&new, path).await
}

async fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    // A file left over from a crash may have any permissions.
    match fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    let mut file = options.open(path).await?;
    file.write_all(text).await?;
    file.sync_all().await
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn clients_of_one_process_replace_it_at_the_same_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known.json");
        let mut writes = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let path = path.clone();
            writes.spawn(async move { replace(&path, b"whole").await });
        }
        for written in writes.join_all().await {
            written.unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn nobody_else_can_read_the_file_even_if_an_older_one_was_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known.json");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();

        replace(&path, b"new").await.unwrap();

        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }
}
