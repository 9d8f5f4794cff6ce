//! Exports events in the formats of other tools. Pure, except for `archive`, which reads the
//! history; used by the terminal UI and the command line.

pub mod archive;
pub mod curl;
pub mod har;
pub mod httpie;
pub mod json;
pub mod raw;
mod shell;
pub mod shown;
pub(crate) mod uri;

use podtap_wire::HeaderList;

use crate::delivery::headers::passed_on;

/// Returns the headers that describe the request and not its transport: those that delivery passes
/// on, except `Host`, which the next sender sets.
pub fn end_to_end(headers: &HeaderList) -> impl Iterator<Item = (&str, &[u8])> {
    passed_on(headers)
        .filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
        .map(|(name, value)| (name, value.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_the_connection_or_is_set_anew_is_left_out() {
        let headers: HeaderList = [
            ("Host", "hooks.test"),
            ("Expect", "100-continue"),
            ("Connection", "close, x-hop"),
            ("X-Hop", "1"),
            ("Transfer-Encoding", "chunked"),
            ("content-type", "text/plain"),
        ]
        .into_iter()
        .collect();
        let kept: Vec<_> = end_to_end(&headers).collect();
        assert_eq!(kept, [("content-type", &b"text/plain"[..])]);
    }
}
