//! Checks where each dependency comes from, and its licence, by the lock file and
//! without the network. `cargo deny` and `cargo shear` in `.ci/run` check this and
//! more; these tests run without them, and read the licences from `deny.toml`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests say so by failing"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The only allowed source of packages.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn packages() -> Vec<Value> {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&metadata.stderr);
    assert!(metadata.status.success(), "{stderr}");
    let mut metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let resolved: BTreeSet<String> = metadata["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["id"].as_str().unwrap().to_owned())
        .collect();
    let Value::Array(mut packages) = metadata["packages"].take() else {
        return Vec::new();
    };
    packages.retain(|package| resolved.contains(package["id"].as_str().unwrap()));
    packages
}

/// The licences that `deny.toml` allows, and the packages that may have another one.
struct Licences {
    allowed: Vec<String>,
    exceptions: Vec<(String, String)>,
}

impl Licences {
    fn read() -> Self {
        let deny: toml::Table = include_str!("../deny.toml").parse().unwrap();
        let strings = |value: &toml::Value| -> Vec<String> {
            let list = value.as_array().unwrap().iter();
            list.map(|one| one.as_str().unwrap().to_owned()).collect()
        };
        let exceptions = deny["licenses"]["exceptions"].as_array().unwrap();
        let exceptions = exceptions.iter().flat_map(|exception| {
            let name = exception["crate"].as_str().unwrap().to_owned();
            let licences = strings(&exception["allow"]).into_iter();
            licences.map(move |licence| (name.clone(), licence))
        });
        Self {
            exceptions: exceptions.collect(),
            allowed: strings(&deny["licenses"]["allow"]),
        }
    }

    /// Returns whether one alternative of an SPDX expression has only allowed licences.
    fn allow(&self, package: &str, expression: &str) -> bool {
        let is_allowed = |licence: &str| {
            let exception = (package.to_owned(), licence.to_owned());
            self.allowed.iter().any(|it| it == licence) || self.exceptions.contains(&exception)
        };
        let expression = expression.replace(['(', ')'], "").replace('/', " OR ");
        let mut alternatives = expression.split(" OR ");
        alternatives.any(|all| all.split(" AND ").all(|one| is_allowed(one.trim())))
    }
}

#[test]
fn every_package_comes_from_the_registry_under_a_licence_that_we_can_pass_on() {
    let packages = packages();
    assert!(packages.len() > 100, "{}", packages.len());
    let licences = Licences::read();
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        if package["source"].is_null() {
            assert!(name.starts_with("podtap"), "{name} is not of the registry");
            continue;
        }
        assert_eq!(package["source"], REGISTRY, "{name}");
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(licences.allow(name, licence), "{name} is under `{licence}`");
    }
}

#[test]
fn what_all_parts_are_built_on_is_there_once() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        let (name, version) = (&package["name"], &package["version"]);
        let known = versions.entry(name.as_str().unwrap().to_owned());
        known
            .or_default()
            .insert(version.as_str().unwrap().to_owned());
    }
    versions.retain(|_, versions| versions.len() > 1);
    for core in [
        "tokio",
        "hyper",
        "http",
        "rustls",
        "ring",
        "rusqlite",
        "serde_json",
    ] {
        assert!(!versions.contains_key(core), "{core} is there twice");
    }
}

#[test]
fn the_lock_file_has_a_checksum_for_every_package_of_the_registry() {
    let lock = include_str!("../Cargo.lock");
    let packages = lock.split("[[package]]").skip(1);
    for package in packages.filter(|package| package.contains("source = ")) {
        assert!(package.contains("checksum = "), "{package}");
        assert!(package.contains(REGISTRY), "{package}");
    }
}

/// Appends the text of all Rust files below a folder.
fn sources(folder: &Path, text: &mut String) {
    for entry in folder.read_dir().into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

/// Returns whether a text contains a crate's name, in a path or alone in a `use`.
fn names(text: &str, krate: &str) -> bool {
    text.match_indices(krate).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + krate.len()..).unwrap_or_default();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
        let is_path = !before.ends_with(is_part) && after.starts_with("::");
        is_path || (before.ends_with("use ") && after.starts_with([';', ' ']))
    })
}

/// Checks offline what `cargo machete` does: the sources use each dependency
/// of a manifest, and a manifest uses each dependency of the workspace.
#[test]
fn every_dependency_is_used() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--locked", "--offline"])
        .args(["--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let mut asked = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let folder = manifest.parent().unwrap();
        let (mut shipped, mut all) = (String::new(), String::new());
        for part in ["src", "fuzz_targets"] {
            sources(&folder.join(part), &mut shipped);
        }
        for part in ["src", "tests", "benches", "examples"] {
            sources(&folder.join(part), &mut all);
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap();
            let krate = name.replace('-', "_");
            let text = if dependency["kind"] == "dev" {
                &all
            } else {
                &shipped
            };
            let manifest = manifest.display();
            assert!(names(text, &krate), "{manifest} does not use {name}");
            asked.insert(name.to_owned());
        }
    }
    let workspace = include_str!("../Cargo.toml");
    let (_, offered) = workspace.split_once("[workspace.dependencies]\n").unwrap();
    let (offered, _) = offered.split_once("\n[").unwrap();
    for line in offered.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, _)) = line.split_once(" = ") else {
            continue;
        };
        assert!(asked.contains(name), "no manifest asks for {name}");
    }
}
