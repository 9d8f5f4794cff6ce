//! Stores filters under names that a person gave: `@errors`
//! in a filter is replaced by the saved filter `errors`.
//!
//! The filters are stored as text and parsed at each use, since `after:10m` counts from then. They
//! are checked when they are collected.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Filter, FilterError};

/// Maximum number of saved filters: more than a person finds again in a list.
const MAX_SAVED: usize = 100;
/// Maximum length of a name in characters: it is typed, and has a column on the screen.
const MAX_NAME: usize = 32;
/// Jaro-Winkler similarity (0 to 1) below which a suggestion confuses more than it helps.
const NEAR: f64 = 0.75;
/// Maximum number of names in an error.
const LISTED: usize = 5;

/// Saved filters by name. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SavedFilters(Arc<BTreeMap<String, String>>);

/// A filter that cannot be saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SavedError {
    /// The name cannot be typed after `@`.
    #[error("a name has at most {MAX_NAME} characters, which are `a` to `z`, `0` to `9` and `-`")]
    Name,
    /// The text is not a filter.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The text is empty.
    #[error("it is empty; write a filter such as \"status:>=400\"")]
    Empty,
    /// There are too many saved filters.
    #[error("there are more than {MAX_SAVED} saved filters")]
    TooMany,
}

impl SavedFilters {
    /// Collects these filters.
    ///
    /// # Errors
    /// Returns the name of the first filter that cannot be saved, and the reason.
    pub fn new(
        filters: impl IntoIterator<Item = (String, String)>,
        now: Timestamp,
    ) -> Result<Self, (String, SavedError)> {
        let mut saved = BTreeMap::new();
        for (name, text) in filters {
            match check(&name, &text, now) {
                Ok(()) if saved.len() < MAX_SAVED => saved.insert(name, text),
                Ok(()) => return Err((name, SavedError::TooMany)),
                Err(error) => return Err((name, error)),
            };
        }
        Ok(Self(Arc::new(saved)))
    }

    /// Returns names and texts, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// Returns the text of the filter `name`, or an error message.
    pub(super) fn text(&self, name: &str) -> Result<&str, String> {
        let text = self.0.get(name).map(String::as_str);
        text.ok_or_else(|| self.unknown_name(name))
    }

    /// Returns the message for an unknown `name`.
    fn unknown_name(&self, name: &str) -> String {
        let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
        let scored = names
            .iter()
            .map(|near| (strsim::jaro_winkler(near, name), near));
        let nearest = scored
            .filter(|(score, _)| *score >= NEAR)
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        let there_is = match (nearest, names.as_slice()) {
            (Some((_, near)), _) => format!("did you mean `@{near}`?"),
            (None, []) => {
                "there are none yet: add them to [filters] in the configuration file".to_owned()
            }
            (None, few) => {
                let more = if few.len() > LISTED { " …" } else { "" };
                let listed: Vec<String> = few
                    .iter()
                    .take(LISTED)
                    .map(|name| format!("@{name}"))
                    .collect();
                format!("there is {}{more}", listed.join(" "))
            }
        };
        format!(
            "no saved filter is called `@{name}`; {there_is}; to search for the text, write \
             \"@{name}\" in quotes"
        )
    }
}

fn check(name: &str, text: &str, now: Timestamp) -> Result<(), SavedError> {
    let typeable = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(typeable) {
        return Err(SavedError::Name);
    }
    if Filter::parse_saved(text, now)?.is_empty() {
        return Err(SavedError::Empty);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Test;
    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn saved_filters(filters: &[(&str, &str)]) -> Result<SavedFilters, (String, SavedError)> {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        SavedFilters::new(filters.iter().map(owned), now())
    }

    fn some() -> SavedFilters {
        saved_filters(&[
            ("errors", "status:>=400 -type:hook.verify"),
            ("new", "after:10m"),
        ])
        .unwrap()
    }

    fn parse(text: &str, saved: &SavedFilters) -> Result<Filter, FilterError> {
        Filter::parse(text, now(), saved)
    }

    #[test]
    fn a_name_stands_for_the_terms_that_were_saved() {
        let none = SavedFilters::default();
        for (short, long) in [
            ("@errors", "status:>=400 -type:hook.verify"),
            (
                "item:1 @errors x",
                "item:1 status:>=400 -type:hook.verify x",
            ),
            ("@new", "after:10m"),
        ] {
            assert_eq!(parse(short, &some()), parse(long, &none), "{short}");
        }
    }

    #[test]
    fn a_negated_name_means_not_all_of_it() {
        let filter = parse("-@errors", &some()).unwrap();
        let [term] = filter.terms() else {
            panic!("{filter:?}");
        };
        let Test::All(terms) = &term.test else {
            panic!("{term:?}");
        };
        assert!(term.negated && terms.len() == 2, "{term:?}");
    }

    #[test]
    fn a_time_in_a_saved_filter_counts_from_its_use() {
        let later = "2026-11-24T09:00:00Z".parse().unwrap();
        let used = Filter::parse("@new", later, &some()).unwrap();
        let typed = Filter::parse("after:10m", later, &SavedFilters::default()).unwrap();
        assert_eq!(used, typed);
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest_and_its_column() {
        let error = parse("item:1 @erors", &some()).unwrap_err();
        assert_eq!(error.column, 8);
        assert!(error.message.contains("did you mean `@errors`"), "{error}");
        assert!(error.message.contains("\"@erors\" in quotes"), "{error}");
        let error = parse("@zzz", &some()).unwrap_err();
        assert!(error.message.contains("there is @errors @new"), "{error}");
        assert!(parse("@", &SavedFilters::default()).is_err());
    }

    #[test]
    fn quotes_and_words_before_a_colon_are_no_names() {
        let text = |text: &str| Test::Text(text.to_owned());
        for (typed, test) in [
            ("\"@errors\"", text("@errors")),
            ("a@errors", text("a@errors")),
        ] {
            assert_eq!(parse(typed, &some()).unwrap().terms()[0].test, test);
        }
        let filter = parse("path:@errors", &some()).unwrap();
        assert!(matches!(filter.terms()[0].test, Test::Path(_)));
    }

    #[test]
    fn what_cannot_be_saved_is_refused_by_name() {
        for (name, text, why) in [
            ("Errors", "status:5xx", "a name has at most"),
            ("", "status:5xx", "a name has at most"),
            ("x", "item:1 status:soon", "column 15: try 200"),
            (
                "x",
                "@errors",
                "column 1: a saved filter cannot use another",
            ),
            ("x", " ", "it is empty"),
        ] {
            let (named, error) = saved_filters(&[(name, text)]).unwrap_err();
            assert_eq!(named, name);
            assert!(error.to_string().starts_with(why), "{error}");
        }
        let many = (0..=MAX_SAVED).map(|n| (format!("f{n}"), "item:1".to_owned()));
        let (_, error) = SavedFilters::new(many, now()).unwrap_err();
        assert_eq!(error, SavedError::TooMany);
    }

    #[test]
    fn names_add_no_more_terms_than_one_may_type() {
        let long = "item:1 ".repeat(60);
        let saved = saved_filters(&[("long", &long)]).unwrap();
        assert!(parse("@long a b c d", &saved).is_ok());
        for text in ["@long a b c d e", "@long @long", "-@long -@long"] {
            let error = parse(text, &saved).unwrap_err();
            assert!(error.message.contains("too many terms"), "{text}: {error}");
        }
    }
}
