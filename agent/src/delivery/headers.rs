//! Builds the headers for the local service: Podio's end-to-end headers, the sender's address, and
//! the event and attempt (invariant 3). Pure.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use podtap_wire::hop::is_same;
use podtap_wire::{EventId, HeaderList, OneHop};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const EVENT_ID: HeaderName = HeaderName::from_static("podtap-event-id");
const ATTEMPT: HeaderName = HeaderName::from_static("podtap-attempt");
const REPLAY: HeaderName = HeaderName::from_static("podtap-replay");

/// The event and attempt of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttemptMarks {
    pub(crate) event: EventId,
    pub(crate) attempt: u32,
    pub(crate) replay: bool,
}

/// How the sender reached the relay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SenderOrigin<'a> {
    pub(crate) peer: Option<IpAddr>,
    /// `https` or `http`.
    pub(crate) scheme: &'a str,
}

/// Returns the headers of a request to the local service.
/// `host` is its name; `None` keeps the sender's.
pub(super) fn outgoing(
    headers: &HeaderList,
    origin: SenderOrigin<'_>,
    host: Option<&HeaderValue>,
    marks: AttemptMarks,
) -> HeaderMap {
    let mut map = to_header_map(passed_on(headers));
    if let Some(peer) = origin.peer.and_then(|peer| value(&peer.to_string())) {
        // The second form is sent only if the sender sent it.
        if headers.get(REAL_IP.as_str()).is_some() {
            map.insert(REAL_IP, peer.clone());
        }
        map.insert(FORWARDED_FOR, peer);
    }
    if let Some(sender_host) = map.get(header::HOST).cloned() {
        map.insert(FORWARDED_HOST, sender_host);
    }
    if let Some(scheme) = value(origin.scheme) {
        map.insert(FORWARDED_PROTO, scheme);
    }
    if let Some(host) = host {
        map.insert(header::HOST, host.clone());
    }
    if let Some(id) = value(&marks.event.to_string()) {
        map.insert(EVENT_ID, id);
    }
    map.insert(ATTEMPT, HeaderValue::from(marks.attempt));
    map.insert(
        REPLAY,
        HeaderValue::from_static(if marks.replay { "true" } else { "false" }),
    );
    map
}

/// Returns the headers that reach the local service as the sender wrote them, including `Host`.
/// Hop-by-hop headers are left out, and headers that a sender must not set for a local service that
/// trusts its proxy: the client's address, and the event and attempt.
pub(crate) fn passed_on(headers: &HeaderList) -> impl Iterator<Item = (&str, &Bytes)> {
    let hop = OneHop::of(headers);
    headers
        .iter()
        .filter(move |(name, _)| !hop.has(name) && !is_ours(name))
}

/// Returns whether only Podtap may set this header, in any spelling that some server accepts.
fn is_ours(name: &str) -> bool {
    /// The relay has answered `Expect`; `Proxy` becomes the
    /// variable `HTTP_PROXY` of a CGI program (httpoxy).
    const NAMES: [&str; 4] = ["expect", "forwarded", "proxy", "x-real-ip"];
    const FAMILIES: [&str; 2] = ["podtap-", "x-forwarded-"];
    let begins = |family: &&str| {
        let start = name.get(..family.len());
        start.is_some_and(|start| is_same(start, family))
    };
    NAMES.iter().any(|ours| is_same(name, ours)) || FAMILIES.iter().any(begins)
}

/// Returns the headers of an answer without the hop-by-hop ones.
pub(super) fn end_to_end(headers: &HeaderList) -> HeaderMap {
    let hop = OneHop::of(headers);
    to_header_map(headers.iter().filter(|(name, _)| !hop.has(name)))
}

/// Returns the names of the headers that are passed on, as the sender spelled them.
pub(super) fn names(headers: &HeaderList) -> impl Iterator<Item = &str> {
    passed_on(headers)
        .filter(|(name, value)| pair(name, value).is_some())
        .map(|(name, _)| name)
}

fn to_header_map<'a>(headers: impl Iterator<Item = (&'a str, &'a Bytes)>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers.filter_map(|(name, value)| pair(name, value)) {
        map.append(name, value);
    }
    map
}

/// Converts a header. One that was received over HTTP
/// is always valid; only a hand-edited one may not be.
fn pair(name: &str, value: &Bytes) -> Option<(HeaderName, HeaderValue)> {
    let value = HeaderValue::from_maybe_shared(value.clone());
    Some((name.parse().ok()?, value.ok()?))
}

fn value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01JD3M5X8RGQ7T9V2W4Y6Z0ABC";

    fn headers_sent(headers: &[(&str, &str)], keep_host: bool) -> HeaderMap {
        let headers = headers
            .iter()
            .map(|&(name, value)| (name, value.to_owned()))
            .collect();
        let origin = SenderOrigin {
            peer: Some([192, 0, 2, 1].into()),
            scheme: "https",
        };
        let host = HeaderValue::from_static("localhost:3000");
        let marks = AttemptMarks {
            event: ID.parse().unwrap(),
            attempt: 2,
            replay: true,
        };
        outgoing(&headers, origin, (!keep_host).then_some(&host), marks)
    }

    #[test]
    fn headers_of_one_hop_and_those_it_names_are_dropped() {
        let headers = headers_sent(
            &[
                ("Connection", "close, X-Hop"),
                ("x-hop", "1"),
                ("Keep-Alive", "5"),
                ("Transfer-Encoding", "chunked"),
                ("Content-Length", "9"),
                ("content-type", "text/plain"),
                ("x-twice", "a"),
                ("x-twice", "b"),
            ],
            false,
        );
        for dropped in [
            "connection",
            "x-hop",
            "keep-alive",
            "transfer-encoding",
            "content-length",
        ] {
            assert!(!headers.contains_key(dropped), "{dropped}");
        }
        assert_eq!(headers["content-type"], "text/plain");
        assert_eq!(headers.get_all("x-twice").iter().count(), 2);
    }

    #[test]
    fn the_local_service_learns_who_sent_it_and_which_attempt_it_is() {
        let headers = headers_sent(
            &[("host", "hooks.test"), ("podtap-replay", "forged")],
            false,
        );
        assert_eq!(headers["host"], "localhost:3000");
        assert_eq!(headers["x-forwarded-host"], "hooks.test");
        assert_eq!(headers["x-forwarded-proto"], "https");
        assert_eq!(headers["x-forwarded-for"], "192.0.2.1");
        assert_eq!(headers["podtap-event-id"], ID);
        assert_eq!(headers["podtap-attempt"], "2");
        assert_eq!(
            headers.get_all("podtap-replay").iter().collect::<Vec<_>>(),
            ["true"]
        );
    }

    #[test]
    fn what_a_sender_says_of_itself_or_of_the_event_is_replaced_in_every_spelling() {
        let headers = headers_sent(
            &[
                ("host", "inner"),
                ("X-Forwarded-For", "1.1.1.1"),
                ("X_Forwarded_For", "1.1.1.1"),
                ("X-Forwarded-Host", "bank.example"),
                ("X-Forwarded-Proto", "gopher"),
                ("X-Forwarded-Port", "22"),
                ("Forwarded", "for=1.1.1.1"),
                ("X-Real-IP", "1.1.1.1"),
                ("Podtap_Replay", "false"),
                ("PODTAP-Anything", "x"),
                ("Proxy", "http://evil.example"),
                ("Expect", "100-continue"),
                ("Content_Length", "7"),
            ],
            true,
        );
        let mut pairs: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        pairs.sort_unstable();
        assert_eq!(
            pairs,
            [
                ("host", "inner"),
                ("podtap-attempt", "2"),
                ("podtap-event-id", ID),
                ("podtap-replay", "true"),
                ("x-forwarded-for", "192.0.2.1"),
                ("x-forwarded-host", "inner"),
                ("x-forwarded-proto", "https"),
                ("x-real-ip", "192.0.2.1"),
            ]
        );
    }
}
