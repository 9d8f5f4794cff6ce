//! Converts frames to websocket messages and back. Lengths are checked before anything is
//! allocated.

use std::borrow::Cow;
use std::net::IpAddr;

use bytes::{BufMut, Bytes, BytesMut};
use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};

use crate::frame::{
    Ack, AgentFrame, EventFrame, HeldFrame, Hello, Notice, RelayFrame, ResponseFrame, ResponseTo,
    Welcome,
};
use crate::ids::{EventId, Seq};
use crate::limits::{MAX_BODY_BYTES, MAX_HEADER_BYTES};
use crate::request::{HeaderList, WebhookRequest, WebhookResponse};
use crate::valid::{self, InvalidRequest};

/// Maximum length of the name of an unknown frame type, in characters, because it is logged.
const MAX_TYPE_CHARS: usize = 64;

/// A frame as a websocket message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncodedFrame {
    /// A control frame: JSON.
    Text(String),
    /// A frame with a body: length, JSON, body.
    Binary(Bytes),
}

/// Content of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodedFrame<F> {
    /// A frame this build knows.
    Frame(F),
    /// A frame type of a newer peer, cut to 64 characters. The frame is skipped, with one
    /// warning per connection.
    Unknown(String),
}

/// The message is not a frame of this protocol.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The binary message ends before its JSON header does.
    #[error("a binary frame of {got} bytes ends before its header does")]
    Truncated {
        /// Number of bytes received.
        got: usize,
    },
    /// A length exceeds the limit of the protocol.
    #[error("the {part} of a frame has {got} bytes, over the limit of {limit}")]
    TooLarge {
        /// `header` or `body`.
        part: &'static str,
        /// Number of bytes announced or received.
        got: usize,
        /// Maximum number of bytes.
        limit: usize,
    },
    /// The JSON does not match the frame type.
    #[error("a frame's JSON cannot be read")]
    Json(#[from] serde_json::Error),
    /// The webhook cannot have been an HTTP request.
    #[error("a frame has an invalid request or answer: {0}")]
    Request(#[from] InvalidRequest),
}

/// The frame contains a value that cannot be written as JSON.
#[derive(Debug, thiserror::Error)]
#[error("a frame cannot be written as JSON")]
pub struct EncodeError(#[from] serde_json::Error);

impl AgentFrame {
    /// Returns the message for this frame.
    pub fn encode(&self) -> Result<EncodedFrame, EncodeError> {
        match self {
            Self::Hello(hello) => text("hello", hello),
            Self::Ack(ack) => text("ack", ack),
            Self::Response(ResponseFrame { to, response }) => {
                let (seq, id) = match *to {
                    ResponseTo::Stored(seq) => (Some(seq), None),
                    ResponseTo::Held(id) => (None, Some(id)),
                };
                let head = ResponseHead {
                    seq,
                    id,
                    status: response.status,
                    headers: Cow::Borrowed(&response.headers),
                };
                binary("response", &head, &response.body)
            }
        }
    }

    /// Decodes the frame in a text message.
    pub fn decode_text(message: &str) -> Result<DecodedFrame<Self>, DecodeError> {
        let kind = frame_type(message.as_bytes())?;
        Ok(DecodedFrame::Frame(match &*kind {
            "hello" => Self::Hello(parse::<Hello>(message.as_bytes())?),
            "ack" => Self::Ack(parse::<Ack>(message.as_bytes())?),
            _ => return Ok(unknown_frame(&kind)),
        }))
    }

    /// Decodes the frame in a binary message. The body shares the message's memory.
    pub fn decode_binary(message: &Bytes) -> Result<DecodedFrame<Self>, DecodeError> {
        let (head, body) = split_header(message)?;
        let kind = frame_type(&head)?;
        if kind != "response" {
            return Ok(unknown_frame(&kind));
        }
        let head: ResponseHead<'_> = parse(&head)?;
        let to = match (head.id, head.seq) {
            (Some(id), _) => ResponseTo::Held(id),
            (None, Some(seq)) => ResponseTo::Stored(seq),
            (None, None) => return Err(missing("seq")),
        };
        let response = WebhookResponse {
            status: head.status,
            headers: head.headers.into_owned(),
            body,
        };
        Ok(DecodedFrame::Frame(Self::Response(ResponseFrame {
            to,
            response,
        })))
    }
}

impl RelayFrame {
    /// Returns the message for this frame.
    pub fn encode(&self) -> Result<EncodedFrame, EncodeError> {
        match self {
            Self::Welcome(welcome) => text("welcome", welcome),
            Self::Notice(notice) => text("notice", notice),
            Self::Event(EventFrame { seq, id, request }) => binary(
                "event",
                &EventHead::of(Some(*seq), *id, request),
                &request.body,
            ),
            Self::Held(held) => held.encode(),
        }
    }

    /// Decodes the frame in a text message.
    pub fn decode_text(message: &str) -> Result<DecodedFrame<Self>, DecodeError> {
        let kind = frame_type(message.as_bytes())?;
        Ok(DecodedFrame::Frame(match &*kind {
            "welcome" => {
                let welcome = parse::<Welcome>(message.as_bytes())?;
                valid::url(&welcome.url)?;
                Self::Welcome(welcome)
            }
            "notice" => Self::Notice(parse::<Notice>(message.as_bytes())?),
            _ => return Ok(unknown_frame(&kind)),
        }))
    }

    /// Decodes the frame in a binary message. The body shares the message's memory. An event
    /// that cannot have been an HTTP request is refused, even if the relay sends it: a stored
    /// event may be copied as a command or as raw HTTP.
    pub fn decode_binary(message: &Bytes) -> Result<DecodedFrame<Self>, DecodeError> {
        let (head, body) = split_header(message)?;
        let kind = frame_type(&head)?;
        Ok(DecodedFrame::Frame(match &*kind {
            "event" => {
                let head: EventHead<'_> = parse(&head)?;
                let (seq, id) = (head.seq.ok_or_else(|| missing("seq"))?, head.id);
                let request = head.request(body)?;
                Self::Event(EventFrame { seq, id, request })
            }
            "held" => {
                let head: EventHead<'_> = parse(&head)?;
                let (id, request) = (head.id, head.request(body)?);
                Self::Held(HeldFrame { id, request })
            }
            _ => return Ok(unknown_frame(&kind)),
        }))
    }
}

impl HeldFrame {
    /// Returns the message for this frame.
    pub fn encode(&self) -> Result<EncodedFrame, EncodeError> {
        let head = EventHead::of(None, self.id, &self.request);
        binary("held", &head, &self.request.body)
    }
}

#[derive(Serialize, Deserialize)]
struct EventHead<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<Seq>,
    id: EventId,
    received_at: Timestamp,
    method: Cow<'a, str>,
    path: Cow<'a, str>,
    headers: Cow<'a, HeaderList>,
    peer: Option<IpAddr>,
}

impl<'a> EventHead<'a> {
    fn of(seq: Option<Seq>, id: EventId, request: &'a WebhookRequest) -> Self {
        Self {
            seq,
            id,
            received_at: request.received_at,
            method: Cow::Borrowed(&request.method),
            path: Cow::Borrowed(&request.path),
            headers: Cow::Borrowed(&request.headers),
            peer: request.peer,
        }
    }

    fn request(self, body: Bytes) -> Result<WebhookRequest, InvalidRequest> {
        let request = WebhookRequest {
            received_at: self.received_at,
            method: self.method.into_owned(),
            path: self.path.into_owned(),
            headers: self.headers.into_owned(),
            peer: self.peer,
            body,
        };
        request.validate()?;
        Ok(request)
    }
}

#[derive(Serialize, Deserialize)]
struct ResponseHead<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<Seq>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<EventId>,
    status: u16,
    headers: Cow<'a, HeaderList>,
}

/// A frame's fields with its tag, serialized together.
#[derive(Serialize)]
struct TaggedFrame<'a, T> {
    r#type: &'static str,
    #[serde(flatten)]
    fields: &'a T,
}

#[derive(Deserialize)]
struct FrameTag<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

fn text<T: Serialize>(r#type: &'static str, fields: &T) -> Result<EncodedFrame, EncodeError> {
    Ok(EncodedFrame::Text(serde_json::to_string(&TaggedFrame {
        r#type,
        fields,
    })?))
}

fn binary<T: Serialize>(
    r#type: &'static str,
    fields: &T,
    body: &Bytes,
) -> Result<EncodedFrame, EncodeError> {
    const LENGTH: usize = size_of::<u32>();
    let mut message = BytesMut::with_capacity(1024 + body.len());
    message.put_u32(0);
    serde_json::to_writer((&mut message).writer(), &TaggedFrame { r#type, fields })?;
    let header_bytes = u32::try_from(message.len() - LENGTH).unwrap_or(u32::MAX);
    if let Some(length) = message.first_chunk_mut::<LENGTH>() {
        *length = header_bytes.to_be_bytes();
    }
    message.extend_from_slice(body);
    Ok(EncodedFrame::Binary(message.freeze()))
}

/// Splits a binary message into its JSON header and its body, which share its memory.
fn split_header(message: &Bytes) -> Result<(Bytes, Bytes), DecodeError> {
    let truncated = || DecodeError::Truncated { got: message.len() };
    let (length, _) = message.split_first_chunk().ok_or_else(truncated)?;
    let header_bytes = u32::from_be_bytes(*length) as usize;
    at_most("header", header_bytes, MAX_HEADER_BYTES)?;
    let rest = message.slice(length.len()..);
    if rest.len() < header_bytes {
        return Err(truncated());
    }
    at_most("body", rest.len() - header_bytes, MAX_BODY_BYTES)?;
    Ok((rest.slice(..header_bytes), rest.slice(header_bytes..)))
}

fn at_most(part: &'static str, got: usize, limit: usize) -> Result<(), DecodeError> {
    if got > limit {
        Err(DecodeError::TooLarge { part, got, limit })
    } else {
        Ok(())
    }
}

fn frame_type(json: &[u8]) -> Result<Cow<'_, str>, DecodeError> {
    at_most("header", json.len(), MAX_HEADER_BYTES)?;
    Ok(serde_json::from_slice::<FrameTag<'_>>(json)?.kind)
}

fn unknown_frame<F>(kind: &str) -> DecodedFrame<F> {
    DecodedFrame::Unknown(kind.chars().take(MAX_TYPE_CHARS).collect())
}

fn missing(field: &'static str) -> DecodeError {
    serde_json::Error::missing_field(field).into()
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, DecodeError> {
    Ok(serde_json::from_slice(json)?)
}
