//! Faults of a disk: a library for `LD_PRELOAD`, compiled
//! from `shim.c` by the machine's `cc`, and its switches.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Compiles the library; returns `None` if there is no `cc`.
pub(crate) fn compile(folder: &Path) -> Option<PathBuf> {
    let library = folder.join("faults.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/shim.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status();
    compiled
        .is_ok_and(|status| status.success())
        .then_some(library)
}

/// The disk of one process.
pub(crate) struct Disk {
    library: PathBuf,
    switches: PathBuf,
    synced: PathBuf,
}

impl Disk {
    pub(crate) fn new(library: &Path, folder: &Path) -> Self {
        let (switches, synced) = (folder.join("switches"), folder.join("synced"));
        for made in [&switches, &synced] {
            std::fs::create_dir_all(made).unwrap();
        }
        Self {
            library: library.to_owned(),
            switches,
            synced,
        }
    }

    /// Makes a process use this disk.
    pub(crate) fn under(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAULT_DIR", &self.switches)
            .env("FAULT_SYNCED", &self.synced);
    }

    /// Makes the disk report syncs as done that are not.
    pub(crate) fn lie(&self) {
        self.is("lies", true);
    }

    /// Turns a switch on or off.
    pub(crate) fn is(&self, switch: &str, on: bool) {
        let switch = self.switches.join(switch);
        if on {
            std::fs::write(switch, "").unwrap();
        } else {
            std::fs::remove_file(switch).unwrap();
        }
    }

    /// Makes the disk full, or gives it space again.
    pub(crate) fn is_full(&self, full: bool) {
        let switch = self.switches.join("enospc");
        if full {
            std::fs::write(&switch, "").unwrap();
        } else {
            std::fs::remove_file(&switch).unwrap();
        }
    }

    /// Makes syncs hang, or continue.
    pub(crate) fn hold(&self, holds: bool) {
        let switch = self.switches.join("hold");
        if holds {
            std::fs::write(switch, "").unwrap();
        } else {
            std::fs::remove_file(switch).unwrap();
        }
    }

    /// Makes writes fail with `enospc` or `eio` for a while.
    pub(crate) async fn fail(&self, way: &str, time: Duration) {
        self.is(way, true);
        tokio::time::sleep(time).await;
        self.is(way, false);
    }

    /// Sets the wall clock of the process this number of seconds ahead.
    pub(crate) fn set_clock(&self, seconds: i64) {
        let switch = self.switches.join("clock");
        // Replaced as a whole, since the process may read it at any time.
        let written = self.switches.join("clock.new");
        std::fs::write(&written, seconds.to_string()).unwrap();
        std::fs::rename(written, switch).unwrap();
    }

    /// Simulates a power cut: restores every database
    /// to its last sync. The process must have ended.
    pub(crate) fn cut_power(&self, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let is_database = ["", "-wal", "-shm"].iter().any(|end| {
                name.strip_suffix(end)
                    .is_some_and(|name| name.contains(".db"))
            });
            if !is_database || name.contains(".lock") || name.contains(".damaged") {
                continue;
            }
            let synced = self.synced.join(&name);
            if !name.ends_with("-shm") && synced.exists() {
                std::fs::copy(synced, path).unwrap();
            } else {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
}
