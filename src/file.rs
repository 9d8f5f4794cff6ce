//! Files that a person names: read up to a limit, since any of them may be a device without an end,
//! and with a word where one is a pipe that somebody has yet to write to.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::output::note;
use crate::{shutdown, system};

/// Opens a file for reading. A pipe opens once something writes to it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if system::is_pipe(path) {
        note(&format!("waiting for the pipe {}", path.display()));
    }
    File::open(path)
}

/// All of a file that has at most this many bytes.
///
/// # Errors
/// Where it cannot be read, or has more.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Of a pipe or device it is not known when it ends.
    if path.metadata().is_ok_and(|at| at.is_file() || at.is_dir()) {
        return read_to_its_end(path, most);
    }
    let path = path.to_owned();
    shutdown::unless_ended(move || read_to_its_end(&path, most))?
}

fn read_to_its_end(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?.take(most + 1).read_to_end(&mut content)?;
    if content.len() as u64 > most {
        let why = format!("it is larger than {most} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(content)
}

/// The same as text.
pub(crate) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit_whatever_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "12345").unwrap();
        assert_eq!(read_text(&file, 5).unwrap(), "12345");
        for (path, why) in [
            (file.as_path(), "it is larger than 4 bytes"),
            (Path::new("/dev/zero"), "it is larger than 4 bytes"),
            (folder.path(), "Is a directory"),
        ] {
            let error = read(path, 4).unwrap_err().to_string();
            assert!(error.starts_with(why), "{error}");
        }
    }
}
