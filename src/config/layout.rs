//! The layout of the data folder: histories in `tunnels/`, the relay's files at the top.
//!
//! An earlier release stored both at the top, where the history of a tunnel named `relay`
//! had the same path as the relay's database. Such histories are found and moved.

use std::io;
use std::path::{Path, PathBuf};

use podtap_agent::history::is_history;
use podtap_disk::{lock::Lock, private};
use podtap_wire::TunnelName;

/// The folder of the histories.
const TUNNELS: &str = "tunnels";

/// The relay's database, and in an earlier release the history of a tunnel named `relay`.
const RELAY: &str = "relay.db";

/// Returns the path of a tunnel's history. Moves a history of an earlier
/// release to this path, unless an agent of that release has it open.
pub(super) fn history(data_dir: &Path, tunnel: &TunnelName) -> PathBuf {
    let name = format!("{tunnel}.db");
    let (old, new) = (data_dir.join(&name), data_dir.join(TUNNELS).join(&name));
    if new.exists() || !old.is_file() || (name == RELAY && !is_history(&old)) {
        return new;
    }
    match adopt(&old, &new) {
        Ok(true) => new,
        Ok(false) => old,
        Err(error) => {
            tracing::warn!(%error, "the history {} was not moved", old.display());
            old
        }
    }
}

/// Returns the names of the tunnels with a history.
pub(super) fn tunnels(data_dir: &Path) -> Vec<String> {
    let entries = data_dir.join(TUNNELS).read_dir().into_iter().flatten();
    let paths = entries.flatten().map(|entry| entry.path());
    let histories = paths.filter(|path| path.extension().is_some_and(|end| end == "db"));
    let stems = histories.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
    let mut names: Vec<String> = stems.collect();
    names.sort();
    names
}

/// Moves the history of a tunnel named `relay` away from the path of the relay's database.
pub(super) fn make_way_for_relay(data_dir: &Path) {
    let (old, new) = (data_dir.join(RELAY), data_dir.join(TUNNELS).join(RELAY));
    if old.is_file()
        && !new.exists()
        && is_history(&old)
        && let Err(error) = adopt(&old, &new)
    {
        tracing::warn!(%error, "the history {} cannot be moved", old.display());
    }
}

/// Returns the tunnel's name for a folder: the most similar valid name,
/// made distinct for folders whose names have invalid characters. If a
/// history of the plain name exists, the folder keeps using it.
pub(super) fn tunnel_of(data_dir: Option<&Path>, folder: &str) -> Option<TunnelName> {
    let distinct = TunnelName::of_folder(folder)?;
    let Some(plain) = TunnelName::nearest(folder).filter(|plain| *plain != distinct) else {
        return Some(distinct);
    };
    let has_history = |tunnel: &TunnelName| {
        let name = format!("{tunnel}.db");
        data_dir.is_some_and(|dir| {
            dir.join(TUNNELS).join(&name).exists() || (name != RELAY && dir.join(&name).exists())
        })
    };
    if !has_history(&distinct) && has_history(&plain) {
        Some(plain)
    } else {
        Some(distinct)
    }
}

/// Moves a history and its files; returns `false` if an agent has it open.
fn adopt(old: &Path, new: &Path) -> io::Result<bool> {
    if let Some(folder) = new.parent() {
        private::folder(folder)?;
    }
    let lock_file = private::beside(old, ".lock");
    let Ok(lock) = Lock::take(&lock_file) else {
        return Ok(false);
    };
    // The database moves last: until then the move counts as not begun, and is repeated.
    for end in ["-wal", "-shm", ""] {
        match std::fs::rename(private::beside(old, end), private::beside(new, end)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    drop(lock);
    let _ = std::fs::remove_file(lock_file);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use podtap_agent::history::History;

    use super::*;

    fn name(text: &str) -> TunnelName {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn histories_of_an_earlier_release_are_found_again() {
        let data = tempfile::tempdir().unwrap();
        for tunnel in ["crm", "relay"] {
            drop(History::open(&data.path().join(format!("{tunnel}.db"))).unwrap());
        }

        for tunnel in ["crm", "relay"] {
            let path = history(data.path(), &name(tunnel));

            assert_eq!(path, data.path().join(format!("tunnels/{tunnel}.db")));
            assert!(path.exists() && !data.path().join(format!("{tunnel}.db")).exists());
        }
    }

    #[tokio::test]
    async fn the_relays_own_database_is_no_history() {
        let data = tempfile::tempdir().unwrap();
        drop(podtap_relay::tunnel::TokenStore::open(data.path()).unwrap());

        let path = history(data.path(), &name("relay"));
        drop(History::open(&path).unwrap());

        assert_eq!(path, data.path().join("tunnels/relay.db"));
        drop(podtap_relay::tunnel::TokenStore::open(data.path()).unwrap());
    }

    #[test]
    fn folders_whose_letters_differ_have_tunnels_of_their_own() {
        let data = tempfile::tempdir().unwrap();
        let of = |folder| tunnel_of(Some(data.path()), folder).unwrap();
        assert_ne!(of("Müller"), of("Möller"));
        assert_ne!(of("日本"), of("中国"));
        assert_eq!(of("My App"), name("my-app"));

        std::fs::write(data.path().join("m-ller.db"), "").unwrap();
        assert_eq!(of("Müller"), name("m-ller"), "it had a history already");
    }
}
