//! Checks that texts for people are in plain English,
//! and that everything that comments cite exists.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "tests say so by failing"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Words that are hard for many readers, with alternatives (as in CONTRIBUTING.md).
const AVOIDED: [(&str, &str); 14] = [
    ("shall", "must, or the plain present"),
    ("whoever", "who, or anyone who"),
    ("whatever", "any, or say what"),
    ("somebody", "a person, or someone"),
    ("nobody", "no one"),
    ("so many", "at most N, N per second"),
    ("told of", "told about"),
    ("stands for", "means"),
    ("is no", "is not a"),
    ("are no", "are not"),
    ("wants to know who", "requires credentials"),
    ("come back", "try again later"),
    ("not any more", "no longer"),
    ("removes them never", "they never expire"),
];

const DOCUMENTS: [&str; 11] = [
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "docs/ARCHITECTURE.md",
    "docs/JSON.md",
    "docs/OPERATING.md",
    "docs/PODIO.md",
    "docs/UI.md",
    "docs/config.toml",
    "docs/llms.txt",
    "docs/skills/podtap/SKILL.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the words to avoid in a text, as whole words and in any case.
fn avoided_words(text: &str) -> Vec<(&'static str, &'static str)> {
    // These do not negate a noun.
    let lower = text.to_lowercase();
    let lower = lower.replace("no longer", "gone").replace("no one", "none");
    let lower = lower
        .replace("there is no", "missing")
        .replace("there are no", "missing");
    let is_word = |(word, _): &(&str, &str)| {
        lower.match_indices(word).any(|(at, _)| {
            let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            !letter(lower[..at].chars().next_back())
                && !letter(lower[at + word.len()..].chars().next())
        })
    };
    AVOIDED.into_iter().filter(is_word).collect()
}

fn check(place: &str, text: &str) {
    for (n, line) in text.lines().enumerate() {
        let found = avoided_words(line);
        assert!(found.is_empty(), "{place}:{}: {found:?} in\n{line}", n + 1);
    }
}

#[test]
fn documents_and_help_are_plain() {
    for document in DOCUMENTS {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        // The section on preferred forms lists these words itself.
        let text = text.split("## Preferred forms").next().unwrap();
        check(document, text);
    }
    let pages = tempfile::tempdir().unwrap();
    let mut man = Command::new(env!("CARGO_BIN_EXE_podtap"));
    assert!(
        man.args(["man", "--out"])
            .arg(pages.path())
            .status()
            .unwrap()
            .success()
    );
    for page in pages.path().read_dir().unwrap() {
        let path = page.unwrap().path();
        check(
            &path.display().to_string(),
            &std::fs::read_to_string(&path).unwrap(),
        );
    }
}

#[test]
fn what_commands_say_is_plain() {
    let mut sources = Vec::new();
    for folder in [
        "src",
        "connect/src",
        "podio/src",
        "sandbox/src",
        "agent/src",
        "relay/src",
        "disk/src",
        "wire/src",
        "tui/src",
        "web/src",
    ] {
        collect(&root().join(folder), &mut sources);
    }
    let is_test = |path: &Path| {
        path.components()
            .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "conformance")
            || path.ends_with("tests.rs")
    };
    sources.retain(|path| !is_test(path.strip_prefix(root()).unwrap()));
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let said = code.lines().filter(|line| {
            let line = line.trim_start();
            line.contains('"') && !line.starts_with("//") && !line.contains("reason =")
        });
        check(
            &path.display().to_string(),
            &said.collect::<Vec<_>>().join("\n"),
        );
    }
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for path in folder
        .read_dir()
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
    {
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}

/// Returns the number at the beginning, such as `1.3` or `2`, or an empty text.
fn number(text: &str) -> String {
    let text = text.trim_start_matches([',', ' ']);
    let text = text.strip_prefix("section ").unwrap_or(text);
    let digits: String = text
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    digits.trim_end_matches('.').to_owned()
}

#[test]
fn every_fact_of_podio_and_every_promise_that_a_comment_cites_exists() {
    let podio = include_str!("../docs/PODIO.md");
    let has_section = |section: &str| {
        let heading = |line: &str| {
            let line = line.trim_start_matches('#');
            line.strip_prefix(' ')
                .is_some_and(|line| line.split(' ').next() == Some(section))
        };
        // Section 9 is a list.
        let item = section.strip_prefix("9.").map(|item| format!("\n{item}. "));
        podio
            .lines()
            .filter(|line| line.starts_with("##"))
            .any(heading)
            || item.is_some_and(|item| podio.contains(&item))
    };
    let architecture = include_str!("../docs/ARCHITECTURE.md");
    let mut sources = Vec::new();
    for folder in [
        "src", "tests", "wire", "connect", "podio", "sandbox", "relay", "agent", "tui", "disk",
        "bench", "web", "fuzz",
    ] {
        collect(&root().join(folder), &mut sources);
    }
    let (mut facts, mut promises) = (0, 0);
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        let place = path.display();
        for rest in text
            .split("odio.md")
            .skip(1)
            .chain(text.split("PODIO.md").skip(1))
        {
            let section = number(rest);
            if !section.is_empty() {
                assert!(has_section(&section), "{place} cites podio.md {section}");
                facts += 1;
            }
        }
        for promise in text.split("nvariant").skip(1).flat_map(promises_cited) {
            let row = format!("\n| {promise} | ");
            assert!(
                architecture.contains(&row),
                "{place} cites invariant {promise}"
            );
            promises += 1;
        }
    }
    assert!(facts > 50 && promises > 50, "{facts} {promises}");
}

/// Returns the numbers after `invariant`, such as ` 7` or `s 1, 2 and 4`.
fn promises_cited(rest: &str) -> Vec<String> {
    let rest = rest.strip_prefix('s').unwrap_or(rest);
    let end = rest.find(|c: char| !(c.is_ascii_digit() || ", and".contains(c)));
    let numbers = &rest[..end.unwrap_or(rest.len())];
    let numbers = numbers.split(|c: char| !c.is_ascii_digit());
    let numbers = numbers.filter(|number| !number.is_empty());
    numbers.map(str::to_owned).collect()
}

#[test]
fn every_number_of_a_citation_is_read() {
    assert_eq!(promises_cited(" 7) and 8"), ["7"]);
    assert_eq!(promises_cited("s 1, 2 and 4)."), ["1", "2", "4"]);
    assert_eq!(promises_cited(": the 3 of them"), Vec::<String>::new());
}
