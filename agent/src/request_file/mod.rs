//! Converts a request to a file that a person edits: the request line, headers, an empty line, the
//! body. It writes and parses the file, and compares the request with the original.

mod difference;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use podtap_wire::WebhookRequest;

pub use difference::{DiffLine, DiffSign, difference};

use crate::decoded::is_text;
use crate::history::EditedRequest;

/// The line that says that the body is in base64, because it is not text.
const BASE64: &str = "# body: base64";

/// The separator between a header's name and a value in base64, which is not text.
const BASE64_VALUE: &str = "::";

/// The beginning of the file.
const HEAD: &str =
    "# Edit the request, save and leave the editor; you see the difference before it is sent.
# A header `name:: value` has its value in base64, because it is not text.
# An empty file sends nothing. Lines that begin with # before the request are ignored.
";

/// An error in an edited file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct RequestFileError {
    line: usize,
    reason: &'static str,
}

/// Returns the file for a request, with instructions at
/// the front, for an editor that shows nothing else.
pub fn write(request: &WebhookRequest) -> String {
    format!("{HEAD}{}", text(request))
}

/// Returns the part of the file that is the request itself.
pub fn text(request: &WebhookRequest) -> String {
    let mut file = String::new();
    let is_text = is_text(&request.body) && !request.body.contains(&b'\r');
    if !is_text {
        file.push_str(BASE64);
        file.push('\n');
    }
    // Writing to a String cannot fail.
    let _ = writeln!(file, "{} {}", request.method, request.path);
    for (name, value) in request.headers.iter() {
        let _ = match header_text(value) {
            Some(text) => writeln!(file, "{name}: {text}"),
            None => writeln!(file, "{name}{BASE64_VALUE} {}", STANDARD.encode(value)),
        };
    }
    file.push('\n');
    match std::str::from_utf8(&request.body) {
        Ok(text) if is_text => file.push_str(text),
        _ => file.push_str(&STANDARD.encode(&request.body)),
    }
    file.push('\n');
    file
}

/// Returns a header's value for a line; `None` if parsing the line would return another value.
fn header_text(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    let is_kept = is_text(value) && text.trim() == text && !text.starts_with(':');
    (is_kept && !text.contains(['\n', '\r'])).then_some(text)
}

/// Returns the request in an edited file; `None` if it contains none. The line break at the end of
/// the file comes from the editor and is not part of the body.
///
/// # Errors
/// If a line is invalid.
pub fn parse(file: &str) -> Result<Option<EditedRequest>, RequestFileError> {
    let mut lines = file
        .split('\n')
        .enumerate()
        .map(|(index, line)| (index + 1, line));
    let mut base64 = false;
    let (number, first) = loop {
        match lines.next() {
            None => return Ok(None),
            Some((_, line)) if line.trim_end() == BASE64 => base64 = true,
            Some((_, line)) if line.starts_with('#') || line.trim().is_empty() => {}
            Some((number, line)) => break (number, line.trim_end()),
        }
    };
    let wrong = |line, reason| RequestFileError { line, reason };
    let (method, path) = first
        .split_once(' ')
        .ok_or(wrong(number, "the request begins with a method and a path"))?;
    if !path.starts_with('/') || path.contains(' ') {
        return Err(wrong(number, "a path begins with / and has no spaces"));
    }
    let mut headers = Vec::new();
    let body = loop {
        let Some((number, line)) = lines.next() else {
            break String::new();
        };
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            break lines
                .by_ref()
                .map(|(_, line)| line)
                .collect::<Vec<_>>()
                .join("\n");
        }
        let (name, value) = line
            .split_once(':')
            .ok_or(wrong(number, "a header is `name: value`"))?;
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(wrong(number, "a header's name has no spaces"));
        }
        let value = match value.strip_prefix(':') {
            Some(encoded) => STANDARD
                .decode(encoded.trim())
                .map_err(|_| wrong(number, "what follows `::` is not base64"))?,
            None => value.trim().as_bytes().to_vec(),
        };
        headers.push((name.to_owned(), value));
    };
    let body = body.strip_suffix('\n').unwrap_or(&body);
    let body = if base64 {
        let digits: String = body.split_whitespace().collect();
        let end = file.lines().count();
        STANDARD
            .decode(digits)
            .map_err(|_| wrong(end, "the body is not base64"))?
    } else {
        body.as_bytes().to_vec()
    };
    Ok(Some(EditedRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: headers.into_iter().collect(),
        body: body.into(),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(body: &[u8]) -> WebhookRequest {
        let headers = [("content-type", "text/plain"), ("x-own", "1")];
        WebhookRequest {
            received_at: jiff::Timestamp::UNIX_EPOCH,
            method: "POST".to_owned(),
            path: "/podio/hook?a=b".to_owned(),
            headers: headers.into_iter().collect(),
            peer: None,
            body: body.to_vec().into(),
        }
    }

    #[test]
    fn a_file_that_is_not_changed_holds_the_same_request() {
        let request = request(b"type=item.update&item_id=1");
        let edited = parse(&write(&request)).unwrap().unwrap();
        assert_eq!((edited.method, edited.path), (request.method, request.path));
        assert_eq!(
            (edited.headers, edited.body),
            (request.headers, request.body)
        );
    }

    proptest! {
        #[test]
        fn any_header_survives_the_file(
            value in prop_oneof![
                proptest::collection::vec(prop_oneof![Just(b'\t'), 32..=126_u8, 128..=255_u8], 0..30),
                "[ :=]{0,3}[a-zü]{0,5}".prop_map(String::into_bytes),
            ],
        ) {
            let mut request = request(b"type=item.update");
            request.headers = [("X-Firma", value), ("x-b", b"M\xfcller".to_vec())].into_iter().collect();
            let edited = parse(&write(&request)).unwrap().unwrap();
            prop_assert_eq!(edited.headers, request.headers);
        }
    }

    #[test]
    fn an_emptied_file_holds_nothing() {
        for file in ["", "\n", HEAD, "# x\n\n#y\n"] {
            assert_eq!(parse(file), Ok(None), "{file:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (file, line) in [
            ("POST\n", 1),
            ("# x\nPOST hook\n", 2),
            ("GET /\nno header\n\n", 2),
        ] {
            assert_eq!(parse(file).unwrap_err().line, line, "{file:?}");
        }
    }

    proptest! {
        #[test]
        fn any_body_survives_the_file(
            body in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..80),
                "[ -~\n]{0,80}".prop_map(String::into_bytes),
            ],
        ) {
            let request = request(&body);
            let edited = parse(&write(&request)).unwrap().unwrap();
            prop_assert_eq!(edited.body, request.body);
        }
    }
}
