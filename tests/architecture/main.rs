//! The structure of the code: which crates and modules
//! may import which, and the maximum size of a file.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by panicking"
)]

mod app;
mod circles;
mod comments;
mod homes;
mod modules;
mod names;
mod plain_names;
mod wording;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::workspace::Source;

/// Maximum number of lines in a file, including its unit tests.
const MAX_LINES: usize = 400;

/// Reads the table of the parts from the document: each package and those that it may import.
fn allowed_imports() -> BTreeMap<String, BTreeSet<String>> {
    let document = include_str!("../../docs/ARCHITECTURE.md");
    let rows = document.lines().skip_while(|line| *line != "## The parts");
    let rows = rows.filter(|line| line.starts_with("| `"));
    let names = |cell: &str| -> Vec<String> {
        let names = cell.split('`').skip(1).step_by(2);
        names.map(str::to_owned).collect()
    };
    let mut allowed = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [_, package, _, imports] = cells.as_slice() else {
            break;
        };
        let imports = match imports.trim() {
            "all" => workspace::packages()
                .iter()
                .filter_map(|package| package["name"].as_str().map(str::to_owned))
                .filter(|name| {
                    !["podtap-bench", "podtap-fuzz", "podtap-testing"].contains(&name.as_str())
                })
                .collect(),
            imports => names(imports)
                .iter()
                .map(|name| format!("podtap-{name}"))
                .collect(),
        };
        allowed.insert(names(package).remove(0), imports);
    }
    allowed
}

#[test]
fn parts_import_what_the_document_says_and_no_more() {
    let allowed = allowed_imports();
    for package in workspace::packages() {
        let name = package["name"].as_str().unwrap();
        let allowed = allowed
            .get(name)
            .unwrap_or_else(|| panic!("{name} has no row in docs/ARCHITECTURE.md"));
        let imports: BTreeSet<String> = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|dependency| dependency["kind"] != "dev")
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|dependency| dependency.starts_with("podtap"))
            .map(str::to_owned)
            .collect();
        let forbidden: Vec<_> = imports.difference(allowed).collect();
        assert!(forbidden.is_empty(), "{name} imports {forbidden:?}");
        let unused: Vec<_> = allowed.difference(&imports).collect();
        let is_all = name == "podtap";
        assert!(
            is_all || unused.is_empty(),
            "{name} does not import {unused:?}"
        );
    }
}

#[test]
fn every_file_is_a_small_room_with_its_name_on_the_door() {
    let mut sources = Vec::new();
    for package in workspace::packages() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        for folder in ["src", "tests", "benches", "fuzz_targets"] {
            collect(&manifest.with_file_name(folder), &mut sources);
        }
    }
    assert!(sources.len() > 20, "the sources were not found");

    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        // A test file is a list of promises, which may be long.
        let is_test = path.components().any(|part| part.as_os_str() == "tests");
        assert!(
            is_test || lines <= MAX_LINES,
            "{} has {lines} lines: split it",
            path.display()
        );
        assert!(
            text.starts_with("//!"),
            "{} does not say what lives in it",
            path.display()
        );
    }
}

/// Files are created by `podtap_disk::private`, which sets their
/// permissions. Otherwise the umask would decide who can read them.
#[test]
fn files_are_made_for_their_owner_alone() {
    const OTHER_WAYS: [&str; 5] = [
        "create_dir",
        "File::create",
        "OpenOptions::new",
        "fs::write",
        "DirBuilder::new",
    ];
    // These files are that module, set the permissions themselves, write
    // into private folders, or write only files without personal data.
    const KNOWN: [&str; 3] = [
        "disk/src/private.rs",
        "podio/src/client/private_file.rs",
        "tui/src/editor/run.rs",
    ];
    for Source { place, text } in workspace::sources() {
        let is_test = place.ends_with("tests.rs")
            || place.components().any(|part| part.as_os_str() == "tests")
            || place.starts_with("bench");
        let code = text.split("#[cfg(test)]").next().unwrap();
        let other = OTHER_WAYS.iter().find(|way| code.contains(**way));
        assert!(
            is_test || other.is_none() || KNOWN.iter().any(|known| place == Path::new(known)),
            "{} uses {other:?}: make files with podtap_disk::private",
            place.display()
        );
    }
}

/// Each one links everything again. The workspace's own tests are about the whole.
#[test]
fn a_package_has_one_integration_binary() {
    for package in workspace::packages() {
        let name = package["name"].as_str().unwrap();
        let targets = package["targets"].as_array().unwrap().iter();
        let is_test = |target: &&serde_json::Value| target["kind"][0] == "test";
        let count = targets.filter(is_test).count();
        assert!(name == "podtap" || count <= 1, "{name} has {count}");
    }
}

/// A file that two packages compile belongs into a third.
#[test]
fn no_package_compiles_the_file_of_another() {
    for package in workspace::packages() {
        let folder = Path::new(package["manifest_path"].as_str().unwrap())
            .parent()
            .unwrap();
        let mut sources = Vec::new();
        for part in ["src", "tests", "benches"] {
            collect(&folder.join(part), &mut sources);
        }
        for file in sources {
            let text = std::fs::read_to_string(&file).unwrap();
            for path in text.split("#[path = \"").skip(1) {
                let Some((path, _)) = path.split_once('"') else {
                    continue;
                };
                // A path in a test's text names nothing.
                if let Ok(other) = file.parent().unwrap().join(path).canonicalize() {
                    assert!(
                        ["src", "tests"]
                            .iter()
                            .any(|part| other.starts_with(folder.join(part))),
                        "{} compiles {path}: put it into podtap-testing",
                        file.display()
                    );
                }
            }
        }
    }
}

/// Code for Unix only is behind a `cfg`, in few files: the rest compiles for all systems.
#[test]
fn what_is_unix_stands_behind_a_door() {
    const UNIX: [&str; 11] = [
        "std::os::unix",
        "std::os::linux",
        "std::os::fd",
        "signal::unix",
        "rustix::",
        "libc::",
        " nix::",
        "listenfd::",
        "sd_notify::",
        "process_group",
        "get_termios",
    ];
    // Files in which every such line, or the whole file, is only for Unix.
    const DOORS: [&str; 12] = [
        "agent/src/delivery/program/group.rs",
        "bench/src/pty.rs",
        "src/system/supervisor.rs",
        "src/system/unix.rs",
        "disk/src/bell.rs",
        "disk/src/private.rs",
        "disk/src/system.rs",
        "podio/src/client/private_file.rs",
        "relay/src/descriptors.rs",
        "tui/src/terminal/keys.rs",
        "tui/src/terminal/mod.rs",
        "tui/src/explain/browser.rs",
    ];
    let mut doors = BTreeSet::new();
    for Source { place, text } in workspace::sources() {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let unix = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .find(|line| UNIX.iter().any(|word| line.contains(word)));
        let Some(line) = unix else { continue };
        let door = DOORS.iter().find(|door| place == Path::new(door));
        let door = door.unwrap_or_else(|| panic!("{}: {line}: see DOORS", place.display()));
        doors.insert(*door);
        let parent = workspace::root().join(place.parent().unwrap());
        let declared = ["mod.rs", "lib.rs", "main.rs"]
            .iter()
            .filter_map(|file| std::fs::read_to_string(parent.join(file)).ok())
            .any(|text| {
                let name = place.file_stem().unwrap().to_string_lossy();
                text.contains(&format!("#[cfg(unix)]\nmod {name};"))
            });
        let conditions = ["#[cfg(unix)]", "#[cfg(target_os = \"linux\")]"];
        assert!(
            declared || conditions.iter().any(|condition| code.contains(condition)),
            "{}: nothing in it is behind a cfg",
            place.display()
        );
    }
    assert_eq!(doors.len(), DOORS.len(), "{doors:?}");
}

/// What a folder imports from a module for Unix, it also imports from one for other systems.
#[test]
fn a_door_has_the_same_names_on_its_other_side() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["src/system/mod.rs", "disk/src/system.rs"] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let names = |condition: &str| -> BTreeSet<String> {
            let start = format!("#[cfg({condition})]\npub(crate) use ");
            text.split(&start)
                .skip(1)
                .filter_map(|rest| rest.split_once(';'))
                .flat_map(|(path, _)| {
                    let names = path.split_once("::").unwrap().1;
                    names
                        .split([',', '{', '}'])
                        .map(|name| name.trim().to_owned())
                        .collect::<Vec<_>>()
                })
                .filter(|name| !name.is_empty())
                .collect()
        };
        assert!(!names("unix").is_empty(), "{file}");
        assert_eq!(names("unix"), names("not(unix)"), "{file}");
    }
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}
