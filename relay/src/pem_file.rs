//! Reads files with certificates and keys, up to a size limit. Only regular files are read,
//! because a pipe may never return anything and a device has no end.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use podtap_disk::private;

/// Maximum size of a file. A chain with its key has 10 KiB, all authorities of a system 250 KiB.
const MAX_BYTES: u64 = 1024 * 1024;

/// Reason why a file with certificates or a key cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PemFileError {
    /// The operating system returned an error.
    #[error("{} cannot be read", file.display())]
    Unreadable {
        file: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The path does not lead to a regular file.
    #[error("{} cannot be used: {what}", file.display())]
    NoFile {
        file: PathBuf,
        /// What the path leads to instead.
        what: &'static str,
    },
    /// The file is larger than any certificate.
    #[error("{} cannot be used: it is larger than {MAX_BYTES} bytes", file.display())]
    TooLarge { file: PathBuf },
}

/// Returns the content of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, PemFileError> {
    let file = path.to_owned();
    if let Some(what) = private::no_file(path) {
        return Err(PemFileError::NoFile { file, what });
    }
    let mut content = Vec::new();
    let opened = File::open(path);
    let read = opened.and_then(|opened| opened.take(MAX_BYTES + 1).read_to_end(&mut content));
    match read {
        Err(source) => Err(PemFileError::Unreadable { file, source }),
        Ok(_) if content.len() as u64 > MAX_BYTES => Err(PemFileError::TooLarge { file }),
        Ok(_) => Ok(content),
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    #[test]
    fn what_is_not_a_file_is_named_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        // Reading a pipe without a writer would block forever.
        let made = Command::new("mkfifo").arg(at("pipe")).status().unwrap();
        assert!(made.success());
        let _listener = UnixListener::bind(at("socket")).unwrap();
        symlink(at("missing"), at("nowhere")).unwrap();
        symlink(folder.path(), at("elsewhere")).unwrap();
        for (name, words) in [
            ("pipe", "it is a pipe"),
            ("socket", "it is a socket"),
            ("nowhere", "leads nowhere"),
            ("elsewhere", "it is a folder"),
            ("missing", "cannot be read"),
        ] {
            let told = read(&at(name)).unwrap_err().to_string();
            assert!(told.contains(name) && told.contains(words), "{told}");
        }
        std::fs::write(at("file"), "1").unwrap();
        assert_eq!(read(&at("file")).unwrap(), b"1");
    }
}
