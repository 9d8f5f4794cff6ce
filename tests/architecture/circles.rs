//! Inside a crate, dependencies between modules have one direction, too: a
//! module imports only what is below it. Modules that depend on each other,
//! directly or through others, can only be read, tested and changed together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::modules::{Module, Modules};
use crate::workspace;

#[test]
fn the_modules_of_a_crate_point_one_way() {
    let mut wrong = Vec::new();
    for (name, file) in workspace::crates() {
        let circles = circles(&Modules::read(&file));
        if !circles.is_empty() {
            wrong.push(format!("{name}:\n  {}", circles.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// With `use crate::*`, a module uses names that are not written out, so no test can find them.
#[test]
fn no_module_imports_everything_of_another() {
    let mut wrong = Vec::new();
    for (name, file) in workspace::crates() {
        let modules = Modules::read(&file);
        let globs = modules.globs();
        wrong.extend(
            globs.map(|(user, used)| format!("{name}: {} → {}", user.join("::"), used.join("::"))),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Modules that everything above builds on, each with those that it may import: no feature.
const BASES: [(&str, &str, &[&str]); 4] = [
    // What a setting of the agent is, and no more.
    (
        "podtap-agent",
        "config",
        &["history", "place", "routes", "target"],
    ),
    (
        "podtap-agent",
        "history",
        &[
            "amount",
            "command_end",
            "invisible",
            "likely",
            "parameter",
            "place",
            "podio_time",
        ],
    ),
    ("podtap-relay", "metrics", &["queue"]),
    ("podtap-relay", "tunnel", &[]),
];

#[test]
fn what_all_build_on_imports_no_feature() {
    for (name, file) in workspace::crates() {
        let uses = Modules::read(&file).uses();
        for (_, base, allowed) in BASES.iter().filter(|(of, ..)| *of == name) {
            let imports = uses.iter().filter(|(user, _)| user[0] == *base);
            let imports: BTreeSet<&str> = imports.map(|(_, used)| used[0].as_str()).collect();
            let features = imports
                .iter()
                .filter(|import| *import != base && !allowed.contains(import));
            let features: Vec<_> = features.collect();
            assert!(features.is_empty(), "{name}: {base} imports {features:?}");
        }
    }
}

/// What a module can say of `first`, which imports it: what, how, and whether it is a circle.
const SECOND_MODULES: [(&str, &str, bool); 22] = [
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
    ("a field", "struct S { one: crate::first::One }", true),
    (
        "a field of a module",
        "use crate::first; struct S { one: first::One }",
        true,
    ),
    ("an argument", "fn f(one: &super::first::One) {}", true),
    (
        "the first of two imports of one name",
        "fn f() { use crate::first::run; } fn g() { use crate::third::run; }",
        true,
    ),
    (
        "the first of two traits without a name",
        "use crate::first::One as _; use crate::third::Three as _;",
        true,
    ),
    (
        "another name for the crate",
        "use crate as whole; fn f() { whole::first::one(); }",
        true,
    ),
    (
        "a module in the file",
        "mod inner { use super::super::first::One; }",
        true,
    ),
    (
        "a path from the module itself",
        "fn f() { self::super::first::one() }",
        true,
    ),
    (
        "a string in an attribute",
        "struct S { #[serde(with = \"crate::first::millis\")] time: u64 }",
        true,
    ),
    (
        "what follows a field for tests",
        "struct S { #[cfg(test)] count: u64, one: crate::first::One }",
        true,
    ),
    (
        "what follows a constant for tests",
        "#[cfg(test)] const A: S = S { a: 1 }; fn f() -> crate::first::One {}",
        true,
    ),
    (
        "a function for tests",
        "#[cfg(test)] fn f<A, B>(one: crate::first::One) { crate::first::one() } struct S;",
        false,
    ),
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
];

#[test]
fn a_circle_is_found_wherever_it_hides() {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let file = folder.path().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    let root = folder.path().join("lib.rs");
    for (name, second, is_circle) in SECOND_MODULES {
        write(
            "lib.rs",
            "mod first; mod second; mod third; pub use first::One;",
        );
        write("first.rs", "use crate::second::Two; pub struct One;");
        write("third.rs", "pub struct Three;");
        write("second.rs", second);
        let modules = Modules::read(&root);
        assert_eq!(modules.globs().count(), usize::from(name == "everything"));
        let found = circles(&modules);
        assert_eq!(!found.is_empty(), is_circle, "{name}: {found:?}");
    }
    // Re-exported names count as dependencies, too.
    write("lib.rs", "mod first; mod second; mod third;");
    write("first.rs", "pub struct One;");
    write("second.rs", "use crate::third::One;");
    write(
        "third.rs",
        "pub use crate::first::One; struct S(crate::second::S);",
    );
    let found = circles(&Modules::read(&root));
    assert_eq!(found.len(), 1, "through an import: {found:?}");

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

/// Returns the circles at each level: among the modules
/// of the crate, and among those of each folder.
fn circles(modules: &Modules) -> Vec<String> {
    let uses = modules.uses();
    let parents: BTreeSet<&[String]> = modules.all().map(|it| it.split_last().unwrap().1).collect();
    let at = |parent: &&[String]| circles_in(parent, &uses);
    parents.iter().flat_map(at).collect()
}

/// Returns the shortest path of each circle among the children of `parent`, each circle once.
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

/// Returns the shortest path from a module back to itself.
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
