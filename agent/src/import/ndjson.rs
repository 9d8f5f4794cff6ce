//! JSON lines of `docs/JSON.md`: what `events --json`, `show --json` and `listen --json` printed.

use std::borrow::Cow;
use std::io::{BufRead, Read as _};

use podtap_wire::WebhookRequest;
use serde::Deserialize;

use super::batch::Batches;
use super::check::{self, Wrong};
use super::{MAX_PIECE_BYTES, Problem};
use crate::export::json::{AttemptObject, EventObject, VERSION};
use crate::history::{EditedRequest, Past, PastEvent};

/// Reads every line up to the first that is wrong.
pub(super) fn read(mut source: impl BufRead, batches: &mut Batches) -> Result<(), Problem> {
    let (mut bytes, mut line) = (Vec::new(), 0);
    loop {
        bytes.clear();
        line += 1;
        let mut limited = (&mut source).take(MAX_PIECE_BYTES + 1);
        if limited
            .read_until(b'\n', &mut bytes)
            .map_err(Problem::Read)?
            == 0
        {
            return Ok(());
        }
        if bytes.len() as u64 > MAX_PIECE_BYTES {
            let wrong = Wrong::TooLarge;
            return Err(Problem::Line { line, wrong });
        }
        let text = bytes.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let past = parse(text).map_err(|wrong| Problem::Line { line, wrong })?;
        if batches.add(past).is_err() {
            return Ok(());
        }
    }
}

/// What every object says first.
#[derive(Deserialize)]
struct Head<'a> {
    v: Option<u64>,
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
}

/// What a line is; `None` for what is neither an event nor an attempt.
fn parse(line: &[u8]) -> Result<Option<Past>, Wrong> {
    let head: Head<'_> = serde_json::from_slice(line).map_err(|error| json(&error))?;
    let (Some(version), Some(kind)) = (head.v, head.r#type) else {
        return Err(Wrong::Untyped);
    };
    if version != u64::from(VERSION) {
        return Err(Wrong::Version(version));
    }
    match &*kind {
        "event" => {
            let object = serde_json::from_slice(line).map_err(|error| json(&error))?;
            event(object).map(Some)
        }
        "attempt" => {
            let object: AttemptObject<'_> =
                serde_json::from_slice(line).map_err(|error| json(&error))?;
            check::attempt(object).map(Past::Attempt).map(Some)
        }
        _ => Ok(None),
    }
}

fn event(object: EventObject<'_>) -> Result<Past, Wrong> {
    let (headers, body) = (object.headers.into_owned(), check::body(object.body)?);
    let EditedRequest {
        method,
        path,
        headers,
        body,
    } = check::request(object.method, object.path, headers, body)?;
    let attempts = object.attempts.unwrap_or_default().into_iter();
    Ok(Past::Event(PastEvent {
        id: object.id,
        request: WebhookRequest {
            received_at: object.received_at,
            method,
            path,
            headers,
            peer: object.peer,
            body,
        },
        attempts: attempts.map(check::attempt).collect::<Result<_, _>>()?,
        note: object.note.map(Cow::into_owned),
    }))
}

/// Every text is the first line of what was parsed: only the column helps.
fn json(error: &serde_json::Error) -> Wrong {
    let text = error.to_string();
    let what = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(what, _)| what);
    Wrong::Json(match error.column() {
        0 => what.to_owned(),
        column => format!("{what}, at column {column}"),
    })
}
