//! Events in the forms that other tools take. Pure: nothing here reads the history or the screen.
//! Called by the terminal UI's copy menu and by the command line.

pub mod curl;
pub mod har;
pub mod json;
pub mod raw;
mod shell;

use podtap_wire::HeaderList;

/// Headers that belong to one connection or are set anew by whoever sends (RFC 9110 §7.6.1).
const CONNECTION_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The headers that say something about the request and not about the connection it came over.
pub fn end_to_end(headers: &HeaderList) -> impl Iterator<Item = (&str, &[u8])> {
    let own = |name: &str| {
        CONNECTION_HEADERS
            .iter()
            .any(|own| name.eq_ignore_ascii_case(own))
    };
    headers
        .iter()
        .filter(move |(name, _)| !own(name))
        .map(|(name, value)| (name, value.as_ref()))
}
