//! Compares the answer to a replay with the first answer to the event. Pure.

use podtap_wire::HeaderList;

use crate::history::{Attempt, Outcome};

/// Headers that differ in each answer and tell nothing about the handler.
const CHANGING: [&str; 8] = [
    "age",
    "connection",
    "content-length",
    "date",
    "etag",
    "keep-alive",
    "set-cookie",
    "x-request-id",
];

/// The differences between an answer and an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerChange {
    /// The earlier attempt's number.
    pub with_attempt: u32,
    /// Status of the earlier attempt; `None` if there was no answer.
    pub status_before: Option<u16>,
    /// Whether the status differs, or only one attempt has an answer.
    pub status: bool,
    /// The headers that were added, removed or changed.
    pub headers: Vec<String>,
    /// Whether the body differs.
    pub body: bool,
}

impl AnswerChange {
    /// Compares this attempt with the event's first one at the same target; `None` for the first
    /// itself, and if the first was imported without its answer.
    pub fn of(attempt: &Attempt, all: &[Attempt]) -> Option<Self> {
        let is_first = |other: &&Attempt| {
            other.number < attempt.number
                && !other.imported
                && (other.target == attempt.target || other.target.is_none())
        };
        let first = all
            .iter()
            .filter(is_first)
            .min_by_key(|other| other.number)?;
        Some(Self::between(first, attempt))
    }

    fn between<'a>(first: &'a Attempt, last: &'a Attempt) -> Self {
        let answer = |outcome: &'a Outcome| match outcome {
            Outcome::Answered {
                status,
                headers,
                body,
                body_bytes,
            } => Some((status, headers, (body, body_bytes))),
            Outcome::Failed { .. } => None,
        };
        let (before, after) = (answer(&first.outcome), answer(&last.outcome));
        let both = before.zip(after);
        Self {
            with_attempt: first.number,
            status_before: before.map(|(status, ..)| *status),
            status: before.map(|(status, ..)| status) != after.map(|(status, ..)| status),
            headers: both
                .map(|((_, before, _), (_, after, _))| changed_headers(before, after))
                .unwrap_or_default(),
            body: before.map(|(.., body)| body) != after.map(|(.., body)| body),
        }
    }

    /// Returns whether nothing differs.
    pub fn is_none(&self) -> bool {
        !self.status && !self.body && self.headers.is_empty()
    }

    /// Describes the differences in a few words: `same answer as attempt 1`, or
    /// `attempt 1 was 500, another body`. Names of headers are untrusted text.
    pub fn words(&self) -> String {
        if self.is_none() {
            return format!("same answer as attempt {}", self.with_attempt);
        }
        let mut parts = Vec::new();
        if self.status {
            parts.push(match self.status_before {
                Some(status) => format!("attempt {} was {status}", self.with_attempt),
                None => format!("attempt {} had no answer", self.with_attempt),
            });
        }
        if !self.headers.is_empty() {
            parts.push(format!("other headers: {}", self.headers.join(", ")));
        }
        if self.body && !(self.status && self.status_before.is_none()) {
            parts.push("another body".to_owned());
        }
        if !self.status {
            parts.push(format!("than attempt {}", self.with_attempt));
            return parts.join(", ").replace(", than", " than");
        }
        parts.join(", ")
    }
}

/// Returns the names in lower case, without duplicates, in order.
fn changed_headers(before: &HeaderList, after: &HeaderList) -> Vec<String> {
    let sorted = |list: &HeaderList| {
        let mut pairs: Vec<(String, Vec<u8>)> = list
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec()))
            .filter(|(name, _)| !CHANGING.contains(&name.as_str()))
            .collect();
        pairs.sort();
        pairs
    };
    let (before, after) = (sorted(before), sorted(after));
    let missing = |from: &[(String, Vec<u8>)], other: &[(String, Vec<u8>)]| {
        let missing = from.iter().filter(|pair| !other.contains(pair));
        missing.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let mut names = missing(&before, &after);
    names.extend(missing(&after, &before));
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use podtap_wire::EventId;

    use super::*;

    fn attempt(number: u32, outcome: Outcome) -> Attempt {
        Attempt {
            event: EventId::from_parts(Timestamp::UNIX_EPOCH, 1),
            number,
            replay: number > 1,
            imported: false,
            url: "http://localhost:3000/".to_owned(),
            target: Some("http://localhost:3000".to_owned()),
            edited: None,
            started_at: Timestamp::UNIX_EPOCH,
            duration: Duration::ZERO,
            outcome,
        }
    }

    fn answered(
        status: u16,
        headers: &[(&'static str, &'static str)],
        body: &'static str,
    ) -> Outcome {
        Outcome::Answered {
            status,
            headers: headers.iter().copied().collect(),
            body: body.into(),
            body_bytes: body.len() as u64,
        }
    }

    #[test]
    fn each_part_of_an_answer_is_compared_with_the_first() {
        let failed = || Outcome::Failed {
            error: "connection refused".to_owned(),
        };
        let plain = || answered(500, &[("date", "1"), ("x-a", "1")], "boom");
        for (first, last, words) in [
            (
                plain(),
                answered(500, &[("Date", "2"), ("X-A", "1")], "boom"),
                "same answer as attempt 1",
            ),
            (
                plain(),
                answered(200, &[("x-a", "1")], "ok"),
                "attempt 1 was 500, another body",
            ),
            (
                plain(),
                answered(500, &[("x-b", "1")], "boom"),
                "other headers: x-a, x-b than attempt 1",
            ),
            (
                plain(),
                answered(500, &[("x-a", "1")], "bang"),
                "another body than attempt 1",
            ),
            (
                failed(),
                answered(200, &[], "ok"),
                "attempt 1 had no answer",
            ),
            (failed(), failed(), "same answer as attempt 1"),
        ] {
            let all = [attempt(1, first), attempt(2, answered(418, &[], ""))];
            let last = attempt(3, last);
            let change = AnswerChange::of(&last, &all).unwrap();
            assert_eq!(change.words(), words);
        }
    }

    #[test]
    fn the_first_has_nothing_to_be_compared_with_and_imports_do_not_count() {
        let one = attempt(1, answered(200, &[], ""));
        assert_eq!(AnswerChange::of(&one, std::slice::from_ref(&one)), None);
        let imported = Attempt {
            imported: true,
            ..one.clone()
        };
        let two = attempt(2, answered(200, &[], ""));
        assert_eq!(AnswerChange::of(&two, &[imported, two.clone()]), None);
    }
}
