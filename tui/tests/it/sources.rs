//! Invariant 7 as a rule on the sources: captured bytes reach cells through one door.

use std::fs;
use std::path::{Path, PathBuf};

/// What may be written only in these files.
const DOORS: [(&str, &[&str]); 3] = [
    // Lossy text may hold control characters; the editor's file is no screen.
    ("from_utf8_lossy", &["editor/file.rs"]),
    // Text goes into cells as lines of safe text.
    (".set_string", &["line.rs"]),
    (".set_span", &[]),
];

#[test]
fn captured_bytes_reach_cells_through_safe_text_alone() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = files(&source);
    assert!(files.len() > 30, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let name = file
            .strip_prefix(&source)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/");
        for (word, allowed) in DOORS {
            let may = allowed.contains(&name.as_str());
            assert!(may || !text.contains(word), "{name} uses {word}");
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found
}
