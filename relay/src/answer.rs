//! What the relay answers: whole bodies, short words for people.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// The body of an answer: always whole.
pub(crate) type HttpAnswer = Full<Bytes>;

/// A short answer for people.
pub(crate) fn text(status: StatusCode, words: impl Into<String>) -> Response<HttpAnswer> {
    let mut words = words.into();
    words.push('\n');
    let mut answer = Response::new(full(words.into()));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, plain);
    answer
}

/// A body of these bytes.
pub(crate) fn full(bytes: Bytes) -> HttpAnswer {
    Full::new(bytes)
}
