//! What may enter a history: text of a file → requests and attempts that could have come over the
//! wire, or what is wrong with it. Pure.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use podtap_wire::{HeaderList, InvalidId, InvalidRequest, limits, valid};

use crate::export::json::{AttemptObject, BodyFields, EditedObject};
use crate::history::{Attempt, EditedRequest, Outcome};

/// Why a line or an entry cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// It is not the JSON that it should be.
    #[error("{0}")]
    Json(String),
    /// It is larger than any event.
    #[error("it is larger than {} MiB", super::MAX_PIECE_BYTES / 1024 / 1024)]
    TooLarge,
    /// A later Podtap wrote it.
    #[error("its `v` is {0}, this podtap reads {known}", known = crate::export::json::VERSION)]
    Version(u64),
    /// It does not say what it is.
    #[error("it is no object of podtap: `v` or `type` is missing")]
    Untyped,
    /// The id is none.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// It cannot have come over HTTP.
    #[error(transparent)]
    Request(#[from] InvalidRequest),
    /// The body is too large.
    #[error("a body is larger than {} MiB", limits::MAX_BODY_BYTES / 1024 / 1024)]
    BodySize,
    /// There is no body.
    #[error("there is no `body` and no `body_base64`")]
    NoBody,
    /// The body is not what it is said to be.
    #[error("a body is no base64")]
    Base64,
    /// The encoding is unknown.
    #[error("a body has an encoding other than base64")]
    Encoding,
    /// The time is none.
    #[error("`{0}` is no time of RFC 3339")]
    Time(&'static str),
    /// The status is none.
    #[error("a status is not between 100 and 999")]
    Status,
    /// Nothing came of an attempt.
    #[error("an attempt has no `status` and no `error`")]
    NoOutcome,
}

/// The parts of a request that could have come in.
pub(super) fn request(
    method: Cow<'_, str>,
    path: Cow<'_, str>,
    headers: HeaderList,
    body: Bytes,
) -> Result<EditedRequest, Wrong> {
    valid::method(&method)?;
    valid::path(&path)?;
    valid::headers(&headers)?;
    Ok(EditedRequest {
        method: method.into_owned(),
        path: path.into_owned(),
        headers,
        body: sized(body)?,
    })
}

/// The body in whichever field it stands.
pub(super) fn body(fields: BodyFields<'_>) -> Result<Bytes, Wrong> {
    match (fields.body, fields.body_base64) {
        (Some(text), _) => sized(text.into_owned().into()),
        (None, Some(text)) => base64(&text),
        (None, None) => Err(Wrong::NoBody),
    }
}

pub(super) fn base64(text: &str) -> Result<Bytes, Wrong> {
    let bytes = STANDARD.decode(text).map_err(|_| Wrong::Base64)?;
    sized(bytes.into())
}

pub(super) fn sized(body: Bytes) -> Result<Bytes, Wrong> {
    if body.len() > limits::MAX_BODY_BYTES {
        return Err(Wrong::BodySize);
    }
    Ok(body)
}

pub(super) fn status(status: i64) -> Result<u16, Wrong> {
    let status = u16::try_from(status).ok();
    let status = status.filter(|status| (100..=999).contains(status));
    status.ok_or(Wrong::Status)
}

/// An attempt; the answer's headers and body are not in it.
pub(super) fn attempt(object: AttemptObject<'_>) -> Result<Attempt, Wrong> {
    let outcome = match (object.outcome.status, object.outcome.error) {
        (Some(code), _) => Outcome::Answered {
            status: status(i64::from(code))?,
            headers: HeaderList::default(),
            body: Bytes::new(),
            body_bytes: 0,
        },
        (None, Some(error)) => Outcome::Failed {
            error: error.into_owned(),
        },
        (None, None) => return Err(Wrong::NoOutcome),
    };
    Ok(Attempt {
        event: object.id,
        number: object.attempt.max(1),
        replay: object.replay,
        imported: true,
        url: object.url.into_owned(),
        edited: object.edited.map(edited).transpose()?,
        started_at: object.started_at,
        duration: object.duration_ms,
        outcome,
    })
}

fn edited(object: EditedObject<'_>) -> Result<EditedRequest, Wrong> {
    let headers = object.headers.into_owned();
    request(object.method, object.path, headers, body(object.body)?)
}
