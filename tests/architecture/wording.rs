//! What is said to people in one way: how long, how large, and what is wrong. Each has one function
//! or one type for its words.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

use crate::modules::without_tests;
use crate::workspace::{self, Source};

/// Where durations and sizes are put into words.
const AMOUNTS: &str = "agent/src/amount.rs";

/// The parts that can call it. The others are below it: they print limits as they were set.
const ABOVE: [&str; 5] = ["agent/src", "src", "tui/src", "web/src", "mcp/src"];

/// What a value is followed by where it is a time or a size.
const UNITS: [&str; 10] = [
    " ms", " s", " min", " h", " d", " KiB", " MiB", " GiB", " KB", " MB",
];

/// Scales of a picture: a number that is no measured time.
const SCALES: [&str; 3] = [
    "tui/src/figures/answers.rs",
    "tui/src/figures/hour.rs",
    "tui/src/pulses/about.rs",
];

/// The strings in a file, without those of its tests.
fn strings(source: &Source) -> Vec<String> {
    fn collect(tokens: TokenStream, strings: &mut Vec<String>) {
        for token in without_tests(tokens) {
            match token {
                TokenTree::Group(group) => {
                    // A comment is an attribute.
                    let first = group.stream().into_iter().next();
                    let first = first.map(|first| first.to_string());
                    if first.as_deref() != Some("doc") {
                        collect(group.stream(), strings);
                    }
                }
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    if text.starts_with('"') {
                        strings.push(text.trim_matches('"').to_owned());
                    }
                }
                _ => {}
            }
        }
    }
    let mut strings = Vec::new();
    collect(source.text.parse().unwrap(), &mut strings);
    strings
}

/// Whether a value in a text is followed by a unit.
fn has_unit(text: &str) -> bool {
    text.split('}').skip(1).any(|rest| {
        UNITS.iter().any(|unit| {
            let after = rest.strip_prefix(unit);
            after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
        })
    })
}

#[test]
fn times_and_sizes_are_put_into_words_in_one_place() {
    let mut wrong = Vec::new();
    for source in workspace::shipped_sources() {
        let place = source.place.as_path();
        let is_above = ABOVE.iter().any(|above| place.starts_with(above));
        let is_known =
            place == Path::new(AMOUNTS) || SCALES.iter().any(|it| place == Path::new(it));
        if is_above && !is_known {
            let found = strings(&source).into_iter().filter(|text| has_unit(text));
            wrong.extend(found.map(|text| format!("{}: {text}", place.display())));
        }
    }
    assert!(wrong.is_empty(), "call {AMOUNTS}:\n{}", wrong.join("\n"));
    assert!(has_unit("took {took} ms") && has_unit("{} s") && !has_unit("{name} sends"));
}

/// The fewest words of a sentence that may not be written twice: fewer may be the same by chance.
const SENTENCE: usize = 8;

/// Sentences of two parts of which neither imports the other.
const OF_BOTH: [&str; 2] = [
    // Relay and agent log it, each of its own database.
    "an event cannot be read and was moved to the table `damaged`",
    // The settings do not name the files, or the relay cannot read them.
    "set tls-cert and tls-key to the files of the certificate chain and of its private key",
];

#[test]
fn a_sentence_is_written_once() {
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for source in workspace::shipped_sources() {
        for text in strings(&source) {
            // A sentence may go on in the next line of the code.
            let words: Vec<&str> = text
                .split(['\\', '\n', ' '])
                .filter(|it| !it.is_empty())
                .collect();
            let is_sql = words
                .first()
                .is_some_and(|word| word.chars().all(char::is_uppercase));
            if words.len() >= SENTENCE && !is_sql {
                let all = places.entry(words.join(" ")).or_default();
                all.push(source.place.clone());
            }
        }
    }
    places.retain(|text, all| all.len() > 1 && !OF_BOTH.contains(&text.as_str()));
    let wrong: Vec<String> = places
        .iter()
        .map(|(text, all)| format!("{text:?}: {all:?}"))
        .collect();
    assert!(
        wrong.is_empty(),
        "give it a constant or a type:\n{}",
        wrong.join("\n")
    );
}

/// Columns have names: a number says nothing, and is another column after the next change.
#[test]
fn columns_are_read_by_name() {
    let mut wrong = Vec::new();
    for source in workspace::shipped_sources() {
        for line in source.text.lines().map(str::trim) {
            // The only column of a row needs no name.
            let by_number = (1..=30).any(|number| {
                ["get", "get_unwrap", "get_ref", "try_get"]
                    .iter()
                    .any(|get| {
                        let call = format!("row.{get}({number})");
                        line.contains(&call)
                            || line.contains(&format!(">({number})")) && line.contains("row.get::<")
                    })
            });
            if by_number || line.contains(")>::try_from(row)") {
                wrong.push(format!("{}: {line}", source.place.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
