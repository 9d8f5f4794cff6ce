//! Converts a captured path to a valid URI (RFC 3986): invalid characters are percent-encoded, and
//! encoded ones stay. Pure.

use percent_encoding::{AsciiSet, CONTROLS, percent_encode_byte, utf8_percent_encode};

/// Characters of a path and query that must be encoded.
const ODD: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Returns the path with its query in the form of a URI.
pub(crate) fn path(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    let mut parts = path.split('%');
    uri.extend(
        parts
            .next()
            .map(|first| utf8_percent_encode(first, ODD))
            .into_iter()
            .flatten(),
    );
    for part in parts {
        let escape = part.as_bytes().get(..2);
        let is_escape = escape.is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        uri.push_str(if is_escape {
            "%"
        } else {
            percent_encode_byte(b'%')
        });
        uri.extend(utf8_percent_encode(part, ODD));
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn what_is_valid_stays_and_the_rest_is_encoded() {
        for (raw, uri) in [
            (
                "/podio/hook?a=b%20c&d=/?:@!$&'()*+,;=~",
                "/podio/hook?a=b%20c&d=/?:@!$&'()*+,;=~",
            ),
            ("//a/../%2f", "//a/../%2f"),
            ("/{a}|[b]^\\`\"<>", "/%7Ba%7D%7C%5Bb%5D%5E%5C%60%22%3C%3E"),
            ("/100%", "/100%25"),
            ("/%zz%4", "/%25zz%254"),
            ("/%€", "/%25%E2%82%AC"),
            ("/ä #x", "/%C3%A4%20%23x"),
        ] {
            assert_eq!(path(raw), uri);
        }
    }
}
