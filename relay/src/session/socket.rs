//! Configures a session's websocket with small, bounded buffers, and cuts messages into frames.

use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt as _;
use futures_util::stream::{SplitSink, SplitStream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use podtap_wire::codec::EncodeError;
use podtap_wire::limits::{FRAGMENT_BYTES, SILENCE_LIMIT};
use podtap_wire::{EncodedFrame, HeldFrame, RelayFrame, fragments};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::end::End;
use super::meter::MeteredStream;

pub(super) type SessionSocket = WebSocketStream<MeteredStream<TokioIo<Upgraded>>>;
pub(super) type SocketSink = SplitSink<SessionSocket, Message>;
pub(super) type SocketStream = SplitStream<SessionSocket>;

/// Size of a websocket's buffers in bytes. They are small because most agents are idle most
/// of the time, and mostly send acknowledgements of 30 bytes. The write buffer is allocated
/// when it is needed.
const READ_BUFFER: usize = 2 * 1024;
const WRITE_BUFFER: usize = 16 * 1024;

/// Maximum number of bytes to be written: one frame beyond the buffer, and pongs to an
/// agent that does not read. An agent that fills it with pings loses its session.
const MAX_WRITE_BUFFER: usize = WRITE_BUFFER + FRAGMENT_BYTES + 16 * 1024;

/// Returns the websocket's settings for messages of at most this size.
pub(super) fn config(max_message: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message))
}

/// Returns the messages that carry a frame of the protocol: one, or the fragments of a large one.
pub(super) fn messages(frame: &RelayFrame) -> Result<impl Iterator<Item = Message> + use<>, End> {
    into_fragments(frame.encode())
}

/// Returns the messages that carry a held webhook.
pub(super) fn held_messages(
    frame: &HeldFrame,
) -> Result<impl Iterator<Item = Message> + use<>, End> {
    into_fragments(frame.encode())
}

fn into_fragments(
    encoded: Result<EncodedFrame, EncodeError>,
) -> Result<impl Iterator<Item = Message> + use<>, End> {
    let (bytes, kind) = match encoded {
        Ok(EncodedFrame::Text(text)) => (Bytes::from(text), Data::Text),
        Ok(EncodedFrame::Binary(bytes)) => (bytes, Data::Binary),
        Err(error) => {
            tracing::error!(%error, "a frame cannot be encoded");
            return Err(End::Unavailable);
        }
    };
    Ok(fragments(bytes).map(move |part| {
        let kind = if part.is_first { kind } else { Data::Continue };
        Message::Frame(Frame::message(part.bytes, OpCode::Data(kind), part.is_last))
    }))
}

/// Adds messages to the sink without flushing. Fails if the agent accepts none within the
/// silence limit.
pub(super) async fn feed(
    sink: &mut (impl futures_util::Sink<Message> + Unpin),
    messages: impl IntoIterator<Item = Message>,
) -> Result<(), End> {
    for message in messages {
        in_time(SILENCE_LIMIT, sink.feed(message)).await?;
    }
    Ok(())
}

/// Adds messages to the sink and flushes it.
pub(super) async fn send(
    sink: &mut (impl futures_util::Sink<Message> + Unpin),
    messages: impl IntoIterator<Item = Message>,
) -> Result<(), End> {
    feed(sink, messages).await?;
    in_time(SILENCE_LIMIT, sink.flush()).await
}

async fn in_time<E>(
    limit: Duration,
    sending: impl Future<Output = Result<(), E>>,
) -> Result<(), End> {
    match timeout(limit, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Silent),
    }
}

/// Sends one frame to an agent.
pub(super) async fn say(
    sink: &mut (impl futures_util::Sink<Message> + Unpin),
    frame: &RelayFrame,
) -> Result<(), End> {
    send(sink, messages(frame)?).await
}
