//! Builds the entry of an archive from an event and its attempts.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use podtap_wire::{HeaderList, latin1};

use super::super::json::{self, Findings, duration_ms, millis};
use super::super::uri;
use super::{
    BASE64, Cache, HarContent, HarEntry, HarPair, HarRequest, HarResponse, Podtap, PostData,
    Timings,
};
use crate::history::{Attempt, Event, Outcome};
use crate::target::Target;

/// The type of a body if the sender did not set one.
const UNKNOWN_TYPE: &str = "application/octet-stream";

impl<'a> HarEntry<'a> {
    /// Builds the entry of an event with its attempts. Its URL is that of the service that answered
    /// last, or of `target` if none did.
    pub fn new(event: &'a Event, attempts: &'a [Attempt], target: &Target) -> Self {
        let (request, last) = (&event.request, attempts.last());
        let time = last.map_or(0.0, |last| duration_ms::number(last.duration));
        let received_at = millis::text(request.received_at);
        let answered = last.and_then(|last| {
            let edited = last.edited.as_ref();
            let path = edited.map_or(&request.path, |edited| &edited.path);
            Target::of_attempt(&last.url, path)
        });
        let target = answered.as_ref().unwrap_or(target);
        let url = target.with_path(&uri::path(&request.path));
        Self {
            started_date_time: received_at.clone().into(),
            time: Some(time),
            request: HarRequest {
                method: Cow::Borrowed(&request.method),
                url: url.into(),
                http_version: "HTTP/1.1",
                cookies: [],
                headers: pairs(&request.headers),
                query_string: query(&request.path),
                post_data: PostData::of(&request.headers, &request.body),
                headers_size: -1,
                body_size: request.body.len(),
            },
            response: Some(HarResponse::of(last.map(|last| &last.outcome))),
            cache: Cache {},
            // Only the total time is known: sending and receiving are part of it.
            timings: Timings {
                wait: time,
                ..Timings::default()
            },
            comment: event.note.as_deref().map(Cow::Borrowed),
            podtap: Some(Podtap {
                id: Some(event.id),
                seq: event.place_in_queue(),
                path: Some(Cow::Borrowed(&request.path)),
                peer: request.peer,
                event: event.podio.as_ref().map(|podio| podio.kind.as_str().into()),
                received_at: Some(received_at.into()),
                found: Findings::from(&event.insight),
                attempts: Some(json::objects(attempts)),
            }),
        }
    }
}

impl<'a> PostData<'a> {
    fn of(headers: &HeaderList, body: &'a [u8]) -> Option<Self> {
        let (text, encoding) = text(body)?;
        Some(Self {
            mime_type: mime_type(headers),
            text: Some(text),
            custom_encoding: encoding.map(Cow::Borrowed),
        })
    }
}

impl<'a> HarResponse<'a> {
    fn of(outcome: Option<&'a Outcome>) -> Self {
        let mut response = Self {
            http_version: "HTTP/1.1",
            headers_size: -1,
            content: HarContent {
                size: Some(0),
                mime_type: UNKNOWN_TYPE.into(),
                ..HarContent::default()
            },
            ..Self::default()
        };
        match outcome {
            None => {}
            Some(Outcome::Failed { error }) => response.error = Some(Cow::Borrowed(error)),
            Some(Outcome::Answered {
                status,
                headers,
                body,
                body_bytes,
            }) => {
                response.status = i64::from(*status);
                response.headers = pairs(headers);
                response.body_size = *body_bytes;
                let location = headers.get("location");
                response.redirect_url = location.map(|value| latin1(value)).unwrap_or_default();
                response.content.size = i64::try_from(*body_bytes).ok();
                response.content.mime_type = mime_type(headers);
                if let Some((text, encoding)) = text(body) {
                    response.content.text = Some(text);
                    response.content.encoding = encoding.map(Cow::Borrowed);
                }
            }
        }
        response
    }
}

fn pairs(headers: &HeaderList) -> Vec<HarPair<'_>> {
    headers
        .iter()
        .map(|(name, value)| HarPair {
            name: name.into(),
            value: latin1(value),
        })
        .collect()
}

fn query(path: &str) -> Vec<HarPair<'static>> {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| HarPair {
            name: name.into_owned().into(),
            value: value.into_owned().into(),
        })
        .collect()
}

fn mime_type<'h>(headers: &HeaderList) -> Cow<'h, str> {
    let value = headers.get("content-type");
    value.map_or(UNKNOWN_TYPE.into(), |value| {
        latin1(value).into_owned().into()
    })
}

/// Returns a body as text, or as base64 if it is not text; `None` if there is no body.
fn text(bytes: &[u8]) -> Option<(Cow<'_, str>, Option<&'static str>)> {
    if bytes.is_empty() {
        return None;
    }
    Some(match std::str::from_utf8(bytes) {
        Ok(text) => (text.into(), None),
        Err(_) => (STANDARD.encode(bytes).into(), Some(BASE64)),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use jiff::Timestamp;
    use podtap_wire::{EventId, WebhookRequest};
    use serde_json::{Value, json};

    use super::*;
    use crate::history::{DeliveryState, Insight, Position};

    fn entry(body: &'static [u8], outcome: Option<Outcome>) -> Value {
        let id = EventId::from_parts(Timestamp::UNIX_EPOCH, 1);
        let event = Event {
            position: Position(1),
            id,
            seq: None,
            request: WebhookRequest {
                received_at: Timestamp::UNIX_EPOCH,
                method: "POST".to_owned(),
                path: "/{hook}?a=b%20c".to_owned(),
                headers: [("content-type", &b"text/\xff"[..])].into_iter().collect(),
                peer: None,
                body: Bytes::from_static(body),
            },
            podio: None,
            state: DeliveryState::Held,
            insight: Insight::default(),
            note: None,
        };
        let attempts = Vec::from_iter(outcome.map(|outcome| Attempt {
            event: id,
            number: 1,
            replay: false,
            imported: false,
            url: "http://localhost:3000/".to_owned(),
            target: None,
            edited: None,
            started_at: Timestamp::UNIX_EPOCH,
            duration: Duration::from_micros(1_500),
            outcome,
        }));
        serde_json::to_value(HarEntry::new(&event, &attempts, &Target::default())).unwrap()
    }

    #[test]
    fn a_request_keeps_its_bytes_and_has_a_valid_url() {
        let request = &entry(b"\xff", None)["request"];
        assert_eq!(request["url"], "http://localhost:3000/%7Bhook%7D?a=b%20c");
        assert_eq!(
            request["queryString"],
            json!([{ "name": "a", "value": "b c" }])
        );
        assert_eq!(request["headers"][0]["value"], "text/\u{ff}");
        let posted = json!({ "mimeType": "text/\u{ff}", "text": "/w==", "_encoding": "base64" });
        assert_eq!(request["postData"], posted);
        let text = &entry(b"a=1", None)["request"]["postData"];
        assert_eq!(text, &json!({ "mimeType": "text/\u{ff}", "text": "a=1" }));
        assert!(entry(b"", None)["request"].get("postData").is_none());
    }

    #[test]
    fn a_response_is_the_last_answer_or_says_why_there_is_none() {
        let none = entry(b"", None);
        assert_eq!(
            (&none["time"], &none["response"]["status"]),
            (&json!(0.0), &json!(0))
        );
        assert!(none["response"].get("_error").is_none());

        let error = "connection refused".to_owned();
        let failed = entry(b"", Some(Outcome::Failed { error }));
        assert_eq!(failed["response"]["_error"], "connection refused");
        assert_eq!(failed["time"], failed["timings"]["wait"]);

        let answered = entry(
            b"",
            Some(Outcome::Answered {
                status: 302,
                headers: [("Location", "/x")].into_iter().collect(),
                body: Bytes::from_static(b"\xfe"),
                body_bytes: 9,
            }),
        );
        let response = &answered["response"];
        assert_eq!(
            (&response["status"], &response["redirectURL"]),
            (&json!(302), &json!("/x"))
        );
        let content = &response["content"];
        assert_eq!(
            (&content["encoding"], &content["size"]),
            (&json!("base64"), &json!(9))
        );
        assert_eq!(
            (&answered["time"], &response["bodySize"]),
            (&json!(1.5), &json!(9))
        );
        assert_eq!(answered["_podtap"]["attempts"][0]["status"], 302);
    }
}
