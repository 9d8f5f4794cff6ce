//! The documents describe the filter language, the keys and a relay's limits correctly.

#![expect(clippy::unwrap_used, reason = "tests say so by failing")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use podtap_agent::history::{Filter, SavedFilters};
use podtap_tui::{Context, Keymap};
use serde_json::Value;

const README: &str = include_str!("../README.md");
const OPERATING: &str = include_str!("../docs/OPERATING.md");
const CONFIG: &str = include_str!("../docs/config.toml");
const JSON: &str = include_str!("../docs/JSON.md");
const SCHEMA: &str = include_str!("../docs/json.schema.json");
const UI: &str = include_str!("../docs/UI.md");
const ARCHITECTURE: &str = include_str!("../docs/ARCHITECTURE.md");
const PODIO: &str = include_str!("../docs/PODIO.md");

/// Returns the texts between backquotes.
fn quoted_words(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Returns the section with this heading.
fn section(heading: &str) -> &'static str {
    let (_, rest) = UI.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split_once("\n## ")
        .map_or(rest, |(section, _)| section)
}

#[test]
fn every_term_of_the_filter_that_is_described_is_one() {
    let saved = [("errors".to_owned(), "status:>=400".to_owned())];
    let saved = SavedFilters::new(saved, Timestamp::now()).unwrap();
    let rows = section("The filter").lines();
    let rows: Vec<&str> = rows.filter(|line| line.starts_with("| `")).collect();
    assert!(rows.len() > 8, "{rows:?}");
    for row in rows {
        let terms = row.split(" | ").next().unwrap_or_default();
        for term in quoted_words(terms) {
            let parsed = Filter::parse(term, Timestamp::now(), &saved);
            assert!(parsed.is_ok_and(|filter| !filter.is_empty()), "{term}");
        }
    }
}

#[test]
fn every_key_that_the_document_names_has_something_to_do() {
    let keymap = Keymap::default();
    let places = Context::names().filter_map(Context::from_name);
    let bound: Vec<String> = places
        .flat_map(|place| keymap.of(place))
        .flat_map(|binding| binding.keys.iter().map(ToString::to_string))
        .collect();
    let mut named = 0;
    for text in [
        "The list",
        "One event",
        "Send it again",
        "Take it elsewhere",
        "Podio's hooks",
    ] {
        for word in quoted_words(section(text)).filter(|word| word.chars().count() == 1) {
            let is_sign = "▶▸●✎↻┊∅".contains(word);
            assert!(is_sign || bound.iter().any(|key| key == word), "{word}");
            named += 1;
        }
    }
    assert!(named > 20, "{named}");
}

/// Returns the settings and their defaults in the tables
/// of a document whose headings begin with `setting`.
fn limits(document: &str) -> BTreeMap<String, String> {
    let mut limits = BTreeMap::new();
    let mut is_table = false;
    for line in document.lines() {
        is_table = line.starts_with("| setting |") || (is_table && line.starts_with('|'));
        let cells: Vec<&str> = line.split(" | ").collect();
        if is_table
            && let [setting, default, ..] = cells.as_slice()
            && line.starts_with("| `")
        {
            let setting = setting.trim_start_matches("| ").trim_matches('`');
            let before = limits.insert(setting.to_owned(), (*default).to_owned());
            assert_eq!(before, None, "{setting} stands there twice");
        }
    }
    limits
}

#[test]
fn every_limit_of_a_relay_has_its_default_in_every_document() {
    let operating = limits(OPERATING);
    let names: Vec<&String> = operating.keys().collect();
    assert!(names.len() > 12, "{names:?}");
    assert_eq!(limits(README), operating);
    for (setting, default) in &operating {
        let line = CONFIG
            .lines()
            .find_map(|line| line.strip_prefix(&format!("#{setting} = ")));
        let line = line.unwrap_or_else(|| panic!("{setting} is not in docs/config.toml"));
        assert_eq!(&line.replace(['"', '_'], ""), default, "{setting}");
    }
    for line in CONFIG.lines() {
        if let Some((setting, _)) = line.split_once(" = ")
            && let Some(setting) = setting.strip_prefix('#')
            && (setting.starts_with("max-") || setting.ends_with("-timeout"))
        {
            assert!(
                operating.contains_key(setting),
                "{setting} is not in the guide"
            );
        }
    }
}

#[test]
fn the_service_file_lets_the_relay_do_what_it_must_and_no_more() {
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/podtap-relay.service");
    let systemd = |args: &[&str]| {
        let mut command = std::process::Command::new("systemd-analyze");
        command.args(args).arg(unit).output()
    };
    // The threshold is ten times the exposure that is printed: at most 2.0.
    let Ok(judged) = systemd(&["security", "--offline=true", "--no-pager", "--threshold=20"])
    else {
        let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(!in_ci, "systemd-analyze is needed");
        eprintln!("skipped: systemd-analyze is needed");
        return;
    };
    let text = String::from_utf8_lossy(&judged.stdout).into_owned();
    assert!(judged.status.success(), "{text}");
    let verified = systemd(&["verify", "--man=no"]).unwrap();
    let words = String::from_utf8_lossy(&verified.stderr).into_owned();
    let wrong: Vec<&str> = words
        .lines()
        // The binary is not installed on this machine.
        .filter(|line| line.contains("podtap-relay") && !line.contains("not executable"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_image_and_the_compose_file_name_settings_that_there_are() {
    let compose = include_str!("../deploy/compose.yaml");
    let image = include_str!("../deploy/Containerfile");
    let mut found = 0;
    for word in [compose, image]
        .concat()
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
    {
        // The name for the web server is not a setting of Podtap.
        let Some(name) = word
            .strip_prefix("PODTAP_")
            .filter(|name| *name != "DOMAIN")
        else {
            continue;
        };
        let setting = name.to_lowercase().replace('_', "-");
        let line = format!("#{setting} = ");
        assert!(CONFIG.lines().any(|it| it.starts_with(&line)), "{word}");
        found += 1;
    }
    assert!(found > 4, "{found}");
}

#[test]
fn the_walk_to_a_new_key_names_files_that_are_there_and_at_most_six_of_them() {
    let (_, rest) = ARCHITECTURE
        .split_once("\n### A key that asks the agent\n")
        .unwrap();
    let walk = rest.split_once("\n#").map_or(rest, |(walk, _)| walk);
    let steps = walk
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    assert!((1..=6).contains(&steps.count()), "{walk}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<&str> = quoted_words(walk)
        .filter(|word| word.contains('/'))
        .collect();
    assert!(files.len() > 6, "{files:?}");
    for file in files {
        assert!(root.join(file).exists(), "{file}");
    }
    // The files that know the key of the walk, without tests.
    let mut known = BTreeSet::new();
    let mut left = vec![root.join("tui/src")];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs")
            // Tests of what holds for every key.
            && !path.ends_with("properties/held.rs")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let names = ["OpenItem", "FindLink", "ExplainAnswer::Link"];
            if names.iter().any(|name| code.contains(name)) {
                let place = path.strip_prefix(root).unwrap();
                known.insert(place.to_str().unwrap().to_owned());
            }
        }
    }
    let steps = walk
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let steps: BTreeSet<String> = steps.flat_map(quoted_words).map(str::to_owned).collect();
    assert_eq!(known, steps);
}

/// Collects every property of a schema and of its nested schemas.
fn properties(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                found.extend(properties.keys().cloned());
            }
            members.values().for_each(|inner| properties(inner, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| properties(inner, found)),
        _ => {}
    }
}

#[test]
fn the_schema_of_json_lines_has_the_types_and_fields_of_the_document() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let words: BTreeSet<&str> = quoted_words(JSON).collect();
    let types: BTreeSet<&str> = schema
        .pointer("/properties/type/enum")
        .and_then(Value::as_array)
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for name in &types {
        assert!(words.contains(name), "the type {name} is not described");
        let definition = schema.pointer(&format!("/$defs/{name}"));
        let mut fields = BTreeSet::new();
        properties(definition.unwrap(), &mut fields);
        for field in fields {
            assert!(words.contains(&*field), "{name}.{field} is not described");
        }
    }
    for row in JSON.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        if let [name, _, _] = cells.as_slice() {
            let name = name.trim_start_matches("| ").trim_matches('`');
            // The headings of both tables match, too.
            assert!(
                name == "type" || types.contains(name),
                "the schema has no type {name}"
            );
        }
    }
}

/// Returns the texts between backquotes that look like a path below the root.
fn paths(document: &str) -> impl Iterator<Item = &str> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    quoted_words(document).filter(move |word| {
        let folder = word.split_once('/').map(|(folder, _)| folder);
        let is_path = folder.is_some_and(|folder| {
            // `target` has only build results.
            !["", "target"].contains(&folder) && root.join(folder).is_dir()
        });
        is_path && !word.contains([' ', '*', '<', '…'])
    })
}

#[test]
fn every_path_that_a_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = 0;
    for document in [
        include_str!("../docs/ARCHITECTURE.md"),
        include_str!("../docs/PROTOCOL.md"),
        include_str!("../CONTRIBUTING.md"),
        include_str!("../docs/PERFORMANCE.md"),
        include_str!("../SECURITY.md"),
        PODIO,
        README,
        OPERATING,
        JSON,
        UI,
    ] {
        let (there, absent): (Vec<&str>, Vec<&str>) =
            paths(document).partition(|path| root.join(path).exists());
        assert!(absent.is_empty(), "{absent:?}");
        named += there.len();
    }
    assert!(named > 50, "{named}");
}

#[test]
fn the_row_of_a_setting_names_the_files_that_know_one() {
    let architecture = include_str!("../docs/ARCHITECTURE.md");
    let row = |what: &str| {
        let mut lines = architecture.lines();
        lines
            .find(|line| line.starts_with(&format!("| {what} |")))
            .unwrap()
    };
    // The files that contain a setting of every relay, with the spelling that they use.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (path, word) in [
        ("src/config/key.rs", "MAX_SESSIONS"),
        ("src/config/check.rs", "MAX_SESSIONS"),
        ("src/config/limits.rs", "MAX_SESSIONS"),
        ("src/cli/relay.rs", "max_sessions"),
        ("docs/config.toml", "max-sessions"),
        ("docs/OPERATING.md", "max-sessions"),
        ("README.md", "max-sessions"),
    ] {
        let text = std::fs::read_to_string(root.join(path)).unwrap();
        assert!(text.contains(word), "{path} does not name {word}");
        let folder = path.rsplit_once('/').map_or(path, |(folder, _)| folder);
        let row = row("a setting");
        assert!(row.contains(path) || row.contains(folder), "{path}");
    }
}

#[test]
fn a_package_has_files_that_are_there_and_settings_that_are_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest: toml::Table = std::fs::read_to_string(root.join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let package = &manifest["package"]["metadata"]["deb"];
    let assets = package["assets"].as_array().unwrap();
    let assets: Vec<&str> = { assets.iter() }
        .map(|asset| asset[0].as_str().unwrap())
        .collect();
    let script = std::fs::read_to_string(root.join("deploy/package.sh")).unwrap();
    for asset in assets {
        if let Some(made) = asset.strip_prefix("target/package/") {
            let folder = made.split('/').next().unwrap();
            assert!(
                script.contains(folder),
                "deploy/package.sh makes no {asset}"
            );
        } else {
            let at = asset.split('*').next().unwrap();
            assert!(root.join(at).exists(), "{asset}");
        }
    }
    let settings = root.join("deploy/debian/relay.toml");
    let check = std::process::Command::new(env!("CARGO_BIN_EXE_podtap"))
        .args(["config", "check", "--config"])
        .arg(settings)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&check.stderr).into_owned();
    assert!(check.status.success(), "{words}");
    assert!(!words.contains("warning"), "{words}");
}

/// The facts of sections 1 to 7: rows of tables, entries of lists, paragraphs.
fn facts_of_podio() -> Vec<String> {
    let (_, facts) = PODIO.split_once("\n## 1 ").unwrap();
    let (facts, _) = facts.split_once("\n## 8 ").unwrap();
    let mut found: Vec<String> = Vec::new();
    for line in facts.lines().skip(1) {
        let is_new = line.starts_with(['|', '-']) || found.last().is_some_and(String::is_empty);
        match found.last_mut() {
            Some(last) if !is_new && !line.is_empty() => {
                last.push(' ');
                last.push_str(line);
            }
            _ => found.push(line.to_owned()),
        }
    }
    let is_head = |row: &str| {
        row.starts_with("| ---")
            || row.starts_with("| on |")
            || row.starts_with("| code |")
            || row.starts_with("| operation |")
    };
    found.retain(|fact| {
        !fact.is_empty() && !fact.starts_with('#') && !is_head(fact) && !fact.ends_with(':')
    });
    found
}

/// The marks of a fact: how far it can be trusted, each with its sources.
fn marks(fact: &str) -> Vec<(char, Vec<usize>)> {
    let mut marks: Vec<(char, Vec<usize>)> = Vec::new();
    for mark in fact.split('[').skip(1) {
        let Some((inner, _)) = mark.split_once(']') else {
            continue;
        };
        if !inner.starts_with(['D', 'C', 'K', 'I', 'U']) {
            continue;
        }
        for word in inner.split([' ', ',']).filter(|word| !word.is_empty()) {
            match (word.parse(), marks.last_mut()) {
                (Ok(source), Some((_, sources))) => sources.push(source),
                _ => marks.push((word.chars().next().unwrap(), Vec::new())),
            }
        }
    }
    marks
}

#[test]
fn every_fact_of_podio_has_a_source_and_how_far_it_can_be_trusted() {
    let (_, list) = PODIO.split_once("\n## 10 Sources\n").unwrap();
    let numbers = list
        .lines()
        .filter_map(|line| line.split_once(". ")?.0.parse().ok());
    let sources: BTreeSet<usize> = numbers.collect();
    assert_eq!(sources, (1..=sources.len()).collect(), "{list}");
    let facts = facts_of_podio();
    assert!(facts.len() > 60, "{}", facts.len());
    let mut cited = BTreeSet::new();
    for fact in facts {
        let marks = marks(&fact);
        assert!(!marks.is_empty(), "nothing says where this is from: {fact}");
        for (trust, from) in marks {
            let is_ours = ['I', 'U'].contains(&trust);
            assert!(
                is_ours || ['D', 'C', 'K'].contains(&trust),
                "{trust}: {fact}"
            );
            assert_eq!(is_ours, from.is_empty(), "the sources of {trust}: {fact}");
            cited.extend(from);
        }
    }
    assert_eq!(cited, sources);
}

/// `tests/e2e/workflows.rs` has actionlint judge it.
#[test]
fn a_pull_request_runs_the_whole_check() {
    let workflow = include_str!("../.github/workflows/check.yml");
    let lines: Vec<&str> = workflow.lines().map(str::trim).collect();
    assert!(lines.contains(&"pull_request:") && lines.contains(&"run: .ci/run"));
    // On the Rust that the manifest promises.
    let manifest = include_str!("../Cargo.toml");
    let line = manifest
        .lines()
        .find(|line| line.starts_with("rust-version = "));
    let rust = line
        .unwrap()
        .trim_start_matches("rust-version = ")
        .trim_matches('"');
    assert!(
        workflow.contains(&format!("container: rust:{rust}-")),
        "{rust}"
    );
}
