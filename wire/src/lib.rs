//! Defines the protocol between relay and agent: `podtap.v1`.
//!
//! The agent opens a websocket at `/-/connect`, offers the subprotocol
//! [`version::SUBPROTOCOL`] and sends its token as `Authorization: Bearer`. A refusal is an
//! HTTP answer with a [`ConnectRefusal`] as JSON. Once the websocket is open:
//!
//! 1. The agent sends [`Hello`]: the tunnel it wants and the maximum number of
//!    unacknowledged events.
//! 2. The relay answers [`Welcome`]: the public URL and the number of queued events.
//! 3. The relay sends [`EventFrame`]s in the order in which it accepted them, never more
//!    than the window ahead of the acknowledgements.
//! 4. The agent sends [`Ack`]: cumulative, and only for events in its history (invariant
//!    1). Under [`Respond::Local`] it also sends one [`ResponseFrame`] per event, and may
//!    ask for [`HeldFrame`]s: webhooks that the relay has not stored, whose senders wait.
//! 5. The relay may send a [`Notice`] at any time.
//!
//! Control frames are JSON text messages tagged by `"type"`. Frames with a body are binary: a
//! big-endian `u32`, that many bytes of JSON, then the raw body ([`codec`]). Unknown fields
//! are ignored and unknown frame types skipped, so that either side may be the newer one.
//!
//! This crate does no I/O and does not depend on a websocket library.

pub mod codec;
pub mod fragment;
pub mod frame;
pub mod hop;
pub mod ids;
pub mod limits;
pub mod manage;
pub mod refusal;
pub mod request;
pub mod valid;
pub mod version;

pub use codec::{DecodeError, DecodedFrame, EncodedFrame};
pub use fragment::{Fragment, fragments};
pub use frame::{
    Ack, AgentFrame, EventFrame, HeldFrame, Hello, Notice, RelayFrame, RelayLimits, Respond,
    ResponseFrame, ResponseTo, TunnelHolder, Welcome,
};
pub use hop::OneHop;
pub use ids::{EventId, InvalidId, Seq, TunnelKey, TunnelName};
pub use refusal::{ConnectRefusal, RefusalKind};
pub use request::{HeaderList, WebhookRequest, WebhookResponse, latin1, latin1_bytes};
pub use valid::InvalidRequest;
