//! Parses text to terms: first with a grammar that accepts any text, then by the meaning of each
//! piece, where errors have a column. A bare `@name` is replaced by the terms of a saved filter.

use std::ops::Range;

use jiff::ZonedDateTime;
use podtap_podio::ObjectKind;
use winnow::ascii::multispace0;
use winnow::combinator::{alt, opt, preceded, repeat, terminated};
use winnow::prelude::*;
use winnow::stream::LocatingSlice;
use winnow::token::{rest, take_till, take_while};

use super::value::{event_id, failure, id, status, time, yes_or_no};
use super::{FilterError, Mark, Pattern, SavedFilters, Term, Test};

/// Maximum length of a filter in bytes: far more than
/// a person types, and within SQLite's own limits.
const MAX_BYTES: usize = 4096;
/// Maximum number of terms: SQLite limits the depth of an expression to 1,000.
const MAX_TERMS: usize = 64;
/// Maximum number of `*` in one pattern: the time of SQLite's matching is exponential in them.
const MAX_STARS: usize = 8;

/// Prefix for a parameter's name, whatever the name is.
pub(super) const PARAM: &str = "param.";

/// Fields of the language, apart from the kinds of objects and the names of parameters.
pub(super) const WORDS: &[&str] = &[
    "type", "status", "failure", "after", "before", "path", "hook", "revision", "method", "id",
    "replayed", "external",
];

type FilterInput<'a> = LocatingSlice<&'a str>;

/// One piece of the text: its range, its field and its value.
#[derive(Debug)]
struct RawTerm<'a> {
    negated: bool,
    key: Option<(&'a str, Range<usize>)>,
    value: TermValue<'a>,
    at: Range<usize>,
}

#[derive(Debug)]
enum TermValue<'a> {
    Bare(&'a str),
    Quoted(&'a str),
    Unclosed,
}

/// Parses the terms of a filter. `now` has the time zone for `after:14:30`. `saved` are the filters
/// for `@name`; `None` inside a saved filter, which cannot use another.
pub(super) fn terms(
    text: &str,
    now: &ZonedDateTime,
    saved: Option<&SavedFilters>,
) -> Result<Vec<Term>, FilterError> {
    let error = |at: usize, message: &str| FilterError {
        column: column(text, at),
        message: message.to_owned(),
    };
    if text.len() > MAX_BYTES {
        return Err(error(0, "this filter is too long"));
    }
    let raws: Vec<RawTerm<'_>> = pieces
        .parse(LocatingSlice::new(text))
        .map_err(|e| error(e.offset(), "this cannot be read"))?;
    let (mut terms, mut count) = (Vec::with_capacity(raws.len().min(MAX_TERMS)), 0_usize);
    for raw in &raws {
        let negated = raw.negated;
        let inner = raw.saved_name().map(|name| match saved {
            Some(saved) => saved_terms(saved, name, now),
            None => Err("a saved filter cannot use another one; put quotes around it to search for the text".to_owned()),
        });
        let inner = inner
            .transpose()
            .map_err(|message| error(raw.at.start, &message))?;
        count += inner.as_ref().map_or(1, Vec::len);
        if count > MAX_TERMS {
            return Err(error(raw.at.start, "this filter has too many terms"));
        }
        match inner {
            // The saved terms must not all hold together; each alone may.
            Some(inner) if negated => terms.push(Term {
                negated,
                test: Test::All(inner),
            }),
            Some(inner) => terms.extend(inner),
            None => {
                let test = meaning(raw, now).map_err(|(at, message)| error(at, &message))?;
                terms.push(Term { negated, test });
            }
        }
    }
    Ok(terms)
}

/// Returns the field of each piece of a filter, with its column: the word before the colon, or as
/// `Err` the text itself if there is none.
pub(super) fn subjects(text: &str) -> Vec<(usize, Result<&str, &str>)> {
    let raws: Vec<RawTerm<'_>> = pieces.parse(LocatingSlice::new(text)).unwrap_or_default();
    let subjects = raws.into_iter().map(|raw| match (raw.key, raw.value) {
        (Some((key, at)), _) => (at.start, Ok(key)),
        (None, TermValue::Bare(value) | TermValue::Quoted(value)) => (raw.at.start, Err(value)),
        (None, TermValue::Unclosed) => (raw.at.start, Err("")),
    });
    subjects
        .map(|(at, subject)| (column(text, at), subject))
        .collect()
}

/// Returns the number of the character at this byte, counted from 1.
fn column(text: &str, at: usize) -> usize {
    let before = text.get(..at);
    before.map_or(1, |before| before.chars().count() + 1)
}

fn saved_terms(saved: &SavedFilters, name: &str, now: &ZonedDateTime) -> Result<Vec<Term>, String> {
    let text = saved.text(name)?;
    // The text was valid when it was saved; only a time may have become impossible since.
    terms(text, now, None).map_err(|error| format!("in @{name}, {error}"))
}

impl RawTerm<'_> {
    /// Returns the name after a bare `@`.
    fn saved_name(&self) -> Option<&str> {
        match (&self.key, &self.value) {
            (None, TermValue::Bare(text)) => text.strip_prefix('@'),
            _ => None,
        }
    }
}

fn pieces<'a>(input: &mut FilterInput<'a>) -> winnow::Result<Vec<RawTerm<'a>>> {
    preceded(multispace0, repeat(0.., terminated(piece, multispace0))).parse_next(input)
}

fn piece<'a>(input: &mut FilterInput<'a>) -> winnow::Result<RawTerm<'a>> {
    let negated = opt('-').parse_next(input)?.is_some();
    let key = opt(terminated(key.with_span(), ':')).parse_next(input)?;
    let (value, at) = value.with_span().parse_next(input)?;
    if !negated && key.is_none() && at.is_empty() {
        return winnow::combinator::fail.parse_next(input);
    }
    Ok(RawTerm {
        negated,
        key,
        value,
        at,
    })
}

fn key<'a>(input: &mut FilterInput<'a>) -> winnow::Result<&'a str> {
    take_while(1.., |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
    })
    .parse_next(input)
}

fn value<'a>(input: &mut FilterInput<'a>) -> winnow::Result<TermValue<'a>> {
    let quoted = ('"', take_till(0.., '"'), '"').map(|(_, text, _)| TermValue::Quoted(text));
    let unclosed = ('"', rest).map(|_| TermValue::Unclosed);
    let bare = take_till(0.., char::is_whitespace).map(TermValue::Bare);
    alt((quoted, unclosed, bare)).parse_next(input)
}

/// A message and the byte to which it refers.
type Complaint = (usize, String);

fn meaning(raw: &RawTerm<'_>, now: &ZonedDateTime) -> Result<Test, Complaint> {
    let at = raw.at.start;
    let fault = |message: &str| Err((at, message.to_owned()));
    let text = match raw.value {
        TermValue::Unclosed => return fault("this quote is never closed"),
        TermValue::Bare("") if raw.key.is_none() => return fault("nothing follows this `-`"),
        TermValue::Bare("") => return fault("a value is missing here"),
        TermValue::Bare(text) | TermValue::Quoted(text) => text,
    };
    if text.matches('*').count() > MAX_STARS {
        return fault("there are too many `*` in this");
    }
    let Some((key, _)) = &raw.key else {
        return Ok(Test::Text(text.to_owned()));
    };
    let result = match *key {
        "type" => Ok(Test::Type(Pattern::new(text))),
        "hook" => id(text).map(Test::Hook),
        "revision" => id(text).map(Test::Revision),
        "status" => status(text).map(Test::Status),
        "failure" => failure(text).map(Test::Failure),
        "after" => time(text, now).map(Test::After),
        "before" => time(text, now).map(Test::Before),
        "path" if text.contains('*') => Ok(Test::Path(Pattern::new(text))),
        "path" => Ok(Test::Path(Pattern::prefix(text))),
        "method" => Ok(Test::Method(text.to_ascii_uppercase())),
        "id" => event_id(text).map(Test::Id),
        "note" => Ok(match text {
            "yes" => Test::Noted(true),
            "no" => Test::Noted(false),
            text => Test::Note(Pattern::new(&format!("*{text}*"))),
        }),
        "replayed" => yes_or_no(text).map(Test::Replayed),
        "external" => Ok(param("external_id", text)),
        // For parameters that have the name of a field.
        name if name.starts_with(PARAM) => Ok(param(name.trim_start_matches(PARAM), text)),
        name => match (Mark::of(name), ObjectKind::from_word(name)) {
            (Some(mark), _) => yes_or_no(text).map(|yes| Test::Marked(mark, yes)),
            (None, Some(kind)) => id(text).map(|id| Test::Object(kind, id)),
            (None, None) => Ok(param(name, text)),
        },
    };
    result.map_err(|message| (at, message))
}

fn param(name: &str, value: &str) -> Test {
    Test::Param {
        name: name.to_owned(),
        value: Pattern::new(value),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::super::{FailureTest, StatusTest};
    use super::*;

    fn parse(text: &str) -> Result<Vec<Term>, FilterError> {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let saved = SavedFilters::default();
        terms(text, &now.to_zoned_datetime(TimeZone::UTC), Some(&saved))
    }

    fn one(text: &str) -> Test {
        let mut terms = parse(text).unwrap();
        assert_eq!(terms.len(), 1, "{text}");
        terms.remove(0).test
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn every_term_means_what_its_word_says() {
        for (text, test) in [
            ("type:item.*", Test::Type(Pattern::new("item.*"))),
            ("item:4711", Test::Object(ObjectKind::Item, 4711)),
            ("task:9", Test::Object(ObjectKind::Task, 9)),
            ("hook:90211", Test::Hook(90211)),
            ("status:200", Test::Status(StatusTest::Within(200, 200))),
            ("status:5xx", Test::Status(StatusTest::Within(500, 599))),
            (
                "status:>=400",
                Test::Status(StatusTest::Within(400, u16::MAX)),
            ),
            ("status:<300", Test::Status(StatusTest::Within(0, 299))),
            ("status:error", Test::Status(StatusTest::Error)),
            ("failure:yes", Test::Failure(FailureTest::Any)),
            ("failure:no", Test::Failure(FailureTest::None)),
            (
                "failure:3f9a2c81d0",
                Test::Failure(FailureTest::Of("3f9a2c81d0".to_owned())),
            ),
            ("status:pending", Test::Status(StatusTest::Pending)),
            ("param.status:pending", param("status", "pending")),
            ("param.x:1", param("x", "1")),
            ("after:10m", Test::After(at("2026-11-23T11:50:00Z"))),
            ("before:3d", Test::Before(at("2026-11-20T12:00:00Z"))),
            ("after:11:30", Test::After(at("2026-11-23T11:30:00Z"))),
            ("after:12:30", Test::After(at("2026-11-22T12:30:00Z"))),
            ("after:2026-01-02", Test::After(at("2026-01-02T00:00:00Z"))),
            (
                "after:2026-01-02T03:04",
                Test::After(at("2026-01-02T03:04:00Z")),
            ),
            (
                "after:2026-01-02T03:04:05Z",
                Test::After(at("2026-01-02T03:04:05Z")),
            ),
            ("path:/podio", Test::Path(Pattern::new("/podio*"))),
            ("path:*/hook", Test::Path(Pattern::new("*/hook"))),
            ("method:post", Test::Method("POST".to_owned())),
            ("replayed:yes", Test::Replayed(true)),
            ("missing:yes", Test::Marked(Mark::Missing, true)),
            ("duplicate:no", Test::Marked(Mark::Duplicate, false)),
            ("verified:no", Test::Marked(Mark::Verified, false)),
            ("param.missing:3", param("missing", "3")),
            ("note:yes", Test::Noted(true)),
            ("note:\"ask Ann\"", Test::Note(Pattern::new("*ask Ann*"))),
            ("external:BUG-17", param("external_id", "BUG-17")),
            ("file_ids:\"1, 2\"", param("file_ids", "1, 2")),
            ("\"free text\"", Test::Text("free text".to_owned())),
            ("safari", Test::Text("safari".to_owned())),
            ("id:01jd", Test::Id("01JD".to_owned())),
        ] {
            assert_eq!(one(text), test, "{text}");
        }
    }

    #[test]
    fn terms_add_up_and_a_dash_negates() {
        let terms = parse("  type:item.*   -type:hook.verify -\"a b\" ").unwrap();
        let negated: Vec<bool> = terms.iter().map(|term| term.negated).collect();
        assert_eq!(negated, [false, true, true]);
        assert!(parse("   ").unwrap().is_empty());
    }

    #[test]
    fn an_error_points_at_the_character() {
        for (text, column) in [
            ("ä item:x", 8),
            ("status:9000x", 8),
            ("after:soon", 7),
            ("after:-5m", 7),
            ("after:2026-13-01", 7),
            ("type:item.* \"open", 13),
            ("item:", 6),
            ("a - b", 4),
            ("replayed:maybe", 10),
            ("missing:3", 9),
            ("failure:3f9a", 9),
            ("after:99999999999999d", 7),
            ("type:*a*a*a*a*a*a*a*a*a", 6),
            ("ä -@nothing", 4),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.column, column, "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_filter_or_an_error_within_it(text in "\\PC{0,60}") {
            if let Err(error) = parse(&text) {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.column));
            }
        }
    }
}
