//! Names say what they mean: a type's name is its own, also if it is private, and a function is
//! not named by a participle alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::workspace::{self, Source};

/// Names that several types have, and why.
const SHARED: [(&str, &str); 5] = [
    (
        "App",
        "Podio's app, and the state of a terminal UI, which Ratatui's users call so",
    ),
    ("BellListener", "one for each system"),
    ("Caught", "one for each system"),
    ("Keys", "one for each system"),
    ("Signals", "one for each system"),
];

/// Verbs that look like participles, and names that another crate's trait or API demands.
const IDIOMS: [(&str, &str); 10] = [
    ("centered", "a builder's word, as in Ratatui"),
    ("connected", "of hyper's trait `Connection`"),
    ("embed", "a verb"),
    ("enabled", "of tracing's trait `Subscriber`"),
    ("exceed", "a verb"),
    ("feed", "a verb"),
    ("need", "a verb"),
    ("proceed", "a verb"),
    ("seed", "a verb"),
    ("succeed", "a verb"),
];

/// Participles that do not end in `ed`.
const IRREGULAR: [&str; 24] = [
    "begun", "broken", "chosen", "cut", "done", "drawn", "due", "found", "given", "gone", "heard",
    "held", "kept", "known", "left", "lost", "made", "said", "seen", "sent", "shown", "taken",
    "told", "written",
];

/// Returns the names behind a keyword at the beginning of lines, with their indentation.
fn declarations<'a>(text: &'a str, keywords: &'a [&str]) -> impl Iterator<Item = (usize, &'a str)> {
    text.lines().filter_map(move |line| {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let mut words = code.split([' ', '(', '<', ':', ';', '{', ')', '=']);
        let modifiers = ["pub", "crate", "super", "const", "async", "in", ""];
        let keyword = words.find(|word| !modifiers.contains(word))?;
        let name = words.next()?;
        let is_meant = keywords.contains(&keyword) && !(keyword == "type" && indent > 0);
        is_meant.then_some((indent, name))
    })
}

fn is_participle(name: &str) -> bool {
    let is_idiom = IDIOMS.iter().any(|(idiom, _)| *idiom == name);
    let stem = ["un", "re", "mis", "over"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix));
    let is_irregular = |word: &str| IRREGULAR.contains(&word);
    let is_participle =
        name.ends_with("ed") || is_irregular(name) || stem.is_some_and(is_irregular);
    !name.contains('_') && !is_idiom && is_participle
}

#[test]
fn no_two_types_have_the_same_name() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Source { place, text } in workspace::shipped_sources() {
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        for (_, name) in declarations(code, &["struct", "enum", "union", "trait", "type"]) {
            let place = place.display().to_string();
            places.entry(name.to_owned()).or_default().push(place);
        }
    }
    assert!(places.len() > 900, "the types were not found");

    places.retain(|_, places| places.len() > 1);
    let deliberate: BTreeSet<&str> = SHARED.iter().map(|(name, _)| *name).collect();
    let repeated: BTreeSet<&str> = places.keys().map(String::as_str).collect();
    let wrong: Vec<_> = repeated.difference(&deliberate).collect();
    assert!(
        wrong.is_empty(),
        "give each its own name: {wrong:?} in {places:#?}"
    );
    let unused: Vec<_> = deliberate.difference(&repeated).collect();
    assert!(unused.is_empty(), "SHARED lists {unused:?} without need");
}

#[test]
fn no_function_is_named_by_a_participle_alone() {
    let mut files = Vec::new();
    for folder in workspace::packages() {
        let manifest = Path::new(folder["manifest_path"].as_str().unwrap()).to_path_buf();
        for part in ["src", "tests", "benches"] {
            let folder = manifest.with_file_name(part);
            if folder.is_dir() {
                crate::collect(&folder, &mut files);
            }
        }
    }
    assert!(files.len() > 900, "the sources were not found");

    let mut wrong = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let names = declarations(&text, &["fn"]).filter(|(_, name)| is_participle(name));
        let place = file.strip_prefix(workspace::root()).unwrap();
        wrong.extend(names.map(|(_, name)| format!("{}: {name}", place.display())));
    }
    assert!(wrong.is_empty(), "say what it does or returns: {wrong:#?}");
}

#[test]
fn declarations_are_found_and_participles_told_from_verbs() {
    let text = "pub(crate) struct One<T> {\n    pub async fn told(&self) {\n    type Error = X;\n";
    let all = ["struct", "fn", "type"];
    let names: Vec<&str> = declarations(text, &all).map(|(_, name)| name).collect();
    assert_eq!(names, ["One", "told"]);
    assert!(["told", "opened", "unseen"].into_iter().all(is_participle));
    assert!(
        !["read", "is_told", "announce"]
            .into_iter()
            .any(is_participle)
    );
}
