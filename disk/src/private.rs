//! Creates files and folders that only this user can access.
//!
//! They are created with their final mode. If the mode was changed afterwards, other users
//! could open them in between.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Mode of a folder that only the owner may enter.
#[cfg(unix)]
const FOLDER: u32 = 0o700;

/// Mode of a file that only the owner may read.
#[cfg(unix)]
const FILE: u32 = 0o600;

/// Beginnings of the names of our files.
const OUR_BEGINNINGS: [&str; 5] = ["relay", "podtap", "podio-tokens", "tunnels", "acme"];

/// Names of our files that another program could use too.
const OUR_NAMES: [&str; 1] = ["port"];

/// Ends of the names of our files.
const OUR_ENDS: [&str; 6] = [".db", "-wal", "-shm", ".lock", ".damaged", ".run"];

/// Ends of the names of a database and of the files that SQLite creates beside it.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];

/// Creates a folder and its missing parents. The mode of an existing folder is restricted
/// if this user owns it and it contains only our files. A folder that is shared with others
/// stays as it is; the files in it are private anyway.
pub fn folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, FOLDER);
    builder.create(path)?;
    #[cfg(unix)]
    if is_loose(path) && !is_sticky(path) && holds_only_ours(path)? {
        tighten(path, FOLDER)?;
    }
    Ok(())
}

/// Opens a file for reading and writing, and keeps its content. It is created if it is missing.
pub fn file(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().write(true).create(true))
}

/// Opens a file whose writes all go to its end. It is created if it is missing.
pub fn append_to(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().append(true).create(true))
}

/// Creates a file that must not exist.
pub fn create_new(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().write(true).create_new(true))
}

/// Returns what a path leads to if it cannot be a file, such as a folder. Returns `None` if
/// there is a file or one can be created.
pub fn no_file(path: &Path) -> Option<&'static str> {
    let Ok(at) = path.metadata() else {
        let is_link = path.symlink_metadata().is_ok_and(|at| at.is_symlink());
        return is_link.then_some("it is a symbolic link that leads nowhere");
    };
    if at.is_file() {
        return None;
    }
    if at.is_dir() {
        return Some("it is a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if at.file_type().is_fifo() {
            return Some("it is a pipe");
        }
        if at.file_type().is_socket() {
            return Some("it is a socket");
        }
    }
    Some("it is a device, not a file")
}

/// Replaces a file's content.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = file(path)?;
    file.set_len(0)?;
    io::Write::write_all(&mut file, content)
}

/// Creates an empty file if there is none, so that SQLite finds a file with the right mode,
/// which it copies to the files beside it. The modes of existing files, from an earlier
/// release, are restricted.
///
/// An existing database is never opened here: closing a file drops every lock that this
/// process holds on it, including SQLite's ("How To Corrupt", section 2.2).
pub fn database(path: &Path) -> io::Result<()> {
    match create_new(path) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    for file in with_companions(path) {
        if is_loose(&file) {
            tighten(&file, FILE)?;
        }
    }
    Ok(())
}

/// Returns the paths of a database and of the files that SQLite keeps beside it, which may
/// not exist.
pub fn with_companions(path: &Path) -> impl Iterator<Item = PathBuf> {
    BESIDE.into_iter().map(|end| beside(path, end))
}

/// Identity of a file, independent of its name.
pub type FileIdentity = (u64, u64);

/// Returns the identity of the file that is now at this path, or `None` if there is none.
pub fn identity(path: &Path) -> Option<FileIdentity> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let about = path.metadata().ok()?;
        Some((about.dev(), about.ino()))
    }
    #[cfg(not(unix))]
    path.exists().then_some((0, 0))
}

/// Returns a path with `end` added to its name.
pub fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, FILE);
    #[cfg(unix)]
    let is_new = path.symlink_metadata().is_err();
    let file = options.open(path)?;
    #[cfg(unix)]
    if is_new {
        give_to_folders_owner(&file, path)?;
    }
    #[cfg(unix)]
    if is_loose(path) && path.is_file() {
        tighten(path, FILE)?;
    }
    Ok(file)
}

/// Returns whether this user owns the file or folder and others may access it.
#[cfg(unix)]
fn is_loose(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    path.symlink_metadata().is_ok_and(|about| {
        let own = about.uid() == rustix::process::geteuid().as_raw();
        own && !about.is_symlink() && about.mode() & 0o077 != 0
    })
}

/// Gives a file that root creates in another user's folder to that user. Otherwise, a relay
/// that runs as that user could not write it. SQLite does the same with the files beside a
/// database. The open file is used, so that a link that is created meanwhile is not followed.
#[cfg(unix)]
fn give_to_folders_owner(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let about = folder.metadata()?;
    if about.uid() == file.metadata()?.uid() || is_sticky(folder) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(about.uid()), Some(about.gid()))
}

/// Returns whether a folder is sticky, like `/tmp`, and thus shared by all users.
#[cfg(unix)]
fn is_sticky(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    path.metadata()
        .is_ok_and(|about| about.mode() & 0o1000 != 0)
}

#[cfg(unix)]
fn tighten(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(unix)]
fn holds_only_ours(folder: &Path) -> io::Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        if !is_our_name(&entry?.file_name()) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg_attr(not(unix), expect(dead_code, reason = "there are no modes to tighten"))]
fn is_our_name(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let begins = OUR_BEGINNINGS.iter().any(|start| name.starts_with(start));
    begins || OUR_NAMES.contains(&name) || OUR_ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_no_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "").unwrap();
        std::os::unix::fs::symlink("/nowhere/x", at("dangling")).unwrap();
        std::os::unix::fs::symlink("/dev/null", at("device")).unwrap();
        for (name, expected) in [
            ("file", None),
            ("missing", None),
            ("", Some("it is a folder")),
            ("dangling", Some("it is a symbolic link that leads nowhere")),
            ("device", Some("it is a device, not a file")),
        ] {
            assert_eq!(no_file(&at(name)), expected, "{name}");
        }
    }

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    fn loosen(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_made_is_private_with_everything_above_it() {
        let top = tempfile::tempdir().unwrap();
        let inner = top.path().join("a/b");
        folder(&inner).unwrap();
        file(&inner.join("f")).unwrap();
        append_to(&inner.join("log")).unwrap();
        database(&inner.join("x.db")).unwrap();

        assert_eq!((mode(&inner), mode(&top.path().join("a"))), (0o700, 0o700));
        for name in ["f", "log", "x.db"] {
            assert_eq!(mode(&inner.join(name)), 0o600, "{name}");
        }
    }

    #[test]
    fn what_an_earlier_release_left_open_is_tightened() {
        let top = tempfile::tempdir().unwrap();
        let (old, wal) = (top.path().join("crm.db"), top.path().join("crm.db-wal"));
        for path in [&old, &wal] {
            std::fs::write(path, "").unwrap();
            loosen(path, 0o644);
        }
        loosen(top.path(), 0o755);

        folder(top.path()).unwrap();
        database(&old).unwrap();

        assert_eq!(
            (mode(top.path()), mode(&old), mode(&wal)),
            (0o700, 0o600, 0o600)
        );
    }

    #[test]
    fn what_root_makes_in_a_folder_of_another_is_that_users() {
        use std::os::unix::fs::MetadataExt as _;
        const OTHER: u32 = 54_321;
        let top = tempfile::tempdir().unwrap();
        if std::os::unix::fs::chown(top.path(), Some(OTHER), Some(OTHER)).is_err() {
            eprintln!("skipped: only root can give a folder away");
            return;
        }
        let old = top.path().join("old");
        std::fs::write(&old, "").unwrap();

        folder(top.path()).unwrap();
        let made = ["f", "log", "new", "x.db"].map(|name| top.path().join(name));
        file(&made[0]).unwrap();
        append_to(&made[1]).unwrap();
        create_new(&made[2]).unwrap();
        database(&made[3]).unwrap();
        file(&old).unwrap();

        for path in &made {
            let about = path.metadata().unwrap();
            assert_eq!((about.uid(), about.gid()), (OTHER, OTHER), "{path:?}");
        }
        assert_eq!(old.metadata().unwrap().uid(), 0, "it was there before");
    }

    #[test]
    fn a_folder_that_holds_other_files_or_is_sticky_stays_as_it_is() {
        let top = tempfile::tempdir().unwrap();
        loosen(top.path(), 0o1777);
        folder(top.path()).unwrap();
        assert_eq!(mode(top.path()), 0o777);

        loosen(top.path(), 0o755);
        std::fs::write(top.path().join("thesis.tex"), "").unwrap();
        folder(top.path()).unwrap();
        assert_eq!(mode(top.path()), 0o755);
    }
}
