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
    /// Target of the earlier attempt, if it is another one.
    pub target_before: Option<String>,
    /// Status of the earlier attempt; `None` if there was no answer.
    pub status_before: Option<u16>,
    /// Whether the status differs, or only one attempt has an answer.
    pub status: bool,
    /// Whether neither has an answer, for different reasons.
    pub error: bool,
    /// The headers that were added, removed or changed.
    pub headers: Vec<String>,
    /// Whether the body differs.
    pub body: bool,
}

impl AnswerChange {
    /// Compares this replay with the event's first attempt at the same target, else with the first of
    /// all. Returns `None` for other attempts, and if the first was imported without its answer.
    pub fn of(attempt: &Attempt, all: &[Attempt]) -> Option<Self> {
        if !attempt.replay {
            return None;
        }
        let is_same = |other: &Attempt| other.target == attempt.target || other.target.is_none();
        let earlier = all.iter();
        let earlier = earlier.filter(|other| other.number < attempt.number && !other.imported);
        let first = earlier.min_by_key(|other| (!is_same(other), other.number))?;
        let target_before = first.target.clone().filter(|_| !is_same(first));
        Some(Self {
            target_before,
            ..Self::between(first, attempt)
        })
    }

    fn between<'a>(first: &'a Attempt, last: &'a Attempt) -> Self {
        let answer = |outcome: &'a Outcome| match outcome {
            Outcome::Answered {
                status,
                headers,
                body,
                body_bytes,
            } => Ok((*status, headers, (body, *body_bytes))),
            Outcome::Failed { error } => Err(error),
        };
        let same = Self {
            with_attempt: first.number,
            target_before: None,
            status_before: None,
            status: false,
            error: false,
            headers: Vec::new(),
            body: false,
        };
        match (answer(&first.outcome), answer(&last.outcome)) {
            (Ok((before, old_headers, old_body)), Ok((after, headers, body))) => Self {
                status_before: Some(before),
                status: before != after,
                headers: changed_headers(old_headers, headers),
                body: old_body != body,
                ..same
            },
            (Ok((before, ..)), Err(_)) => Self {
                status_before: Some(before),
                status: true,
                ..same
            },
            (Err(_), Ok(_)) => Self {
                status: true,
                ..same
            },
            (Err(before), Err(after)) => Self {
                error: before != after,
                ..same
            },
        }
    }

    /// Returns whether nothing differs.
    pub fn is_none(&self) -> bool {
        !self.status && !self.error && !self.body && self.headers.is_empty()
    }

    /// Describes the differences in a few words: `same answer as attempt 1`, or
    /// `attempt 1 was 500, another body`. Names of headers are untrusted text.
    pub fn words(&self) -> String {
        let attempt = match &self.target_before {
            Some(target) => format!("attempt {} to {target}", self.with_attempt),
            None => format!("attempt {}", self.with_attempt),
        };
        let mut parts = Vec::new();
        match (self.status, self.status_before) {
            (true, None) => return format!("{attempt} had no answer"),
            (true, Some(status)) => parts.push(format!("{attempt} was {status}")),
            (false, None) if self.error => return format!("another error than {attempt}"),
            (false, None) => return format!("no answer, as in {attempt}"),
            (false, Some(_)) if self.is_none() => return format!("same answer as {attempt}"),
            (false, Some(_)) => {}
        }
        if !self.headers.is_empty() {
            parts.push(format!("other headers: {}", self.headers.join(", ")));
        }
        if self.body {
            parts.push("another body".to_owned());
        }
        let parts = parts.join(", ");
        if self.status {
            return parts;
        }
        format!("{parts} than {attempt}")
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

    fn answered_outcome(
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
        let late = || Outcome::Failed {
            error: "timed out".to_owned(),
        };
        let plain = || answered_outcome(500, &[("date", "1"), ("x-a", "1")], "boom");
        for (first, last, words) in [
            (
                plain(),
                answered_outcome(500, &[("Date", "2"), ("X-A", "1")], "boom"),
                "same answer as attempt 1",
            ),
            (
                plain(),
                answered_outcome(200, &[("x-a", "1")], "ok"),
                "attempt 1 was 500, another body",
            ),
            (
                plain(),
                answered_outcome(500, &[("x-b", "1")], "boom"),
                "other headers: x-a, x-b than attempt 1",
            ),
            (
                plain(),
                answered_outcome(500, &[("x-a", "1")], "bang"),
                "another body than attempt 1",
            ),
            (
                failed(),
                answered_outcome(200, &[], "ok"),
                "attempt 1 had no answer",
            ),
            (failed(), failed(), "no answer, as in attempt 1"),
            (failed(), late(), "another error than attempt 1"),
            (plain(), failed(), "attempt 1 was 500"),
        ] {
            let all = [
                attempt(1, first),
                attempt(2, answered_outcome(418, &[], "")),
            ];
            let last = attempt(3, last);
            let change = AnswerChange::of(&last, &all).unwrap();
            assert_eq!(change.words(), words);
        }
    }

    #[test]
    fn the_answer_of_another_target_is_compared_with_the_first_one_there_or_of_all() {
        let at = |number, target: &str, status| Attempt {
            target: Some(target.to_owned()),
            replay: number > 2,
            ..attempt(number, answered_outcome(status, &[], ""))
        };
        let all = [
            at(1, "http://localhost:3000", 200),
            at(2, "exec:./crm.sh", 500),
        ];
        let words = |target, status| {
            let change = AnswerChange::of(&at(3, target, status), &all);
            change.unwrap().words()
        };
        assert_eq!(
            words("http://localhost:3000", 200),
            "same answer as attempt 1"
        );
        assert_eq!(words("exec:./crm.sh", 200), "attempt 2 was 500");
        let elsewhere = words("http://localhost:3001", 500);
        assert_eq!(elsewhere, "attempt 1 to http://localhost:3000 was 200");
        let second = AnswerChange::of(&all[1], &all);
        assert_eq!(second, None, "a delivery to another target is no replay");
    }

    #[test]
    fn the_first_has_nothing_to_be_compared_with_and_imports_do_not_count() {
        let one = attempt(1, answered_outcome(200, &[], ""));
        assert_eq!(AnswerChange::of(&one, std::slice::from_ref(&one)), None);
        let imported = Attempt {
            imported: true,
            ..one.clone()
        };
        let two = attempt(2, answered_outcome(200, &[], ""));
        assert!(two.replay);
        assert_eq!(AnswerChange::of(&two, &[imported, two.clone()]), None);
    }
}
