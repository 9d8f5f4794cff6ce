//! The filter language: one small language for the terminal UI and the command line.
//!
//! `type:item.* item:4711 status:5xx after:10m path:/podio -type:hook.verify "free text"`: all
//! terms must hold, `-` negates one, `@name` stands for a saved filter. Text comes in here, a typed [`Filter`] goes out; what that
//! means for the database is the business of `history::sql`.

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
pub use near::UnknownName;
pub use pattern::Pattern;
pub use saved::{Saved, SavedError};

/// Which events are wanted. The default wants all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Whether it must not hold.
    pub negated: bool,
    pub test: Test,
}

/// What a term asks of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// `type:item.*`: Podio's event type.
    Type(Pattern),
    /// `item:4711`, `task:9`, …: the object that it is about.
    Object(ObjectKind, u64),
    /// `hook:90211`: the hook that fired.
    Hook(u64),
    /// `revision:8`: the item's revision.
    Revision(u64),
    /// `status:…`: what came of the last attempt.
    Status(StatusTest),
    /// `failure:…`: whether, and how, the last attempt failed.
    Failure(FailureTest),
    /// `after:…`: accepted at or after this time.
    After(Timestamp),
    /// `before:…`: accepted before this time.
    Before(Timestamp),
    /// `path:/podio`: path with query; a prefix where no `*` is in it.
    Path(Pattern),
    /// `method:POST`.
    Method(String),
    /// `id:01JD…`: an event id or how it begins.
    Id(String),
    /// `replayed:yes`, `replayed:no`.
    Replayed(bool),
    /// `missing:yes`, `duplicate:no`, …: what was found out about it, or its opposite.
    Marked(Mark, bool),
    /// `note:yes`, `note:no`: whether a person wrote something on it.
    Noted(bool),
    /// `note:word`: a person wrote this on it, in these letters, whatever stands around it.
    Note(Pattern),
    /// It is between these places of the history, or at one of them. No text says this.
    Between(Position, Position),
    /// It is at one of these places of the history. No text says this.
    Among(Vec<Position>),
    /// `external:BUG-17`, or any other name: a parameter of the body.
    Param {
        /// The parameter's name.
        name: String,
        value: Pattern,
    },
    /// `-@name`: all terms of a saved filter; without the `-` they are terms like any others.
    All(Vec<Term>),
    /// Anything else: words in path, parameters or body.
    Text(String),
}

/// What came of the last attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusTest {
    /// `status:5xx`, `status:404`, `status:>=400`: a status from here to there, inclusive.
    Within(u16, u16),
    /// `status:error`: there was no answer.
    Error,
    /// `status:pending`: not yet offered to the local service.
    Pending,
    /// `status:held`: kept without being delivered.
    Held,
}

/// How the last attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureTest {
    /// `failure:yes`: it was answered with 400 or more, or not at all.
    Any,
    /// `failure:no`: it was not, or there was none.
    None,
    /// `failure:3f9a2c81d0`: with the fault of this fingerprint.
    Of(String),
}

/// Text that is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct FilterError {
    /// The character at fault, counted from 1.
    pub column: usize,
    /// What is wrong, and what would do.
    pub message: String,
}

impl Filter {
    /// The words that stand before a colon, beside the names of parameters.
    pub fn words() -> impl Iterator<Item = &'static str> {
        let objects = ObjectKind::BY_PRECEDENCE.iter().map(|kind| kind.as_str());
        // `status:` is the answer's, not the object's.
        let objects = objects.filter(|word| !parse::WORDS.contains(word));
        let marks = Mark::ALL.iter().map(|mark| mark.word());
        parse::WORDS.iter().copied().chain(marks).chain(objects)
    }

    /// The filter that `text` says; `now` is what `after:10m` counts from, `saved` what `@name`
    /// stands for.
    pub fn parse(text: &str, now: Timestamp, saved: &Saved) -> Result<Self, FilterError> {
        Self::of(text, now, Some(saved))
    }

    /// The moment that stands behind `after:`; the error says what would be right.
    ///
    /// # Errors
    /// When `text` is not a moment.
    pub fn time(text: &str, now: Timestamp) -> Result<Timestamp, String> {
        value::time(text, &now.to_zoned_datetime(jiff::tz::TimeZone::system()))
    }

    /// The filter that the text of a saved one says, which uses no other.
    fn parse_saved(text: &str, now: Timestamp) -> Result<Self, FilterError> {
        Self::of(text, now, None)
    }

    fn of(text: &str, now: Timestamp, saved: Option<&Saved>) -> Result<Self, FilterError> {
        let now = now.to_zoned_datetime(jiff::tz::TimeZone::system());
        parse::terms(text, &now, saved).map(|terms| Self { terms })
    }

    /// What lies between these places of the history, both included.
    pub fn between(first: Position, last: Position) -> Self {
        Self::default().and(Test::Between(first, last))
    }

    /// Of what this filter wants, what is at one of these places of the history.
    #[must_use]
    pub fn among(self, places: Vec<Position>) -> Self {
        self.and(Test::Among(places))
    }

    /// Of what this filter wants, what was accepted at or after this time.
    #[must_use]
    pub fn since(self, time: Timestamp) -> Self {
        self.and(Test::After(time))
    }

    /// Of what this filter wants, what each target that it is for has answered, whatever the status.
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

    /// Of what this filter wants, what has this mark.
    #[must_use]
    pub fn and_marked(self, mark: Mark) -> Self {
        self.and(Test::Marked(mark, true))
    }

    /// Of what this filter wants, what is on record only and was never sent.
    #[must_use]
    pub fn held(self) -> Self {
        self.and(Test::Status(StatusTest::Held))
    }

    /// Of what this filter wants, what passes this test.
    #[must_use]
    pub(crate) fn and(mut self, test: Test) -> Self {
        let negated = false;
        self.terms.push(Term { negated, test });
        self
    }

    /// Its terms: all must hold.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether it wants every event.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_is_offered_is_understood() {
        let parse = |text: &str| Filter::parse(text, Timestamp::UNIX_EPOCH, &Saved::default());
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
