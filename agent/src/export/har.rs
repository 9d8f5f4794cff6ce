//! Events with the last answer to each as an HTTP Archive (HAR 1.2, as the Web Performance Working
//! Group last published it), which browsers and proxies import.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use podtap_wire::HeaderList;
use serde_json::{Value, json};

use crate::history::{Attempt, Event, Outcome};

/// An archive of these events; `base` is the URL in front of their paths.
pub fn har<'a>(
    events: impl IntoIterator<Item = (&'a Event, Option<&'a Attempt>)>,
    base: &str,
) -> Value {
    let entries: Vec<Value> = events
        .into_iter()
        .map(|(event, attempt)| entry(event, attempt, base))
        .collect();
    json!({
        "log": {
            "version": "1.2",
            "creator": { "name": "podtap", "version": env!("CARGO_PKG_VERSION") },
            "entries": entries,
        }
    })
}

fn entry(event: &Event, attempt: Option<&Attempt>, base: &str) -> Value {
    let request = &event.request;
    let millis = attempt.map_or(0.0, |attempt| attempt.duration.as_secs_f64() * 1_000.0);
    let url = format!("{base}{}", request.path);
    json!({
        "startedDateTime": request.received_at.to_string(),
        "time": millis,
        "request": {
            "method": request.method,
            "url": url,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": headers(&request.headers),
            "queryString": query(&request.path),
            "postData": body(&request.headers, &request.body),
            "headersSize": -1,
            "bodySize": request.body.len(),
        },
        "response": response(attempt),
        "cache": {},
        "timings": { "send": 0, "wait": millis, "receive": 0 },
        "_podtap": { "id": event.id, "seq": event.seq },
    })
}

/// The answer; status 0 is HAR's way to say that there was none.
fn response(attempt: Option<&Attempt>) -> Value {
    let none = HeaderList::default();
    let (status, sent, content, size, error) = match attempt.map(|attempt| &attempt.outcome) {
        Some(Outcome::Answered {
            status,
            headers,
            body,
            body_bytes,
        }) => (*status, headers, body.as_ref(), *body_bytes, None),
        Some(Outcome::Failed { error }) => (0, &none, &b""[..], 0, Some(error)),
        None => (0, &none, &b""[..], 0, None),
    };
    let mut content = body(sent, content);
    if let Some(fields) = content.as_object_mut() {
        fields.insert("size".to_owned(), size.into());
        fields.remove("params");
    }
    json!({
        "status": status,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": headers(sent),
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": size,
        "_error": error,
    })
}

fn headers(headers: &HeaderList) -> Vec<Value> {
    let pair = |(name, value): (&str, &bytes::Bytes)| json!({ "name": name, "value": String::from_utf8_lossy(value) });
    headers.iter().map(pair).collect()
}

fn query(path: &str) -> Vec<Value> {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}

/// A body as text, or as base64 where it is none.
fn body(headers: &HeaderList, bytes: &[u8]) -> Value {
    let mime = headers
        .get("content-type")
        .map(|value| String::from_utf8_lossy(value));
    let mime = mime.unwrap_or("application/octet-stream".into());
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "mimeType": mime, "params": [], "text": text }),
        Err(_) => json!({
            "mimeType": mime,
            "params": [],
            "text": STANDARD.encode(bytes),
            "encoding": "base64",
        }),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use podtap_wire::{EventId, WebhookRequest};

    use super::*;
    use crate::history::{DeliveryState, Insight, Position};

    #[test]
    fn an_archive_holds_what_har_1_2_requires() {
        let event = Event {
            position: Position(1),
            id: EventId::from_parts(Timestamp::UNIX_EPOCH, 1),
            seq: None,
            request: WebhookRequest {
                received_at: Timestamp::UNIX_EPOCH,
                method: "POST".to_owned(),
                path: "/hook?a=b%20c".to_owned(),
                headers: [("content-type", "text/plain")].into_iter().collect(),
                peer: None,
                body: bytes::Bytes::from_static(b"\xff"),
            },
            podio: None,
            state: DeliveryState::Held,
            insight: Insight::default(),
            note: None,
        };

        let archive = har([(&event, None)], "http://localhost:3000");

        let entry = &archive["log"]["entries"][0];
        for field in [
            "startedDateTime",
            "time",
            "request",
            "response",
            "cache",
            "timings",
        ] {
            assert!(!entry[field].is_null(), "{field}");
        }
        let request = &entry["request"];
        assert_eq!(request["url"], "http://localhost:3000/hook?a=b%20c");
        assert_eq!(request["queryString"][0]["value"], "b c");
        assert_eq!(
            (
                &request["postData"]["text"],
                &request["postData"]["encoding"]
            ),
            (&json!("/w=="), &json!("base64"))
        );
        assert_eq!(entry["response"]["status"], 0);
    }
}
