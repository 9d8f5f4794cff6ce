//! Turns the bytes of a body into lines: the fields of a form, indented JSON, other
//! text unchanged, and anything else as a hex dump. A person can also choose one of
//! these. The first line names the form.

use std::borrow::Cow;

use podtap_agent::HeaderList;
use podtap_agent::decoded::{self, BodyPacking, Extent, UnpackedBody, is_text};

use super::render_options::{BodyForm, RenderOptions};
use super::{hex, json};
use crate::line::Line;
use crate::safe_text::SafeText;
use crate::theme::Role;
use crate::words;

/// Maximum number of bytes of a body to show. Copying and exporting are not limited by it.
const MAX_SHOWN: usize = 1024 * 1024;

/// Maximum number of lines of a body to show: as many as a dump of [`MAX_SHOWN`]
/// has in a narrow window. A line takes some hundred bytes of memory, so a body of
/// line breaks alone would take much.
const MAX_LINES: usize = MAX_SHOWN / 8;

/// Cells for the name of the content coding with which the body is packed.
const MAX_CODING: usize = 24;

/// Cells from one tab stop to the next.
const TAB_STOP: usize = 4;

/// Returns the lines of a body. The first line names its form and size.
pub(super) fn lines(headers: &HeaderList, body: &[u8], options: RenderOptions) -> Vec<Line> {
    if body.is_empty() {
        return vec![Line::of(Role::Quiet, "no body")];
    }
    let unpacked = decoded::unpack(headers, body);
    let all = size(&unpacked.bytes);
    let shown = shown_part(&unpacked.bytes);
    let (form, shown_lines) = in_form(headers, shown, options);
    let head = format!("body · {} · {form}", extent(body, &unpacked));
    let mut lines = vec![Line::of(Role::Quiet, head)];
    let is_cut = shown_lines.len() > MAX_LINES;
    lines.extend(shown_lines.into_iter().take(MAX_LINES));
    let rest = if is_cut {
        let many = u64::try_from(MAX_LINES).unwrap_or(u64::MAX);
        format!("first {} lines", words::number(many))
    } else if shown.len() < unpacked.bytes.len() || is_first(&unpacked) {
        "first MiB".to_owned()
    } else {
        return lines;
    };
    let note = if is_first(&unpacked) {
        format!("The {rest} of what is packed; copying gives all of it, as it came.")
    } else {
        format!("The {rest} of {all}; copying gives all of it.")
    };
    lines.push(Line::of(Role::Warning, note));
    lines
}

/// Returns whether a body is a JSON object or array.
pub(super) fn is_json(headers: &HeaderList, body: &[u8]) -> bool {
    let unpacked = decoded::unpack(headers, body).bytes;
    json::is_json(&decoded::text(headers, &unpacked))
}

/// Returns the size of a body, packed and unpacked.
fn extent(body: &[u8], unpacked: &UnpackedBody<'_>) -> String {
    let (came, shown) = (size(body), size(&unpacked.bytes));
    let Some(BodyPacking { coding, result }) = &unpacked.packing else {
        return came;
    };
    let coding = SafeText::new(coding).fit(MAX_CODING);
    let coding = coding.as_str();
    match result {
        Ok(Extent::Whole) => format!("{coding}, {came} → {shown}"),
        Ok(Extent::First) => format!("{coding}, {came} → more than {shown}"),
        Err(why) => format!("{coding}, {came}: {why}"),
    }
}

fn is_first(unpacked: &UnpackedBody<'_>) -> bool {
    let packing = unpacked.packing.as_ref();
    packing.is_some_and(|packing| packing.result == Ok(Extent::First))
}

fn size(bytes: &[u8]) -> String {
    words::size(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
}

/// Returns the name of the form in which a body is shown, and its lines: at
/// most one more than [`MAX_LINES`].
fn in_form(
    headers: &HeaderList,
    shown: &[u8],
    options: RenderOptions,
) -> (&'static str, Vec<Line>) {
    let bytes = shown;
    let shown = &*decoded::text(headers, bytes);
    match options.form {
        BodyForm::Text => return ("text", text(shown)),
        BodyForm::Hex => return ("hex", hex::lines(bytes, options.width)),
        BodyForm::Json if let Some(lines) = json::lines(shown, MAX_LINES) => {
            return ("JSON", lines);
        }
        BodyForm::Json | BodyForm::Auto => {}
    }
    let content_type = headers
        .get("content-type")
        .map(|value| value.to_ascii_lowercase());
    let is = |part: &[u8]| {
        content_type
            .as_ref()
            .is_some_and(|known| known.windows(part.len()).any(|at| at == part))
    };
    if !is_text(shown) {
        ("hex", hex::lines(bytes, options.width))
    } else if is(b"x-www-form-urlencoded") {
        ("form", form(shown))
    } else if let Some(lines) = json::lines(shown, MAX_LINES) {
        ("JSON", lines)
    } else {
        ("text", text(shown))
    }
}

/// Returns the lines of the raw form, one pair per line, as it was received.
fn form(body: &[u8]) -> Vec<Line> {
    let line = |(index, pair): (usize, &[u8])| {
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => pair.split_at(at),
            None => (pair, &b""[..]),
        };
        Line::of(Role::Quiet, if index == 0 { "" } else { "&" })
            .with(Role::Name, SafeText::from_bytes(name).as_str())
            .with(Role::Plain, SafeText::from_bytes(value).as_str())
    };
    body.split(|byte| *byte == b'&')
        .take(MAX_LINES + 1)
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
        .take(MAX_LINES + 1)
        .map(line)
        .collect()
}

/// Replaces tabs by spaces up to the next tab stop. A column is one character.
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
            // Continuation bytes of UTF-8 do not start a new column.
            column += usize::from(byte & 0xc0 != 0x80);
        }
    }
    expanded.into()
}

/// Returns the part of a body that is shown. It does not end within a character.
fn shown_part(body: &[u8]) -> &[u8] {
    let most = body.len().min(MAX_SHOWN);
    // A character has at most three continuation bytes; more are not valid UTF-8.
    let is_within = |end: usize| body.get(end).is_some_and(|byte| byte & 0xc0 == 0x80);
    let ends = most.saturating_sub(3)..=most;
    let end = ends.rev().find(|end| !is_within(*end)).unwrap_or(most);
    body.split_at(end).0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::options;

    fn looked_at(content_type: &str, body: &[u8], form: BodyForm) -> Vec<String> {
        let headers = [("content-type", content_type.to_owned())];
        let headers = headers.into_iter().collect();
        let options = RenderOptions {
            form,
            ..options(40)
        };
        let lines = lines(&headers, body, options);
        lines.iter().map(Line::text).collect()
    }

    /// Returns the lines below the first, which names the form.
    fn body_lines(content_type: &str, body: &[u8]) -> Vec<String> {
        let mut lines = looked_at(content_type, body, BodyForm::Auto);
        if !body.is_empty() {
            lines.remove(0);
        }
        lines
    }

    #[test]
    fn a_body_is_shown_in_the_form_that_is_chosen_and_its_head_says_which() {
        let form = "application/x-www-form-urlencoded";
        let looked = |body: &[u8], form_| looked_at(form, body, form_);
        assert_eq!(looked(b"[1]", BodyForm::Auto), ["body · 3 B · form", "[1]"]);
        assert_eq!(looked(b"a&b", BodyForm::Text), ["body · 3 B · text", "a&b"]);
        assert_eq!(
            looked(b"[1]", BodyForm::Json),
            ["body · 3 B · JSON", "[", "  1", "]"]
        );
        assert_eq!(looked(b"a&b", BodyForm::Json)[0], "body · 3 B · form");
        let hex = looked(b"a&b", BodyForm::Hex);
        assert_eq!(hex[0], "body · 3 B · hex");
        assert!(hex[1].starts_with("00000000  61 26 62 "), "{hex:?}");
    }

    #[test]
    fn hostile_bytes_as_text_are_shown_and_not_obeyed() {
        let text = looked_at(
            "text/plain",
            b"\x1b[2J\xff\n\x00\xe2\x80\xaex",
            BodyForm::Text,
        );
        assert_eq!(text[1..], ["\u{241b}[2J\\xff", "\u{2400}<U+202E>x"]);
    }

    #[test]
    fn a_body_of_nothing_but_short_lines_is_shown_in_part() {
        let hostile = [
            ("text/plain", "\n".repeat(MAX_SHOWN)),
            ("application/x-www-form-urlencoded", "&".repeat(MAX_SHOWN)),
            ("text/json", format!("[{}1]", "1,".repeat(MAX_LINES + 1))),
        ];
        for (content_type, body) in hostile {
            let lines = body_lines(content_type, body.as_bytes());
            assert_eq!(lines.len(), MAX_LINES + 1, "{content_type}");
            let last = lines.last().unwrap();
            assert!(last.starts_with("The first 131 072 lines of "), "{last}");
        }
    }

    #[test]
    fn each_kind_of_body_has_its_view() {
        let form = body_lines(
            "application/x-www-form-urlencoded",
            b"type=item.update&x=%1b&&y",
        );
        assert_eq!(form, ["type=item.update", "&x=%1b", "&", "&y"]);
        assert_eq!(body_lines("application/json", b"[1]"), ["[", "  1", "]"]);
        assert_eq!(
            body_lines("text/plain", b"a\tb\r\n\x1b[0m\n"),
            ["a   b", "\u{241b}[0m"]
        );
        assert_eq!(
            body_lines("text/plain", b"\xff\x00"),
            ["00000000  ff 00                    ··"]
        );
        assert_eq!(body_lines("text/plain", b""), ["no body"]);
    }

    #[test]
    fn a_packed_body_is_shown_unpacked_or_says_why_not() {
        let looked = |coding: &str, body: &[u8], form| {
            let headers = [("content-encoding", coding.to_owned())];
            let lines = lines(
                &headers.into_iter().collect(),
                body,
                RenderOptions {
                    form,
                    ..options(40)
                },
            );
            lines.iter().map(Line::text).collect::<Vec<_>>()
        };
        let packed = b"\x0b\x02\x80hello\x03";
        let (auto, hex) = (BodyForm::Auto, BodyForm::Hex);
        assert_eq!(
            looked("br", packed, auto),
            ["body · br, 9 B → 5 B · text", "hello"]
        );
        assert!(looked("br", packed, hex)[1].starts_with("00000000  68 65 6c "));
        assert_eq!(
            looked("gzip", b"plain", auto),
            [
                "body · gzip, 5 B: cannot be decompressed, shown as received · text",
                "plain"
            ]
        );
        let hostile = looked("\u{1b}[2J", b"plain", auto);
        assert_eq!(
            hostile[0],
            "body · ␛[2j, 5 B: unknown, shown as received · text"
        );
    }

    #[test]
    fn text_is_read_in_the_character_set_that_is_named() {
        let latin = "text/plain; charset=iso-8859-1";
        let name = b"Herr M\xfcller und S\xf6hne aus K\xf6ln am Rhein\x1b";
        assert_eq!(
            body_lines(latin, name),
            ["Herr Müller und Söhne aus Köln am Rhein\u{241b}"]
        );
        assert_eq!(
            body_lines("text/plain; charset=shift_jis", b"\x93\xfa\x96{"),
            ["日本"]
        );
        let hex = looked_at(latin, b"\xfc", BodyForm::Hex);
        assert!(hex[1].starts_with("00000000  fc "), "{hex:?}");
        let long = body_lines(latin, &vec![0xa4; MAX_SHOWN + 1]);
        assert_eq!(long[0].chars().count(), MAX_SHOWN);
    }

    #[test]
    fn a_huge_body_is_shown_in_part_and_says_so() {
        let body = "é".repeat(MAX_SHOWN);
        let lines = body_lines("text/plain", body.as_bytes());
        assert_eq!(lines.len(), 2);
        assert!(lines[1].contains("first MiB"), "{}", lines[1]);
    }
}
