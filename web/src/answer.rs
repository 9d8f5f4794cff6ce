//! Creates the answers, each with the headers that restrict what a browser does with it.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use serde::Serialize;

/// An answer: complete, or a stream of changes.
pub(crate) type PageAnswer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Headers of every answer. Only the page's own scripts and styles run, and the page is not framed,
/// sniffed or cached, and sends no referrer.
const GUARDS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    ),
];

/// Returns an answer of this type with these bytes.
pub(crate) fn whole(status: StatusCode, kind: &'static str, bytes: impl Into<Bytes>) -> PageAnswer {
    of(status, kind, Full::new(bytes.into()).boxed_unsync())
}

/// Returns an answer of this type with this body.
pub(crate) fn of(
    status: StatusCode,
    kind: &'static str,
    body: UnsyncBoxBody<Bytes, Infallible>,
) -> PageAnswer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in GUARDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// Returns an answer with a short text for a person.
pub(crate) fn text(status: StatusCode, words: &str) -> PageAnswer {
    whole(status, "text/plain; charset=utf-8", format!("{words}\n"))
}

/// Returns an answer with an object for the page.
pub(crate) fn json(object: &impl Serialize) -> PageAnswer {
    json_as(StatusCode::OK, object)
}

/// Returns an error, which the page shows.
pub(crate) fn error(status: StatusCode, words: &str) -> PageAnswer {
    json_as(status, &serde_json::json!({ "error": words }))
}

pub(crate) fn json_as(status: StatusCode, object: &impl Serialize) -> PageAnswer {
    match serde_json::to_vec(object) {
        Ok(bytes) => whole(status, "application/json", bytes),
        Err(error) => {
            tracing::error!(%error, "cannot write an answer of the web page");
            text(StatusCode::INTERNAL_SERVER_ERROR, "cannot write the answer")
        }
    }
}
