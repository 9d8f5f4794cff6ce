//! Lists the headers that end at the next hop: for requests to the local service, for its
//! answers, and for every form in which a request is exported.

use crate::request::HeaderList;

/// Headers that concern one connection and are never passed on (RFC 9110 §7.6.1, RFC 9112).
/// The length is set to that of the body that is really sent.
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

/// Headers of one message that concern its connection: those that always do, and those that
/// its `Connection` names.
#[derive(Debug)]
pub struct OneHop<'a> {
    named: Vec<&'a str>,
}

impl<'a> OneHop<'a> {
    /// Reads them from the headers of a message.
    pub fn of(headers: &'a HeaderList) -> Self {
        let named = headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
            .flat_map(|value| value.split(',').map(str::trim))
            .collect();
        Self { named }
    }

    /// Returns whether the header of this name is one of them. A name with `_` counts as the
    /// one with `-`: servers that pass headers on as variables (CGI, WSGI, PHP) cannot
    /// distinguish them.
    pub fn has(&self, name: &str) -> bool {
        let mut all = ALWAYS.iter().chain(&self.named);
        all.any(|hop| is_same(name, hop))
    }
}

/// Returns whether two names are the same to a server that passes headers on as variables.
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
