//! Which headers end at the next hop: the one list for requests to the local service, for its
//! answers, and for every form in which a request is exported.

use crate::request::HeaderList;

/// Headers that concern one connection and never go on (RFC 9110 §7.6.1, RFC 9112). The length is
/// that of the body that is really sent.
const ALWAYS: &[&str] = &[
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

/// The headers of one message that concern the connection it came over: those that always do, and
/// those that its `Connection` names.
#[derive(Debug)]
pub struct OneHop<'a> {
    named: Vec<&'a str>,
}

impl<'a> OneHop<'a> {
    /// Of the message with these headers.
    pub fn of(headers: &'a HeaderList) -> Self {
        let named = headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
            .flat_map(|value| value.split(',').map(str::trim))
            .collect();
        Self { named }
    }

    /// Whether the header of this name is one of them. A name with `_` is taken for the one with
    /// `-`: servers that hand headers on as variables (CGI, WSGI, PHP) cannot tell them apart.
    pub fn has(&self, name: &str) -> bool {
        let mut all = ALWAYS.iter().chain(&self.named);
        all.any(|hop| is_same(name, hop))
    }
}

/// Whether two names are one to a server that hands headers on as variables.
pub fn is_same(name: &str, other: &str) -> bool {
    name.bytes().map(letter).eq(other.bytes().map(letter))
}

fn letter(byte: u8) -> u8 {
    match byte {
        b'_' => b'-',
        letter => letter.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connections_own_headers_are_found_in_every_spelling() {
        let headers: HeaderList = [("Connection", "close, X-Hop"), ("connection", "X-Other")]
            .into_iter()
            .collect();
        let hop = OneHop::of(&headers);
        for name in [
            "connection",
            "Transfer-Encoding",
            "Transfer_Encoding",
            "CONTENT_LENGTH",
            "te",
            "x-hop",
            "X_Hop",
            "x-other",
        ] {
            assert!(hop.has(name), "{name}");
        }
        for name in ["x-hops", "host", "content-type", "tea", ""] {
            assert!(!hop.has(name), "{name}");
        }
    }
}
