//! Bytes → lines: a form as its fields, JSON indented, other text as it is, anything else as a
//! dump.

use std::borrow::Cow;

use podtap_agent::HeaderList;

use super::{hex, json};
use crate::line::Line;
use crate::safe_text::{SafeText, is_text};
use crate::theme::Role;
use crate::words;

/// Bytes of a body that are shown; copying and exporting give all of it.
const MAX_SHOWN: usize = 1024 * 1024;

/// Cells from one tab stop to the next.
const TAB_STOP: usize = 4;

/// The lines of a body for lines of `width` cells.
pub(super) fn lines(headers: &HeaderList, body: &[u8], width: usize) -> Vec<Line> {
    if body.is_empty() {
        return vec![Line::of(Role::Quiet, "no body")];
    }
    let shown = shown_part(body);
    let content_type = headers
        .get("content-type")
        .map(|value| value.to_ascii_lowercase());
    let is = |part: &[u8]| {
        content_type
            .as_ref()
            .is_some_and(|known| known.windows(part.len()).any(|at| at == part))
    };
    let mut lines = if !is_text(shown) {
        hex::lines(shown, width)
    } else if is(b"x-www-form-urlencoded") {
        form(shown)
    } else {
        json::lines(shown).unwrap_or_else(|| text(shown))
    };
    if shown.len() < body.len() {
        let all = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let note = format!(
            "The first MiB of {}; copying gives all of it.",
            words::size(all)
        );
        lines.push(Line::of(Role::Warning, note));
    }
    lines
}

/// The raw form, a pair to a line, as it came over the wire.
fn form(body: &[u8]) -> Vec<Line> {
    let line = |(index, pair): (usize, &[u8])| {
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => pair.split_at(at),
            None => (pair, &b""[..]),
        };
        Line::of(Role::Quiet, if index == 0 { "" } else { "&" })
            .put(Role::Name, SafeText::from_bytes(name).as_str())
            .put(Role::Plain, SafeText::from_bytes(value).as_str())
    };
    body.split(|byte| *byte == b'&')
        .enumerate()
        .map(line)
        .collect()
}

fn text(body: &[u8]) -> Vec<Line> {
    let line = |line: &[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Line::of(
            Role::Plain,
            SafeText::from_bytes(&expand_tabs(line)).as_str(),
        )
    };
    body.strip_suffix(b"\n")
        .unwrap_or(body)
        .split(|byte| *byte == b'\n')
        .map(line)
        .collect()
}

/// Tabs as spaces up to the next stop, counting characters.
fn expand_tabs(line: &[u8]) -> Cow<'_, [u8]> {
    if !line.contains(&b'\t') {
        return line.into();
    }
    let (mut expanded, mut column) = (Vec::with_capacity(line.len() * 2), 0);
    for &byte in line {
        if byte == b'\t' {
            let fill = TAB_STOP - column % TAB_STOP;
            expanded.resize(expanded.len() + fill, b' ');
            column += fill;
        } else {
            expanded.push(byte);
            // Continuation bytes of UTF-8 take no column of their own.
            column += usize::from(byte & 0xc0 != 0x80);
        }
    }
    expanded.into()
}

/// The part of a body that is shown, not ending within a character.
fn shown_part(body: &[u8]) -> &[u8] {
    let mut end = body.len().min(MAX_SHOWN);
    while end < body.len() && body.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    body.split_at(end).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(content_type: &str, body: &[u8]) -> Vec<String> {
        let headers = [("content-type", content_type.to_owned())]
            .into_iter()
            .collect();
        lines(&headers, body, 40).iter().map(Line::text).collect()
    }

    #[test]
    fn each_kind_of_body_has_its_view() {
        let form = shown(
            "application/x-www-form-urlencoded",
            b"type=item.update&x=%1b&&y",
        );
        assert_eq!(form, ["type=item.update", "&x=%1b", "&", "&y"]);
        assert_eq!(shown("application/json", b"[1]"), ["[", "  1", "]"]);
        assert_eq!(
            shown("text/plain", b"a\tb\r\n\x1b[0m\n"),
            ["a   b", "\u{241b}[0m"]
        );
        assert_eq!(
            shown("text/plain", b"\xff\x00"),
            ["00000000  ff 00                    ··"]
        );
        assert_eq!(shown("text/plain", b""), ["no body"]);
    }

    #[test]
    fn a_huge_body_is_shown_in_part_and_says_so() {
        let body = "é".repeat(MAX_SHOWN);
        let lines = shown("text/plain", body.as_bytes());
        assert_eq!(lines.len(), 2);
        assert!(lines[1].contains("first MiB"), "{}", lines[1]);
    }
}
