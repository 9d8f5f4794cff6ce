//! Configures the websocket to the relay: bounded in
//! both directions, with messages cut into frames.

use bytes::Bytes;
use podtap_connect::reason;
use podtap_wire::limits::{FRAGMENT_BYTES, MAX_MESSAGE_BYTES};
use podtap_wire::{AgentFrame, EncodedFrame, fragments};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::disconnect::Disconnect;

/// Number of bytes that are collected before they are written.
const WRITE_BUFFER: usize = 16 * 1024;

/// Maximum number of bytes that wait to be written: one frame beyond the buffer, and pongs to a
/// relay that does not read. A relay whose pings fill the buffer loses the connection.
const MAX_WRITE_BUFFER: usize = WRITE_BUFFER + FRAGMENT_BYTES + 16 * 1024;

/// Returns the websocket's settings.
pub(super) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES))
}

/// Returns the messages for a frame of the protocol: one, or the fragments of a large frame.
pub(super) fn messages(
    frame: &AgentFrame,
) -> Result<impl Iterator<Item = Message> + use<>, Disconnect> {
    let (bytes, kind) = match frame.encode() {
        Ok(EncodedFrame::Text(text)) => (Bytes::from(text), Data::Text),
        Ok(EncodedFrame::Binary(bytes)) => (bytes, Data::Binary),
        Err(error) => return Err(Disconnect::retry(reason::words(&error))),
    };
    Ok(fragments(bytes).map(move |part| {
        let kind = if part.is_first { kind } else { Data::Continue };
        Message::Frame(Frame::message(part.bytes, OpCode::Data(kind), part.is_last))
    }))
}
