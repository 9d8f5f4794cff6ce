//! Formats a request as a command line for `httpie` that
//! sends the same bytes, or returns why that is impossible.

use podtap_wire::WebhookRequest;

use super::end_to_end;
use super::shell::{BREAK, plain, printf, word};

/// Why httpie cannot send the same request, while curl can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotForHttpie {
    /// httpie treats a method with other characters as a URL.
    #[error("httpie accepts only methods made of letters; copy it for curl")]
    Method,
    /// httpie would send another path or query.
    #[error("httpie would change the path; copy it for curl")]
    Path,
    /// httpie would send another value, or none.
    #[error("httpie cannot send one of the headers; copy it for curl")]
    Header,
}

/// Characters of the separators between a name and its value. Before these, a backslash is an
/// escape of httpie; elsewhere it is a plain character.
const SPECIAL: &[u8] = b":=@;";

/// Returns a command line for `httpie` that sends the request to the complete URL `url`.
pub fn httpie(request: &WebhookRequest, url: &str) -> Result<String, NotForHttpie> {
    let method = request.method.as_str();
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(NotForHttpie::Method);
    }
    if !is_kept(url) {
        return Err(NotForHttpie::Path);
    }
    let mut arguments = vec!["http".to_owned()];
    let body = request.body.as_ref();
    let is_plain = plain(body).is_some();
    if body.is_empty() {
        arguments.push("--ignore-stdin".to_owned());
    } else if is_plain {
        // As one argument, because the text may begin with `-`.
        let raw = word(&[b"--raw=", body].concat());
        arguments.push(format!("--ignore-stdin {raw}"));
    }
    arguments.push(format!(
        "{} {}",
        word(method.as_bytes()),
        word(url.as_bytes())
    ));
    for (name, value) in end_to_end(&request.headers) {
        let item = item(name, value.trim_ascii()).ok_or(NotForHttpie::Header)?;
        arguments.push(word(item.as_bytes()));
    }
    if !body.is_empty() && request.headers.get("content-type").is_none() {
        // Otherwise httpie adds a content type.
        arguments.push("content-type:".to_owned());
    }
    let line = arguments.join(BREAK);
    Ok(if is_plain {
        line
    } else {
        format!("{} |{BREAK}{line}", printf(body))
    })
}

/// Returns `name:value` as httpie parses it; `None` if
/// that is impossible. httpie requires headers in UTF-8.
fn item(name: &str, value: &[u8]) -> Option<String> {
    let value = std::str::from_utf8(value).ok()?;
    if value.is_empty() {
        return Some(format!("{name};"));
    }
    let first = value.bytes().next()?;
    // `:@` would be a file that httpie reads and sends, and `:=` JSON.
    let escape = if SPECIAL.contains(&first) { "\\" } else { "" };
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        // httpie would remove a backslash before one of these characters.
        if byte == b'\\' && bytes.next().is_some_and(|next| SPECIAL.contains(&next)) {
            return None;
        }
    }
    Some(format!("{name}:{escape}{value}"))
}

/// Returns whether httpie's HTTP library sends this URL unchanged: it decodes characters that need
/// no encoding, encodes those that do, and removes dot segments and an empty query.
fn is_kept(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else {
        return false;
    };
    let Some(path) = rest.find('/').and_then(|at| rest.get(at..)) else {
        return false;
    };
    // It treats a path that begins with two slashes as a host.
    if path.starts_with("//") || path.contains("/.") || path.ends_with('?') {
        return false;
    }
    let mut parts = path.split('%');
    let plain = |part: &str| {
        let stays =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,/:;=?@".contains(&byte);
        part.bytes().all(stays)
    };
    parts.next().is_some_and(plain)
        && parts.all(|part| {
            let (code, rest) = part.split_at_checked(2).unwrap_or((part, ""));
            let is_upper = code
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
            let decoded = u8::from_str_radix(code, 16).ok();
            let must_be = decoded
                .is_some_and(|byte| !byte.is_ascii_alphanumeric() && !b"-._~".contains(&byte));
            is_upper && must_be && plain(rest)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_value_and_never_a_file_or_json() {
        for (value, expected) in [
            ("plain", Some("x:plain")),
            ("@/etc/hostname", Some("x:\\@/etc/hostname")),
            ("=[1]", Some("x:\\=[1]")),
            (":=@", Some("x:\\:=@")),
            ("", Some("x;")),
            ("a\\b", Some("x:a\\b")),
            ("a\\\\:b", Some("x:a\\\\:b")),
            ("a\\:b", None),
        ] {
            assert_eq!(item("x", value.as_bytes()).as_deref(), expected, "{value}");
        }
        assert_eq!(item("x", b"M\xfcller"), None);
    }

    #[test]
    fn urls_that_would_be_sent_otherwise_are_known() {
        for (url, kept) in [
            ("http://h/a?b=c&d=%20e", true),
            ("http://h/a%2Fb", true),
            ("http://h/a%2fb", false),
            ("http://h/%41", false),
            ("http://h/a b", false),
            ("http://h/../a", false),
            ("http://h/a?", false),
            ("http://h/100%", false),
            ("http://h//a", false),
            ("http://h", false),
        ] {
            assert_eq!(is_kept(url), kept, "{url}");
        }
    }
}
