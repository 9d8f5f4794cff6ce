//! Reads files that a person names, up to a size limit, since any of them may be a device that
//! never ends. While a pipe has no writer yet, a note on stderr says that Podtap waits for it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use podtap_agent::amount;

use crate::output::note;
use crate::{shutdown, system};

/// Opens a file for reading. Opening a pipe waits until a program writes to it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if system::is_pipe(path) {
        note(&format!("waiting for the pipe {}", path.display()));
    }
    File::open(path)
}

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// If the file cannot be read or is larger.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // A pipe or a device may never end.
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
        let why = format!("it is larger than {}", amount::size(most));
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(content)
}

/// Reads a file of at most `most` bytes as UTF-8 text.
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
            (file.as_path(), "it is larger than 4 B"),
            (Path::new("/dev/zero"), "it is larger than 4 B"),
            (folder.path(), "Is a directory"),
        ] {
            let error = read(path, 4).unwrap_err().to_string();
            assert!(error.starts_with(why), "{error}");
        }
    }
}
