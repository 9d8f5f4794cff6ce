//! Asks cargo for the packages of the workspace, so no new package is forgotten.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::modules::Modules;

/// A source file, with its path from the root of the workspace.
pub(crate) struct Source {
    pub(crate) place: PathBuf,
    pub(crate) text: String,
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn packages() -> Vec<Value> {
    let mut metadata = Command::new(env!("CARGO"));
    metadata.args(["metadata", "--no-deps", "--offline"]);
    metadata.args(["--format-version", "1"]);
    let metadata = metadata.current_dir(root()).output().unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// Returns the libraries and programs, each with its root file.
pub(crate) fn crates() -> Vec<(String, PathBuf)> {
    let packages = packages();
    let targets = packages.iter().flat_map(|package| {
        let targets = package["targets"].as_array().unwrap().iter();
        targets.map(move |target| (package, target))
    });
    let crates = targets.filter(|(_, target)| {
        let kinds = target["kind"].as_array().unwrap();
        kinds.iter().any(|kind| kind == "lib" || kind == "bin")
    });
    let crates: Vec<(String, PathBuf)> = crates
        .map(|(package, target)| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let (package, name) = (text(&package["name"]), text(&target["name"]));
            let is_whole = package.replace('-', "_") == name.replace('-', "_");
            let name = if is_whole {
                name
            } else {
                format!("{package}/{name}")
            };
            (name, PathBuf::from(text(&target["src_path"])))
        })
        .collect();
    assert!(crates.len() > 12, "the crates were not found: {crates:?}");
    crates
}

/// Returns the files below the `src` of each package.
pub(crate) fn sources() -> impl Iterator<Item = Source> {
    let mut files = Vec::new();
    for package in packages() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        crate::collect(&manifest.with_file_name("src"), &mut files);
    }
    assert!(files.len() > 500, "the sources were not found");
    files.into_iter().map(|file| Source {
        place: file.strip_prefix(root()).unwrap().to_path_buf(),
        text: std::fs::read_to_string(&file).unwrap(),
    })
}

/// The files of what is shipped: none for tests, benchmarks or fuzzing.
pub(crate) fn shipped_sources() -> impl Iterator<Item = Source> {
    let shipped = crates().into_iter().filter(|(name, _)| {
        let tools = ["podtap-bench", "podtap-fuzz", "podtap-testing"];
        !tools.iter().any(|tool| name.starts_with(tool))
    });
    let modules = shipped.map(|(_, file)| Modules::read(&file));
    let files: BTreeSet<PathBuf> = modules.flat_map(|it| it.files().clone()).collect();
    sources().filter(move |source| files.contains(&root().join(&source.place)))
}
