//! An entry of an archive → an event with its attempts. Pure.

use std::borrow::Cow;

use bytes::Bytes;
use jiff::Timestamp;
use podtap_wire::{EventId, HeaderList, WebhookRequest, latin1_bytes, valid};
use sha2::{Digest, Sha256};

use super::super::check::{self, Wrong};
use crate::export::har::{BASE64, Content, Entry, Pair, PostData, Request, Response};
use crate::export::json::duration_ms;
use crate::export::uri;
use crate::history::{Attempt, EditedRequest, Outcome, Past, PastEvent};

/// What an entry is; `None` where it is no request over HTTP.
pub(super) fn past(entry: Entry<'_>) -> Result<Option<Past>, Wrong> {
    let started_at: Timestamp = entry
        .started_date_time
        .parse()
        .map_err(|_| Wrong::Time("startedDateTime"))?;
    let Some(path) = path(&entry.request.url) else {
        return Ok(None);
    };
    let Request {
        method,
        headers,
        post_data,
        url,
        ..
    } = entry.request;
    let (headers, body) = (header_list(headers), post_data.map(posted).transpose()?);
    let podtap = entry.podtap;
    let path = podtap
        .as_ref()
        .and_then(|ours| ours.path.clone())
        .unwrap_or(path.into());
    let EditedRequest {
        method,
        path,
        headers,
        body,
    } = check::request(method, path, headers, body.unwrap_or_default())?;
    let request = WebhookRequest {
        received_at: Timestamp::from_millisecond(started_at.as_millisecond())
            .map_err(|_| Wrong::Time("startedDateTime"))?,
        method,
        path,
        headers,
        peer: podtap.as_ref().and_then(|ours| ours.peer),
        body,
    };
    let id = podtap.as_ref().and_then(|ours| ours.id);
    let id = id.unwrap_or_else(|| derived(started_at, &url, &request));
    let response = entry.response.map(outcome).transpose()?.flatten();
    let attempts = match podtap.and_then(|ours| ours.attempts) {
        Some(all) => {
            let all = all.into_iter().map(check::attempt);
            let mut all: Vec<Attempt> = all.collect::<Result<_, _>>()?;
            if let (Some(last), Some(answer)) = (all.last_mut(), response) {
                last.outcome = answer;
            }
            all
        }
        None => Vec::from_iter(response.map(|outcome| Attempt {
            event: id,
            number: 1,
            replay: false,
            imported: true,
            url: url.into_owned(),
            edited: None,
            started_at: request.received_at,
            duration: entry.time.and_then(duration_ms::parse).unwrap_or_default(),
            outcome,
        })),
    };
    Ok(Some(Past::Event(PastEvent {
        id,
        request,
        attempts,
        note: entry.comment.map(Cow::into_owned),
    })))
}

/// The URL's path with its query, as valid as a URI wants it; `None` where it is no URL of HTTP.
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

/// Each character a byte, as browsers have it; UTF-8 where a tool has decoded it. What is no header
/// of HTTP/1.1 is left out, such as what HTTP/2 has instead of a request line.
fn header_list(pairs: Vec<Pair<'_>>) -> HeaderList {
    let bytes = pairs.into_iter().map(|Pair { name, value }| {
        let value = value.into_owned();
        let bytes = latin1_bytes(value.clone()).unwrap_or_else(|| value.into());
        (name.into_owned(), bytes)
    });
    bytes
        .filter(|(name, value)| valid::is_header_name(name) && valid::is_header_value(value))
        .collect()
}

fn posted(data: PostData<'_>) -> Result<Bytes, Wrong> {
    let encoding = data.custom_encoding.or(data.encoding);
    match data.text {
        Some(text) if !text.is_empty() || data.params.is_empty() => {
            decoded(text, encoding.as_deref())
        }
        _ => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for Pair { name, value } in &data.params {
                form.append_pair(name, value);
            }
            check::sized(form.finish().into())
        }
    }
}

fn decoded(text: Cow<'_, str>, encoding: Option<&str>) -> Result<Bytes, Wrong> {
    match encoding {
        None | Some("") => check::sized(text.into_owned().into()),
        Some(encoding) if encoding.eq_ignore_ascii_case(BASE64) => check::base64(&text),
        Some(_) => Err(Wrong::Encoding),
    }
}

/// What came of a request; `None` where nothing did.
fn outcome(response: Response<'_>) -> Result<Option<Outcome>, Wrong> {
    if response.status <= 0 {
        let error = response.error.map(Cow::into_owned);
        return Ok(error.map(|error| Outcome::Failed { error }));
    }
    let Content {
        size,
        text,
        encoding,
        ..
    } = response.content;
    let body = text
        .map(|text| decoded(text, encoding.as_deref()))
        .transpose()?;
    let body = body.unwrap_or_default();
    let kept = body.len() as u64;
    Ok(Some(Outcome::Answered {
        status: check::status(response.status)?,
        headers: header_list(response.headers),
        body,
        body_bytes: size
            .and_then(|size| u64::try_from(size).ok())
            .unwrap_or(0)
            .max(kept),
    }))
}

/// The id of a request that has none: the same for the same request at the same time.
fn derived(started_at: Timestamp, url: &str, request: &WebhookRequest) -> EventId {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(&started_at.as_nanosecond().to_be_bytes());
    for text in [&*request.method, url] {
        part(text.as_bytes());
    }
    for (name, value) in request.headers.iter() {
        part(name.as_bytes());
        part(value);
    }
    part(&request.body);
    let digest = hash.finalize();
    let random = digest
        .iter()
        .take(16)
        .fold(0, |all, byte| (all << 8) | u128::from(*byte));
    EventId::from_parts(request.received_at, random)
}
