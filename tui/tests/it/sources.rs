//! Checks invariant 7 in the sources: captured bytes reach cells only through safe text.

use std::fs;
use std::path::{Path, PathBuf};

/// Calls that are allowed in these files only.
const DOORS: [(&str, &[&str]); 3] = [
    // Lossy text may contain control characters; the editor's file is not a screen.
    ("from_utf8_lossy", &["editor/file.rs"]),
    // Text goes into cells only as lines of safe text.
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
