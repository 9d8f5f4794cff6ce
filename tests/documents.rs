//! What the documents say of the filter language and of the keys is so.

#![expect(clippy::unwrap_used, reason = "tests say so by failing")]

use jiff::Timestamp;
use podtap_agent::history::{Filter, Saved};
use podtap_tui::{Context, Keymap};

const UI: &str = include_str!("../docs/UI.md");

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The section with this heading.
fn section(heading: &str) -> &'static str {
    let (_, rest) = UI.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split_once("\n## ")
        .map_or(rest, |(section, _)| section)
}

#[test]
fn every_term_of_the_filter_that_is_described_is_one() {
    let saved = [("errors".to_owned(), "status:>=400".to_owned())];
    let saved = Saved::new(saved, Timestamp::now()).unwrap();
    let rows = section("The filter").lines();
    let rows: Vec<&str> = rows.filter(|line| line.starts_with("| `")).collect();
    assert!(rows.len() > 8, "{rows:?}");
    for row in rows {
        let terms = row.split(" | ").next().unwrap_or_default();
        for term in quoted(terms) {
            let parsed = Filter::parse(term, Timestamp::now(), &saved);
            assert!(parsed.is_ok_and(|filter| !filter.is_empty()), "{term}");
        }
    }
}

#[test]
fn every_key_that_the_document_names_has_something_to_do() {
    let keymap = Keymap::default();
    let places = Context::names().filter_map(Context::named);
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
        for word in quoted(section(text)).filter(|word| word.chars().count() == 1) {
            let is_sign = "▶▸●✎↻┊".contains(word);
            assert!(is_sign || bound.iter().any(|key| key == word), "{word}");
            named += 1;
        }
    }
    assert!(named > 20, "{named}");
}
