//! Checks that a request names its host correctly (RFC 9112 §3.2, RFC 9113 §8.3.1). Pure.

use http::{Request, Version, header};

/// Returns whether exactly one valid host is named. Before HTTP/1.1 there may be none.
pub(crate) fn is_named<B>(request: &Request<B>) -> bool {
    let mut fields = request.headers().get_all(header::HOST).iter();
    let (field, second) = (fields.next(), fields.next());
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    let is_http_2 = request.version() == Version::HTTP_2;
    match (field, authority) {
        _ if second.is_some() => false,
        (None, Some(authority)) if is_http_2 => is_host(authority),
        (None, _) => request.version() <= Version::HTTP_10,
        (Some(field), authority) => field.to_str().is_ok_and(|field| {
            // In HTTP/1.1, a host in the target overrides the header field.
            let agrees = |authority: &str| !is_http_2 || authority.eq_ignore_ascii_case(field);
            is_host(field) && authority.is_none_or(agrees)
        }),
    }
}

/// Returns whether the text is `uri-host [ ":" port ]` of RFC 9110 §7.2, without the
/// delimiters that no host contains and that would make it a list.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
                return is_port(port);
            }
            _ => return false,
        },
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    !host.is_empty() && host.bytes().all(is_letter) && is_port(port)
}

/// Returns whether the text is empty, or a colon and digits.
fn is_port(text: &str) -> bool {
    let digits = text.strip_prefix(':').unwrap_or_default();
    text.is_empty() || (text.starts_with(':') && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn has_one_host(version: Version, target: &str, hosts: &[&str]) -> bool {
        let mut request = Request::post(target).version(version);
        for host in hosts {
            request = request.header(header::HOST, HeaderValue::from_str(host).unwrap());
        }
        is_named(&request.body(()).unwrap())
    }

    #[test]
    fn http_1_1_asks_for_one_well_formed_field() {
        for good in [
            "h",
            "hooks.example.com:443",
            "127.0.0.1:8080",
            "[::1]:80",
            "[::1]",
            "a_b",
            "h:",
        ] {
            assert!(has_one_host(Version::HTTP_11, "/k", &[good]), "{good}");
        }
        for bad in [
            "", "a,b", "a, b", "a b", "u@h", "h:x", "h:1:2", "[::1", "[x]", "h/p", "::1", ":80",
            "h?q", "[::1]x",
        ] {
            assert!(!has_one_host(Version::HTTP_11, "/k", &[bad]), "{bad}");
        }
        assert!(!has_one_host(Version::HTTP_11, "/k", &[]));
        assert!(!has_one_host(Version::HTTP_11, "/k", &["h", "h"]));
        assert!(has_one_host(Version::HTTP_11, "http://other/k", &["h"]));
        assert!(!has_one_host(Version::HTTP_11, "http://other/k", &[]));
    }

    #[test]
    fn http_1_0_may_leave_it_out_and_http_2_says_it_in_the_target() {
        assert!(has_one_host(Version::HTTP_10, "/k", &[]));
        assert!(!has_one_host(Version::HTTP_10, "/k", &["a", "b"]));
        assert!(has_one_host(Version::HTTP_2, "http://h:8/k", &[]));
        assert!(has_one_host(Version::HTTP_2, "http://h:8/k", &["H:8"]));
        assert!(has_one_host(Version::HTTP_2, "/k", &["h"]));
        assert!(!has_one_host(Version::HTTP_2, "http://h/k", &["other"]));
        assert!(!has_one_host(Version::HTTP_2, "http://u@h/k", &[]));
        assert!(!has_one_host(Version::HTTP_2, "/k", &[]));
    }
}
