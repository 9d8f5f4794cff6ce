//! Reads the JSON lines of `docs/JSON.md`: the output of `events --json`, `show --json` and
//! `listen --json`.

use std::io::{BufRead, Read as _};

use podtap_wire::{EventId, WebhookRequest};
use serde_json::Value;

use super::batch::{ArchivePlace, Batches};
use super::check::{self, UnusableEntry};
use super::identity::{derive_id, time_of};
use super::words::Words;
use super::{MAX_PIECE_BYTES, Problem};
use crate::export::json::VERSION;
use crate::history::{EditedRequest, ImportedEvent, ImportedRecord};

/// Reads every line; reports the ones that cannot be used.
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
        let is_whole = bytes.ends_with(b"\n");
        let past = if bytes.len() as u64 > MAX_PIECE_BYTES {
            if !is_whole {
                source.skip_until(b'\n').map_err(Problem::Read)?;
            }
            Err(UnusableEntry::TooLarge)
        } else if bytes.trim_ascii().is_empty() {
            continue;
        } else {
            parse(&String::from_utf8_lossy(bytes.trim_ascii()))
        };
        if batches.add(ArchivePlace::Line(line), past).is_err() {
            return Ok(());
        }
    }
}

/// Converts a line; `None` if it is neither an event nor an attempt.
fn parse(line: &str) -> Result<Option<ImportedRecord>, UnusableEntry> {
    let value: Value = serde_json::from_str(line).map_err(|error| json(&error))?;
    let mut words = Words::of(value).ok_or(UnusableEntry::NoObject)?;
    let kind = words.text("type").ok_or(UnusableEntry::Untyped)?;
    match words.whole("v") {
        Some(version) if version != i64::from(VERSION) => {
            return Err(UnusableEntry::Version(version));
        }
        _ => {}
    }
    match &*kind {
        "event" => event(words).map(Some),
        "attempt" => {
            let id: EventId = words.parse("id").ok_or(UnusableEntry::Missing("id"))?;
            let attempt = check::attempt(words, id, 1, time_of(Some(id)));
            let attempt = attempt.ok_or(UnusableEntry::Missing("status"))?;
            Ok(Some(ImportedRecord::Attempt(attempt)))
        }
        _ => Ok(None),
    }
}

fn event(mut words: Words) -> Result<ImportedRecord, UnusableEntry> {
    let path = words.text("path").ok_or(UnusableEntry::Missing("path"))?;
    let (headers, body) = (
        check::headers(words.list("headers")),
        check::body(&mut words)?,
    );
    let EditedRequest {
        method,
        path,
        headers,
        body,
    } = check::request(words.text("method"), path, headers, body)?;
    let id = words.parse("id");
    let received_at = check::time(&mut words, "received_at").unwrap_or_else(|| time_of(id));
    let request = WebhookRequest {
        received_at,
        method,
        path,
        headers,
        peer: words.parse("peer"),
        body,
    };
    let id = id.unwrap_or_else(|| derive_id(received_at, &request.path, &request));
    let attempts = words.list("attempts").unwrap_or_default();
    Ok(ImportedRecord::Event(ImportedEvent {
        id,
        request,
        attempts: check::attempts(attempts, id, received_at),
        note: words.text("note"),
        marks: check::marks(&mut words),
    }))
}

/// Returns the error without its line, because each
/// text is parsed separately: only the column helps.
fn json(error: &serde_json::Error) -> UnusableEntry {
    let text = error.to_string();
    let what = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(what, _)| what);
    UnusableEntry::Json(match error.column() {
        0 => what.to_owned(),
        column => format!("{what}, at column {column}"),
    })
}
