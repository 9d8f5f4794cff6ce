//! Checks that all programs between the sender and the relay agree where a body begins and
//! ends. If two disagree, a request can be smuggled past a proxy (RFC 9112 §11.2). Pure.

use http::{Request, header};

/// Returns whether the request has no transfer coding, or only one `chunked`. Of several
/// codings, hyper removes only the last, so the local service would get an encoded body.
pub(crate) fn is_plain<B>(request: &Request<B>) -> bool {
    let mut codings = request.headers().get_all(header::TRANSFER_ENCODING).iter();
    let (first, second) = (codings.next(), codings.next());
    let is_chunked = |coding: &header::HeaderValue| {
        let coding = coding.as_bytes().trim_ascii();
        coding.eq_ignore_ascii_case(b"chunked")
    };
    first.is_none_or(|first| is_chunked(first) && second.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_chunked_is_all_there_may_be() {
        for (codings, plain) in [
            (&[][..], true),
            (&["chunked"], true),
            (&["Chunked"], true),
            (&["chunked", "chunked"], false),
            (&["chunked, chunked"], false),
            (&["gzip, chunked"], false),
            (&["gzip", "chunked"], false),
            (&[",chunked"], false),
            (&[""], false),
        ] {
            let mut request = Request::post("/");
            for coding in codings {
                request = request.header(header::TRANSFER_ENCODING, *coding);
            }
            assert_eq!(is_plain(&request.body(()).unwrap()), plain, "{codings:?}");
        }
    }
}
