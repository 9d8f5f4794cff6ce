//! A file that its owner alone can read, replaced as a whole: no reader ever sees half of it.

use std::io;
use std::path::Path;

use tokio::fs;
use tokio::io::AsyncWriteExt as _;

/// Writes a new file beside the old one and renames it over.
pub(super) async fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    // The process id keeps two processes from writing the same new file.
    let new = path.with_extension(format!("{}.new", std::process::id()));
    write(&new, text).await?;
    fs::rename(&new, path).await
}

async fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    // Left over by a crash; its mode may be anything.
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
