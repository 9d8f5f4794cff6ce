//! Converts an entry of an archive to an event with its attempts. Pure.

use bytes::Bytes;
use jiff::Timestamp;
use podtap_wire::{EventId, WebhookRequest, valid};
use serde_json::Value;

use super::super::check::{self, UnusableEntry};
use super::super::identity::{derive_id, time_of};
use super::super::words::Words;
use crate::export::har::BASE64;
use crate::export::json::duration_ms;
use crate::export::uri;
use crate::history::{Attempt, EditedRequest, ImportedEvent, ImportedRecord, Outcome};

/// Converts an entry. It must have the URL of its request; every other field may be missing.
pub(super) fn read_entry(entry: Value) -> Result<ImportedRecord, UnusableEntry> {
    let mut entry = Words::of(entry).ok_or(UnusableEntry::NoObject)?;
    let (mut sent, mut ours) = (entry.words("request"), entry.words("_podtap"));
    let url = sent.text("url");
    let known = ours.text("path").filter(|path| valid::path(path).is_ok());
    let path = match (&url, known) {
        (Some(url), known) => {
            let of_url = path(url).ok_or(UnusableEntry::NotHttp);
            known.map_or(of_url, Ok)?
        }
        (None, Some(known)) => known,
        (None, None) => return Err(UnusableEntry::Missing("request.url")),
    };
    let url = url.unwrap_or_default();
    let (headers, body) = (
        check::headers(sent.list("headers")),
        posted_body(sent.words("postData"))?,
    );
    let EditedRequest {
        method,
        path,
        headers,
        body,
    } = check::request(sent.text("method"), path, headers, body)?;
    let id: Option<EventId> = ours.parse("id");
    // To the nanosecond, since an id is derived from it.
    let started_at: Option<Timestamp> = entry.parse("startedDateTime");
    let started_at = started_at.unwrap_or_else(|| time_of(id));
    let received_at = Timestamp::from_millisecond(started_at.as_millisecond());
    let request = WebhookRequest {
        received_at: received_at.unwrap_or(started_at),
        method,
        path,
        headers,
        peer: ours.parse("peer"),
        body,
    };
    let id = id.unwrap_or_else(|| derive_id(started_at, &url, &request));
    let response = outcome(entry.words("response"));
    let attempts = match ours.list("attempts") {
        Some(all) => {
            let mut all = check::attempts(all, id, request.received_at);
            if let (Some(last), Some(answer)) = (all.last_mut(), response) {
                last.outcome = answer;
            }
            all
        }
        None => Vec::from_iter(response.map(|outcome| {
            Attempt {
                event: id,
                number: 1,
                replay: false,
                imported: true,
                url,
                target: None,
                edited: None,
                started_at: request.received_at,
                duration: entry
                    .number("time")
                    .and_then(duration_ms::parse)
                    .unwrap_or_default(),
                outcome,
            }
        })),
    };
    Ok(ImportedRecord::Event(ImportedEvent {
        id,
        request,
        attempts,
        note: entry.text("comment"),
        marks: check::marks(&mut ours),
    }))
}

/// Returns the URL's path with its query as a valid URI; `None` if it is not a URL of HTTP.
fn path(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if !["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
    {
        return None;
    }
    let path = rest
        .find(['/', '?', '#'])
        .and_then(|at| rest.get(at..))
        .unwrap_or_default();
    let path = path.split('#').next().unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    Some(format!("{slash}{}", uri::path(path)))
}

fn posted_body(mut data: Words) -> Result<Bytes, UnusableEntry> {
    let encoding = data.text("_encoding").or_else(|| data.text("encoding"));
    let params = data.list("params").unwrap_or_default();
    match data.text("text") {
        Some(text) if !text.is_empty() || params.is_empty() => {
            decode_text(text, encoding.as_deref())
        }
        _ => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in params.into_iter().filter_map(check::pair) {
                form.append_pair(&name, &value);
            }
            check::check_size(form.finish().into())
        }
    }
}

fn decode_text(text: String, encoding: Option<&str>) -> Result<Bytes, UnusableEntry> {
    match encoding {
        None | Some("") => check::check_size(text.into()),
        Some(encoding) if encoding.eq_ignore_ascii_case(BASE64) => check::base64(&text),
        Some(_) => Err(UnusableEntry::Encoding),
    }
}

/// Returns the outcome of a request; `None` if there is none or it is unknown.
fn outcome(mut response: Words) -> Option<Outcome> {
    let status = response.whole("status").filter(|status| *status > 0);
    if status.is_none() {
        let error = response.text("_error").filter(|error| !error.is_empty());
        return error.map(|error| Outcome::Failed { error });
    }
    let mut content = response.words("content");
    let (text, encoding) = (content.text("text"), content.text("encoding"));
    // An answer with an unreadable body is still an answer.
    let body = text.and_then(|text| decode_text(text, encoding.as_deref()).ok());
    let body = body.unwrap_or_default();
    let size = content.whole("size");
    let size = size.and_then(|size| u64::try_from(size).ok());
    Some(Outcome::Answered {
        status: check::status(status)?,
        headers: check::headers(response.list("headers")),
        body_bytes: size.unwrap_or(0).max(body.len() as u64),
        body,
    })
}
