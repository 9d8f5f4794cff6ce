//! Each name means one type, so a reader of `Holder` need not ask which one is meant.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::Modules;
use crate::workspace;

/// Names that several types have, and why.
const SHARED: [(&str, &str); 4] = [
    (
        "App",
        "Podio's app, and the state of a terminal UI, which Ratatui's users call so",
    ),
    ("Caught", "one for each system"),
    ("Keys", "one for each system"),
    ("Signals", "one for each system"),
];

#[test]
fn a_type_that_other_files_can_name_shares_its_name_with_none() {
    let crates = workspace::crates().into_iter();
    let crates: Vec<(String, Modules)> = crates
        .map(|(name, file)| (name, Modules::read(&file)))
        .collect();
    let mut places: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (name, modules) in &crates {
        for (ty, module) in modules.types() {
            let place = format!("{name}::{}", module.join("::"));
            places.entry(ty).or_default().insert(place);
        }
    }
    assert!(places.len() > 500, "the types were not found");

    places.retain(|_, places| places.len() > 1);
    let shared: Vec<&str> = SHARED.iter().map(|(name, _)| *name).collect();
    let wrong: Vec<String> = places
        .iter()
        .filter(|(ty, _)| !shared.contains(ty))
        .map(|(ty, places)| format!("{ty}: {places:?}"))
        .collect();
    assert!(
        wrong.is_empty(),
        "give each its own name:\n{}",
        wrong.join("\n")
    );
    let known = shared.iter().filter(|name| !places.contains_key(*name));
    let unique: Vec<_> = known.collect();
    assert!(unique.is_empty(), "SHARED lists {unique:?} without need");
}

#[test]
fn types_for_others_are_found_and_private_ones_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lib.rs");
    let text = "pub struct One; pub(crate) enum Two {} pub(super) trait Three { type Inner; }
        pub type Four = u8; struct Private; enum Own { Six } pub fn seven() {}
        mod inner { pub union Five { a: u8 } } impl Iterator for One { type Item = u8; }
        #[cfg(test)] pub struct ForTests; #[cfg(test)] mod tests { pub struct Deep; }";
    std::fs::write(&root, text).unwrap();
    let modules = Modules::read(&root);
    let found: BTreeSet<&str> = modules.types().map(|(name, _)| name).collect();
    let found = Vec::from_iter(found);
    assert_eq!(found, ["Five", "Four", "One", "Three", "Two"]);
}
