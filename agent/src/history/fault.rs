//! Describes a failed delivery so that the same fault is recognized again: by its status and the
//! most informative line of the answer, without the parts that differ each time. Pure.

use podtap_wire::HeaderList;
use sha2::{Digest as _, Sha256};

use crate::decoded;

/// Maximum number of bytes of an answer that are read.
const MAX_BYTES: usize = 16 * 1024;

/// Maximum number of characters of a line.
const MAX_LINE: usize = 300;

/// Characters of a fingerprint: with 10,000 different faults,
/// two of them have the same fingerprint in one of 80,000 cases.
const LENGTH: usize = 10;

/// First line of a Python traceback. Its last line names the error.
const TRACEBACK: &str = "Traceback (most recent call last)";

/// A short description of a failed delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeliveryFault {
    pub(super) status: Option<u16>,
    /// The error or the answer's line, unchanged.
    pub(super) line: String,
}

impl DeliveryFault {
    /// Describes a delivery without an answer.
    pub(super) fn without_answer(error: &str) -> Self {
        Self {
            status: None,
            line: truncate_line(error),
        }
    }

    /// Describes a delivery with this answer.
    pub(super) fn with_answer(status: u16, headers: &HeaderList, body: &[u8]) -> Self {
        let unpacked = decoded::unpack(headers, body.get(..MAX_BYTES).unwrap_or(body));
        let text = decoded::text(headers, &unpacked.bytes);
        let text = String::from_utf8_lossy(&text);
        Self {
            status: Some(status),
            line: truncate_line(telling_line(&text)),
        }
    }

    /// Returns a fingerprint that is the same each time the same fault happens.
    pub(super) fn fingerprint(&self) -> String {
        let status = self
            .status
            .map_or_else(String::new, |status| status.to_string());
        let digest = Sha256::digest(format!("{status}\n{}", without_numbers(&self.line)));
        let mut hex = String::with_capacity(LENGTH + 1);
        for byte in digest.iter().take(LENGTH / 2) {
            hex.push_str(&format!("{byte:02x}"));
        }
        hex
    }
}

/// Returns whether a text can be a fingerprint.
pub(super) fn is_fingerprint(text: &str) -> bool {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == LENGTH && text.bytes().all(is_hex)
}

/// Returns the line that says what went wrong: the first one, except in HTML pages and tracebacks.
fn telling_line(text: &str) -> &str {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    if first.starts_with(TRACEBACK) {
        return lines.next_back().unwrap_or(first);
    }
    if first.starts_with('<') {
        return title(text).unwrap_or(first);
    }
    first
}

/// Returns the title of an HTML page.
fn title(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let begin = lower.find("<title")?;
    let begin = begin + lower.get(begin..)?.find('>')? + 1;
    let end = begin + lower.get(begin..)?.find("</title")?;
    let title = text.get(begin..end)?.trim();
    (!title.is_empty()).then_some(title)
}

fn truncate_line(line: &str) -> String {
    line.chars().take(MAX_LINE).collect()
}

/// Returns the text with each number or id replaced by [`NUMBER`].
/// Replaced are words of hexadecimal digits that contain a digit,
/// words of at least 20 letters and digits, and other digits.
fn without_numbers(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut word = String::new();
    for c in line.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        push_word(&mut shown, &word);
        word.clear();
        shown.push(c);
    }
    // The parts of a UUID, an address or a time count as
    // one number, because the number of parts may differ.
    let mut text = String::with_capacity(shown.len());
    let mut rest = shown.trim_end().chars().peekable();
    while let Some(c) = rest.next() {
        text.push(c);
        if c == NUMBER {
            let mut after = rest.clone();
            while let (Some('-' | ':' | '.' | ',' | 'T'), Some(NUMBER)) =
                (after.next(), after.next())
            {
                rest = after.clone();
            }
        }
    }
    text
}

/// The character that replaces a number.
const NUMBER: char = '#';

fn push_word(shown: &mut String, word: &str) {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let hex = word.strip_prefix("0x").unwrap_or(word);
    let is_hex = word.len() >= 4 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digits > 0 && (is_hex || word.len() >= 20) {
        shown.push(NUMBER);
        return;
    }
    let mut in_number = false;
    for c in word.chars() {
        if !c.is_ascii_digit() {
            shown.push(c);
        } else if !in_number {
            shown.push(NUMBER);
        }
        in_number = c.is_ascii_digit();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fault_of(status: u16, body: &str) -> DeliveryFault {
        DeliveryFault::with_answer(status, &HeaderList::default(), body.as_bytes())
    }

    #[test]
    fn the_same_fault_is_the_same_whatever_its_numbers() {
        for (one, other) in [
            ("item 4711 not found", "item 3276908608 not found"),
            (
                "KeyError: 'title' at line 12",
                "KeyError: 'title' at line 7",
            ),
            (
                "request 550e8400-e29b-41d4-a716-446655440000 failed",
                "request 6ba7b810-9dad-11d1-80b4-00c04fd430c8 failed",
            ),
            (
                "event 01KAR8Z4M6W4Q0C8J2T7VXN5PD",
                "event 01KAR8Z4M6W4Q0C8J2T7VXN5PE",
            ),
            ("at 2026-11-26T12:04:31.204Z", "at 2026-01-02T03:04:05Z"),
            (
                "connect 127.0.0.1:3000 refused",
                "connect 10.0.12.9:80 refused",
            ),
            ("object at 0x7f3a12bc", "object at 0x55d0e9f4a1"),
            ("{\"trace\":\"9f8b7c6d\"}", "{\"trace\":\"00ff12ab\"}"),
        ] {
            let of = |line: &str| fault_of(500, line).fingerprint();
            assert_eq!(of(one), of(other), "{one} / {other}");
            assert!(is_fingerprint(&of(one)), "{}", of(one));
        }
    }

    #[test]
    fn different_faults_are_different() {
        let faults = [
            fault_of(500, "KeyError: 'title'"),
            fault_of(500, "KeyError: 'status'"),
            fault_of(502, "KeyError: 'title'"),
            fault_of(500, ""),
            fault_of(500, "deadbeef is food"),
            DeliveryFault::without_answer("KeyError: 'title'"),
            DeliveryFault::without_answer("connection refused"),
        ];
        let mut prints: Vec<String> = faults.iter().map(DeliveryFault::fingerprint).collect();
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(prints.len(), faults.len());
    }

    #[test]
    fn the_line_that_says_most_is_taken() {
        for (body, line) in [
            ("\n\n  boom\nat handler.js:3", "boom"),
            (
                "<!DOCTYPE html>\n<TITLE>\nNot found</TITLE><p>",
                "Not found",
            ),
            ("<html><title></title>", "<html><title></title>"),
            (
                "Traceback (most recent call last):\n  File \"x\", line 3\nKeyError: 'a'\n",
                "KeyError: 'a'",
            ),
            ("", ""),
        ] {
            assert_eq!(fault_of(500, body).line, line, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_has_a_fingerprint(status in 100_u16..600, body in any::<Vec<u8>>()) {
            let fault = DeliveryFault::with_answer(status, &HeaderList::default(), &body);
            prop_assert!(is_fingerprint(&fault.fingerprint()));
            prop_assert!(fault.line.chars().count() <= MAX_LINE);
        }

        #[test]
        fn numbers_never_tell_faults_apart(a in any::<u64>(), b in any::<u64>(), word in "[a-z ]{0,20}") {
            let of = |number: u64| fault_of(500, &format!("{word} {number} failed")).fingerprint();
            prop_assert_eq!(of(a), of(b));
        }
    }
}
