//! Builds the relay's answers: complete bodies and short texts for people.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// An answer with a complete body.
pub(crate) type HttpAnswer = Full<Bytes>;

/// Returns a short answer for people.
pub(crate) fn text(status: StatusCode, words: impl Into<String>) -> Response<HttpAnswer> {
    let mut words = words.into();
    words.push('\n');
    let mut answer = Response::new(full(words.into()));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, plain);
    answer
}

/// Returns a body of these bytes.
pub(crate) fn full(bytes: Bytes) -> HttpAnswer {
    Full::new(bytes)
}
