//! A comment must say more than the name below it.

use std::collections::BTreeSet;

use crate::workspace::{self, Source};

/// Maximum number of words in a comment that is checked; longer ones say more than a name.
const FEW_WORDS: usize = 3;

/// Words without a meaning of their own.
const EMPTY: [&str; 17] = [
    "a", "an", "the", "its", "it", "of", "is", "are", "was", "what", "which", "one", "ones",
    "this", "that", "who", "whose",
];

#[test]
fn no_short_comment_only_repeats_the_name_below_it() {
    // Except src/cli: its comments are the help.
    let sources: Vec<Source> = workspace::sources()
        .filter(|source| !source.place.starts_with("src/cli"))
        .collect();
    assert!(sources.len() > 500, "the sources were not found");
    let mut wrong = Vec::new();
    for Source { place, text } in sources {
        let place = place.display();
        wrong.extend(repetitions(&text).map(|comment| format!("{place}: {comment}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_short_comment_adds_is_seen() {
    let found = |text: &str| repetitions(text).collect::<Vec<_>>();
    for repeated in [
        "    /// Its id.\n    pub id: u64,",
        "/// The app's fields.\n#[serde(default)]\npub fields: Vec<AppField>,",
        "/// Which one.\nevent: EventId,",
        "/// A task.\npub struct Task {",
        "/// Deletes an item.\npub async fn delete_item(",
    ] {
        assert_eq!(found(repeated).len(), 1, "{repeated}");
    }
    for telling in [
        "/// Newest first.\nevents: Vec<Event>,",
        "/// At most this long.\ntimeout: Duration,",
        "/// By owner.\nheld: HashMap<String, OwnerUsage>,",
        "/// Its id.\n///\n/// Counts from 1.\npub id: u64,",
        "/// To [`Effect::Load`].\nLoad,",
    ] {
        assert_eq!(found(telling), Vec::<String>::new(), "{telling}");
    }
}

/// Returns the short comments of one line that say no more than the line below them.
fn repetitions(text: &str) -> impl Iterator<Item = String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_comment = |at: Option<usize>| {
        let line = at.and_then(|at| lines.get(at));
        line.is_some_and(|line| line.starts_with("///"))
    };
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(comment) = line.strip_prefix("/// ") else {
            continue;
        };
        if is_comment(at.checked_sub(1)) || is_comment(Some(at + 1)) || comment.contains('`') {
            continue;
        }
        let mut below = lines.iter().skip(at + 1);
        let item = below.find(|line| !line.starts_with("#[") && !line.ends_with(")]"));
        let names = words(item.copied().unwrap_or_default());
        let comment_words = words(comment);
        let says = |word: &String| !EMPTY.contains(&word.as_str()) && !names.contains(word);
        if comment.split_whitespace().count() <= FEW_WORDS && !comment_words.iter().any(says) {
            found.push(format!("{comment} ({})", item.unwrap_or(&"")));
        }
    }
    found.into_iter()
}

/// Returns the words of a text, or of the names in it, in lower case and without a final `s`.
fn words(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut word = String::new();
    let text = text.replace("'s", "");
    for c in text.chars().chain([' ']) {
        if !c.is_alphanumeric() || c.is_uppercase() {
            let whole = std::mem::take(&mut word);
            let one = whole.strip_suffix('s').filter(|one| one.len() > 2);
            words.insert(one.unwrap_or(&whole).to_owned());
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    words.remove("");
    words
}
