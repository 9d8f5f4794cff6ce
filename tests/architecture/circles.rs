//! Inside a crate the modules point one way, too: a module imports what is below it. Two that name
//! each other, directly or through others, can only be read, tested and changed together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use crate::modules::{Module, Modules};

/// The crates by the root of their sources.
pub(crate) const CRATES: [(&str, &str); 12] = [
    ("podtap", "src/main.rs"),
    ("podtap-wire", "wire/src/lib.rs"),
    ("podtap-connect", "connect/src/lib.rs"),
    ("podtap-podio", "podio/src/lib.rs"),
    ("podtap-sandbox", "sandbox/src/lib.rs"),
    ("podtap-disk", "disk/src/lib.rs"),
    ("podtap-relay", "relay/src/lib.rs"),
    ("podtap-agent", "agent/src/lib.rs"),
    ("podtap-tui", "tui/src/lib.rs"),
    ("podtap-web", "web/src/lib.rs"),
    ("podtap-mcp", "mcp/src/lib.rs"),
    ("podtap-bench", "bench/src/lib.rs"),
];

#[test]
fn the_modules_of_a_crate_point_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for (name, file) in CRATES {
        let circles = circles(&Modules::read(&root.join(file)));
        if !circles.is_empty() {
            wrong.push(format!("{name}:\n  {}", circles.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_circle_is_found_wherever_it_hides() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let file = folder.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    let root = folder.path().join("lib.rs");
    for (name, second, is_circle) in [
        ("an import", "use crate::first::One;", true),
        ("a group", "use crate::{third, first::{self, One}};", true),
        (
            "a path in a macro",
            "fn f() { println!(\"{}\", crate::first::one()); }",
            true,
        ),
        (
            "a path through the parent",
            "fn f() -> super::first::One {}",
            true,
        ),
        ("an item that the root imports", "use crate::One;", true),
        ("everything", "use super::first::*;", true),
        (
            "tests",
            "#[cfg(test)] mod tests { use crate::first::One; }",
            false,
        ),
        (
            "an import for tests",
            "#[cfg(test)] use crate::first::{One}; struct S;",
            false,
        ),
        ("another module", "use crate::third::Three;", false),
        ("another crate", "use first::One;", false),
    ] {
        write(
            "lib.rs",
            "mod first; mod second; mod third; pub use first::One;",
        );
        write("first.rs", "use crate::second::Two; pub struct One;");
        write("third.rs", "pub struct Three;");
        write("second.rs", second);
        let found = circles(&Modules::read(&root));
        assert_eq!(!found.is_empty(), is_circle, "{name}: {found:?}");
    }
    write("lib.rs", "mod folder;");
    write(
        "folder/mod.rs",
        "mod inner; mod outer; pub(crate) use inner::In;",
    );
    write("folder/inner.rs", "use super::outer::Out; pub struct In;");
    write("folder/outer.rs", "pub struct Out(super::In);");
    let found = circles(&Modules::read(&root));
    assert_eq!(
        found.len(),
        1,
        "in a folder, through its re-export: {found:?}"
    );
}

/// The circles at each level: among the modules of the crate, and among those of each folder.
fn circles(modules: &Modules) -> Vec<String> {
    let uses = modules.uses();
    let parents: BTreeSet<&[String]> = modules.all().map(|it| it.split_last().unwrap().1).collect();
    let at = |parent: &&[String]| circles_in(parent, &uses);
    parents.iter().flat_map(at).collect()
}

/// For each module that is in a circle with others of `parent` the shortest way round, each circle
/// once.
fn circles_in(parent: &[String], uses: &BTreeSet<(Module, Module)>) -> Vec<String> {
    let child = |module: &Module| {
        let inside = module.strip_prefix(parent)?;
        inside.first().cloned()
    };
    let mut edges: BTreeMap<String, BTreeMap<String, (&Module, &Module)>> = BTreeMap::new();
    for (user, used) in uses {
        if let (Some(from), Some(to)) = (child(user), child(used))
            && from != to
        {
            edges
                .entry(from)
                .or_default()
                .entry(to)
                .or_insert((user, used));
        }
    }
    let mut told = BTreeSet::new();
    let mut circles = Vec::new();
    for start in edges.keys() {
        let Some(way) = way_back(start, &edges) else {
            continue;
        };
        if way.iter().any(|module| told.contains(module)) {
            continue;
        }
        let next = way.iter().skip(1).chain([start]);
        let steps = way.iter().zip(next).map(|(from, to)| {
            let (user, used) = edges[from][to];
            format!("{} → {}", user.join("::"), used.join("::"))
        });
        circles.push(steps.collect::<Vec<_>>().join(", "));
        told.extend(way);
    }
    circles
}

/// The shortest way from a module back to itself.
fn way_back(
    start: &String,
    edges: &BTreeMap<String, BTreeMap<String, (&Module, &Module)>>,
) -> Option<Vec<String>> {
    let mut ways = VecDeque::from([vec![start.clone()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in edges.get(way.last()?).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                return Some(way);
            }
            if seen.insert(next.clone()) {
                let mut longer = way.clone();
                longer.push(next.clone());
                ways.push_back(longer);
            }
        }
    }
    None
}
