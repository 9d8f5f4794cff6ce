//! The headers that the local service sees: what Podio sent end to end, who sent it, and which
//! event and attempt it is (invariant 3). Pure.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use podtap_wire::{EventId, HeaderList};

/// Headers that concern one connection and never go on (RFC 9110 §7.6.1, RFC 9112). The length is
/// that of the body that is really sent.
const OF_ONE_HOP: &[&str] = &[
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const EVENT_ID: HeaderName = HeaderName::from_static("podtap-event-id");
const ATTEMPT: HeaderName = HeaderName::from_static("podtap-attempt");
const REPLAY: HeaderName = HeaderName::from_static("podtap-replay");

/// Which attempt of which event a request is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    pub(crate) event: EventId,
    pub(crate) attempt: u32,
    pub(crate) replay: bool,
}

/// How the sender reached the relay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// Its address.
    pub(crate) peer: Option<IpAddr>,
    /// `https` or `http`.
    pub(crate) scheme: &'a str,
}

/// The headers of a request to the local service. `host` is its name; `None` keeps the sender's.
pub(super) fn outgoing(
    headers: &HeaderList,
    origin: Origin<'_>,
    host: Option<&HeaderValue>,
    marks: Marks,
) -> HeaderMap {
    let mut map = end_to_end(headers);
    let sender_host = map.get(header::HOST).cloned();
    if let Some(host) = host {
        map.insert(header::HOST, host.clone());
    }
    if let Some(peer) = origin.peer {
        append_to_list(&mut map, &FORWARDED_FOR, &peer.to_string());
    }
    // The outermost proxy knows these, and what it said stays.
    if let (false, Some(host)) = (map.contains_key(FORWARDED_HOST), sender_host) {
        map.insert(FORWARDED_HOST, host);
    }
    if let (false, Ok(scheme)) = (map.contains_key(FORWARDED_PROTO), origin.scheme.parse()) {
        map.insert(FORWARDED_PROTO, scheme);
    }
    // Replaced, not added to: a sender cannot pretend to be somebody's replay.
    if let Ok(id) = marks.event.to_string().parse() {
        map.insert(EVENT_ID, id);
    }
    map.insert(ATTEMPT, HeaderValue::from(marks.attempt));
    map.insert(
        REPLAY,
        HeaderValue::from_static(if marks.replay { "true" } else { "false" }),
    );
    map
}

/// The headers without those of one hop.
pub(super) fn end_to_end(headers: &HeaderList) -> HeaderMap {
    let hop = OneHop::of(headers);
    let mut map = HeaderMap::with_capacity(headers.len() + 8);
    for (name, value) in headers.iter() {
        if hop.has(name) {
            continue;
        }
        // What came in as HTTP goes out as HTTP; only a hand-edited header may be neither.
        if let (Ok(name), Ok(value)) = (
            name.parse::<HeaderName>(),
            HeaderValue::from_maybe_shared(value.clone()),
        ) {
            map.append(name, value);
        }
    }
    map
}

/// Which headers of one message concern the connection that it came over: those that always do,
/// and those that its `Connection` names.
#[derive(Debug)]
pub(crate) struct OneHop<'a> {
    named: Vec<&'a str>,
}

impl<'a> OneHop<'a> {
    /// Of the message with these headers.
    pub(crate) fn of(headers: &'a HeaderList) -> Self {
        let named = headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
            .flat_map(|value| value.split(',').map(str::trim))
            .collect();
        Self { named }
    }

    /// Whether the header of this name is one of them.
    pub(crate) fn has(&self, name: &str) -> bool {
        let mut all = OF_ONE_HOP.iter().chain(&self.named);
        all.any(|hop| hop.eq_ignore_ascii_case(name))
    }
}

fn append_to_list(map: &mut HeaderMap, name: &HeaderName, new: &str) {
    let mut list = Vec::new();
    for known in map.get_all(name) {
        list.extend_from_slice(known.as_bytes());
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(new.as_bytes());
    if let Ok(list) = HeaderValue::from_bytes(&list) {
        map.insert(name, list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01JD3M5X8RGQ7T9V2W4Y6Z0ABC";

    fn sent(headers: &[(&str, &str)], keep_host: bool) -> HeaderMap {
        let headers = headers
            .iter()
            .map(|&(name, value)| (name, value.to_owned()))
            .collect();
        let origin = Origin {
            peer: Some([192, 0, 2, 1].into()),
            scheme: "https",
        };
        let host = HeaderValue::from_static("localhost:3000");
        let marks = Marks {
            event: ID.parse().unwrap(),
            attempt: 2,
            replay: true,
        };
        outgoing(&headers, origin, (!keep_host).then_some(&host), marks)
    }

    #[test]
    fn headers_of_one_hop_and_those_it_names_are_dropped() {
        let headers = sent(
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
        let headers = sent(
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
    fn earlier_proxies_keep_their_word_and_the_host_stays_where_asked() {
        let headers = sent(
            &[
                ("host", "inner"),
                ("x-forwarded-for", "1.1.1.1"),
                ("x-forwarded-host", "outer"),
            ],
            true,
        );
        assert_eq!(headers["host"], "inner");
        assert_eq!(headers["x-forwarded-host"], "outer");
        assert_eq!(headers["x-forwarded-for"], "1.1.1.1, 192.0.2.1");
    }
}
