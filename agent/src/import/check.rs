//! Checks what may enter a history: converts the fields of a file to requests and attempts that
//! could have been received, or returns what is wrong. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use podtap_wire::{EventId, HeaderList, InvalidRequest, latin1_bytes, limits, valid};
use serde_json::Value;

use super::words::Words;
use crate::amount;
use crate::export::json::duration_ms;
use crate::history::{Attempt, Duplicate, EditedRequest, Insight, Outcome, Position, Verification};

/// Why a line or an entry cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnusableEntry {
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    Json(String),
    /// It is JSON of another type.
    #[error("it is not a JSON object")]
    NoObject,
    /// It is larger than any event.
    #[error("it is larger than {}", amount::size(super::MAX_PIECE_BYTES))]
    TooLarge,
    /// A later Podtap wrote it.
    #[error("its `v` is {0}, and this podtap reads {known}", known = crate::export::json::VERSION)]
    Version(i64),
    /// It does not name its type.
    #[error("it has no `type`, so podtap did not write it")]
    Untyped,
    /// It does not contain the request's URL.
    #[error("it has no `{0}`")]
    Missing(&'static str),
    /// It is a WebSocket, a file, or an extension of the browser.
    #[error("its URL does not begin with http:// or https://")]
    NotHttp,
    /// It cannot have been received over HTTP.
    #[error(transparent)]
    Request(#[from] InvalidRequest),
    /// The body is too large.
    #[error("a body is larger than {}", amount::size(limits::MAX_BODY_BYTES as u64))]
    BodySize,
    /// The body is not valid base64.
    #[error("a body is not base64")]
    Base64,
    /// The encoding is unknown.
    #[error("a body has an encoding other than base64")]
    Encoding,
}

/// Returns the parts of a request that could have been received. The default method is that of a
/// webhook, or of a request without a body.
pub(super) fn request(
    method: Option<String>,
    path: String,
    headers: HeaderList,
    body: Bytes,
) -> Result<EditedRequest, UnusableEntry> {
    let usual = if body.is_empty() { "GET" } else { "POST" };
    let method = method.unwrap_or_else(|| usual.to_owned());
    valid::method(&method)?;
    valid::path(&path)?;
    valid::headers(&headers)?;
    Ok(EditedRequest {
        method,
        path,
        headers,
        body: check_size(body)?,
    })
}

/// Parses pairs as in `docs/JSON.md`, or objects as in HAR. Each character is a byte, as in
/// browsers, or UTF-8 if a tool has decoded it. Invalid headers of HTTP/1.1 are left out, such as
/// HTTP/2's replacement of the request line.
pub(super) fn headers(list: Option<Vec<Value>>) -> HeaderList {
    let pairs = list.unwrap_or_default().into_iter().filter_map(pair);
    let bytes = pairs.map(|(name, value)| {
        let bytes = latin1_bytes(value.clone()).unwrap_or_else(|| value.into());
        (name, bytes)
    });
    bytes
        .filter(|(name, value)| valid::is_header_name(name) && valid::is_header_value(value))
        .collect()
}

/// Returns a name with its value, which may be missing.
pub(super) fn pair(value: Value) -> Option<(String, String)> {
    match value {
        Value::Array(mut list) => match list.as_mut_slice() {
            [Value::String(name), Value::String(value)] => {
                Some((std::mem::take(name), std::mem::take(value)))
            }
            _ => None,
        },
        other => {
            let mut words = Words::of(other)?;
            Some((words.text("name")?, words.text("value").unwrap_or_default()))
        }
    }
}

/// Returns the body from the field that contains it; empty if there is none.
pub(super) fn body(words: &mut Words) -> Result<Bytes, UnusableEntry> {
    match (words.text("body"), words.text("body_base64")) {
        (Some(text), _) => check_size(text.into()),
        (None, Some(text)) => base64(&text),
        (None, None) => Ok(Bytes::new()),
    }
}

pub(super) fn base64(text: &str) -> Result<Bytes, UnusableEntry> {
    let bytes = STANDARD.decode(text).map_err(|_| UnusableEntry::Base64)?;
    check_size(bytes.into())
}

pub(super) fn check_size(body: Bytes) -> Result<Bytes, UnusableEntry> {
    if body.len() > limits::MAX_BODY_BYTES {
        return Err(UnusableEntry::BodySize);
    }
    Ok(body)
}

pub(super) fn status(status: Option<i64>) -> Option<u16> {
    let status = u16::try_from(status?).ok();
    status.filter(|status| (100..=999).contains(status))
}

/// Returns a time to the millisecond, which is the precision of the history.
pub(super) fn time(words: &mut Words, name: &str) -> Option<Timestamp> {
    let time: Timestamp = words.parse(name)?;
    Timestamp::from_millisecond(time.as_millisecond()).ok()
}

/// Returns what another history had found out about an event.
pub(super) fn marks(words: &mut Words) -> Insight {
    let mut verified = words.words("verified");
    let (duplicate, late) = (words.words("duplicate"), words.words("late"));
    Insight {
        verification: match verified.flag("ok") {
            Some(true) => Some(Verification::Validated),
            Some(false) => Some(Verification::Failed {
                reason: verified.text("error").unwrap_or_default(),
            }),
            None => None,
        },
        duplicate: duplicate.flag("same_hook").map(|same_hook| Duplicate {
            of: Position::default(),
            same_hook,
        }),
        missing: words.natural("missing").unwrap_or_default(),
        late: late.natural("after_revision"),
        repaired: words.flag("repaired").unwrap_or_default(),
        place: None,
        hold: None,
    }
}

/// Returns an event's attempts that have an outcome.
pub(super) fn attempts(list: Vec<Value>, event: EventId, since: Timestamp) -> Vec<Attempt> {
    let each = list.into_iter().filter_map(Words::of);
    let each = (1..).zip(each);
    each.filter_map(|(number, words)| attempt(words, event, number, since))
        .collect()
}

/// Returns an attempt without the answer's headers and body; `None` if it has no outcome.
pub(super) fn attempt(
    mut words: Words,
    event: EventId,
    number: u32,
    since: Timestamp,
) -> Option<Attempt> {
    let outcome = match (status(words.whole("status")), words.text("error")) {
        (Some(status), _) => Outcome::Answered {
            status,
            headers: HeaderList::default(),
            body: Bytes::new(),
            body_bytes: 0,
        },
        (None, Some(error)) => Outcome::Failed { error },
        (None, None) => return None,
    };
    let stated = words.whole("attempt").and_then(|it| u32::try_from(it).ok());
    let duration = words.number("duration_ms").and_then(duration_ms::parse);
    Some(Attempt {
        event,
        number: stated.unwrap_or(number).max(1),
        replay: words.flag("replay").unwrap_or_default(),
        imported: true,
        url: words.text("url").unwrap_or_default(),
        target: words.text("target"),
        edited: edited_request(words.words("edited")),
        started_at: time(&mut words, "started_at").unwrap_or(since),
        duration: duration.unwrap_or_default(),
        outcome,
    })
}

/// Returns the request that was sent instead of the event; `None` if it is unknown.
fn edited_request(mut words: Words) -> Option<EditedRequest> {
    let path = words.text("path")?;
    let (method, headers) = (words.text("method"), headers(words.list("headers")));
    let body = body(&mut words).ok()?;
    request(method, path, headers, body).ok()
}
