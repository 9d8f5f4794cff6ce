//! Parses filters, in one small language for the terminal UI and the command line.
//!
//! `type:item.* item:4711 status:5xx after:10m path:/podio -type:hook.verify "free text"`: all
//! terms must hold, `-` negates one, and `@name` is replaced by a saved filter. The result is a
//! typed [`Filter`], which `history::sql` translates for the database.

mod arrival;
mod mark;
mod near;
mod parse;
mod pattern;
mod saved;
mod value;

use jiff::Timestamp;
use podtap_podio::ObjectKind;

use super::position::Position;
pub use arrival::ArrivalFilter;
pub use mark::Mark;
pub use near::{NearlyField, UnknownName};
pub use pattern::Pattern;
pub use saved::{SavedError, SavedFilters};

/// The events to include. The default includes all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Whether the test must not hold.
    pub negated: bool,
    pub test: Test,
}

/// The condition of a term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `type:item.*`: Podio's event type.
    Type(Pattern),
    /// `item:4711`, `task:9`, …: the object of the event.
    Object(ObjectKind, u64),
    /// `hook:90211`: the hook that fired.
    Hook(u64),
    /// `revision:8`: the item's revision.
    Revision(u64),
    /// `status:…`: the outcome of the last attempt.
    Status(StatusTest),
    /// `failure:…`: whether, and how, the last attempt failed.
    Failure(FailureTest),
    /// `after:…`: accepted at or after this time.
    After(Timestamp),
    /// `before:…`: accepted before this time.
    Before(Timestamp),
    /// `path:/podio`: path with query; a prefix if it contains no `*`.
    Path(Pattern),
    /// `method:POST`.
    Method(String),
    /// `id:01JD…`: an event id or its beginning.
    Id(String),
    /// `replayed:yes`, `replayed:no`.
    Replayed(bool),
    /// `missing:yes`, `duplicate:no`, …: a mark of the event, or its absence.
    Marked(Mark, bool),
    /// `note:yes`, `note:no`: whether a person wrote a note on it.
    Noted(bool),
    /// `note:word`: its note contains this text, upper and lower case as given.
    Note(Pattern),
    /// Its position is between these two, both included. Not available as text.
    Between(Position, Position),
    /// Its position is one of these. Not available as text.
    Among(Vec<Position>),
    /// `external:BUG-17`, or any other name: a parameter of the body.
    Param {
        /// The parameter's name.
        name: String,
        value: Pattern,
    },
    /// `-@name`: all terms of a saved filter; without the `-`, its terms are added like any others.
    All(Vec<Term>),
    /// Anything else: words in the path, parameters or body.
    Text(String),
}

/// The outcome of the last attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusTest {
    /// `status:5xx`, `status:404`, `status:>=400`: a status in this range, both ends included.
    Within(u16, u16),
    /// `status:error`: there was no answer.
    Error,
    /// `status:pending`: not yet offered to the local service.
    Pending,
    /// `status:held`: stored without being delivered.
    Held,
}

/// How the last attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureTest {
    /// `failure:yes`: it was answered with 400 or more, or not at all.
    Any,
    /// `failure:no`: it was answered with a status below 400, or there was no attempt.
    None,
    /// `failure:3f9a2c81d0`: with the fault of this fingerprint.
    Of(String),
}

/// An error in the text of a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct FilterError {
    /// The wrong character, counted from 1.
    pub column: usize,
    /// What is wrong, and what is possible instead.
    pub message: String,
}

impl Filter {
    /// Returns the words that can stand before a colon, apart from the names of parameters.
    pub fn words() -> impl Iterator<Item = &'static str> {
        let objects = ObjectKind::BY_PRECEDENCE.iter().map(|kind| kind.as_str());
        // `status:` means the answer's status, not the object.
        let objects = objects.filter(|word| !parse::WORDS.contains(word));
        let marks = Mark::ALL.iter().map(|mark| mark.word());
        parse::WORDS.iter().copied().chain(marks).chain(objects)
    }

    /// Parses a filter; `after:10m` counts from `now`, and `saved` are the filters for `@name`.
    pub fn parse(text: &str, now: Timestamp, saved: &SavedFilters) -> Result<Self, FilterError> {
        Self::of(text, now, Some(saved))
    }

    /// Parses the time after `after:`; the error says which forms are possible.
    ///
    /// # Errors
    /// If `text` is not a time.
    pub fn time(text: &str, now: Timestamp) -> Result<Timestamp, String> {
        value::time(text, &now.to_zoned_datetime(jiff::tz::TimeZone::system()))
    }

    /// Parses the text of a saved filter, which cannot use another saved filter.
    fn parse_saved(text: &str, now: Timestamp) -> Result<Self, FilterError> {
        Self::of(text, now, None)
    }

    fn of(text: &str, now: Timestamp, saved: Option<&SavedFilters>) -> Result<Self, FilterError> {
        let now = now.to_zoned_datetime(jiff::tz::TimeZone::system());
        parse::terms(text, &now, saved).map(|terms| Self { terms })
    }

    /// Returns a filter for the events between these positions, both included.
    pub fn between(first: Position, last: Position) -> Self {
        Self::default().and(Test::Between(first, last))
    }

    /// Limits this filter to events at one of these positions.
    #[must_use]
    pub fn among(self, places: Vec<Position>) -> Self {
        self.and(Test::Among(places))
    }

    /// Limits this filter to events accepted at or after this time.
    #[must_use]
    pub fn since(self, time: Timestamp) -> Self {
        self.and(Test::After(time))
    }

    /// Limits this filter to events that each of their targets has answered, with any status.
    #[must_use]
    pub fn and_answered(self) -> Self {
        let mut answered = self.and(Test::Status(StatusTest::Within(0, u16::MAX)));
        let waits = Test::Status(StatusTest::Pending);
        answered.terms.push(Term {
            negated: true,
            test: waits,
        });
        answered
    }

    /// Limits this filter to events with this mark.
    #[must_use]
    pub fn and_marked(self, mark: Mark) -> Self {
        self.and(Test::Marked(mark, true))
    }

    /// Limits this filter to events that were stored and never sent.
    #[must_use]
    pub fn and_held(self) -> Self {
        self.and(Test::Status(StatusTest::Held))
    }

    /// Limits this filter to events that pass this test.
    #[must_use]
    pub(crate) fn and(mut self, test: Test) -> Self {
        let negated = false;
        self.terms.push(Term { negated, test });
        self
    }

    /// Returns its terms: all must hold.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Returns whether it includes every event.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_is_offered_is_understood() {
        let parse =
            |text: &str| Filter::parse(text, Timestamp::UNIX_EPOCH, &SavedFilters::default());
        for word in Filter::words() {
            let understood = ["1", "200", "10m", "yes"].iter().any(|value| {
                parse(&format!("{word}:{value}")).is_ok_and(|filter| {
                    let test = filter.terms().first().map(|term| &term.test);
                    !matches!(test, Some(Test::Param { name, .. }) if name == word)
                })
            });
            assert!(understood, "{word}");
        }
    }
}
