//! Sends the agent's frames during a session:
//! acknowledgements, answers of the local service, pings.

use futures_util::stream::SplitSink;
use futures_util::{Sink, SinkExt};
use podtap_connect::reason;
use podtap_wire::limits::PING_PERIOD;
use podtap_wire::{Ack, AgentFrame, Seq};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};

use super::disconnect::Disconnect;
use super::socket::messages;
use crate::answers::{Outbox, QueuedAnswer};

/// Maximum number of answers that are sent together.
const ANSWERS_AT_ONCE: usize = 64;

/// Sends acknowledgements, answers of the local service and pings until the listener is gone.
/// Separate from reading, so that neither side ever waits for the other's buffer to empty.
pub(super) async fn speak<S>(
    mut sink: SplitSink<WebSocketStream<S>, Message>,
    mut acks: watch::Receiver<Option<Seq>>,
    outbox: Option<&Outbox>,
) -> Result<(), Disconnect>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut ping = interval_at(Instant::now() + PING_PERIOD, PING_PERIOD);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // Cancel-safe: each arm only takes the next frame to send.
        tokio::select! {
            changed = acks.changed() => {
                if changed.is_err() {
                    break;
                }
                let Some(through) = *acks.borrow_and_update() else { continue };
                say(&mut sink, &AgentFrame::Ack(Ack { through })).await?;
            }
            (outbox, answer) = next_answer(outbox) => {
                answer_all(&mut sink, answer, outbox).await?;
            }
            _ = ping.tick() => {
                let ping = Message::Ping(bytes::Bytes::new());
                sink.send(ping).await.map_err(|e| to_disconnect(&e))?;
            }
        }
    }
    sink.close().await.map_err(|e| to_disconnect(&e))
}

/// Returns the next answer, if answers go to the relay. Cancel-safe, as the outbox is.
async fn next_answer(outbox: Option<&Outbox>) -> (&Outbox, QueuedAnswer) {
    match outbox {
        Some(outbox) => (outbox, outbox.next().await),
        None => std::future::pending().await,
    }
}

/// Sends this answer and the waiting ones together.
async fn answer_all(
    sink: &mut (impl Sink<Message, Error = tungstenite::Error> + Unpin),
    first: QueuedAnswer,
    outbox: &Outbox,
) -> Result<(), Disconnect> {
    // The memory of the answers is reserved until they have been sent.
    let mut rooms = Vec::new();
    let mut next = Some(first);
    while let Some(QueuedAnswer { frame, room }) = next {
        feed(sink, &AgentFrame::Response(frame)).await?;
        rooms.push(room);
        next = if rooms.len() < ANSWERS_AT_ONCE {
            outbox.try_next()
        } else {
            None
        };
    }
    sink.flush().await.map_err(|e| to_disconnect(&e))
}

pub(super) async fn say(
    sink: &mut (impl Sink<Message, Error = tungstenite::Error> + Unpin),
    frame: &AgentFrame,
) -> Result<(), Disconnect> {
    feed(sink, frame).await?;
    sink.flush().await.map_err(|e| to_disconnect(&e))
}

async fn feed(
    sink: &mut (impl Sink<Message, Error = tungstenite::Error> + Unpin),
    frame: &AgentFrame,
) -> Result<(), Disconnect> {
    for message in messages(frame)? {
        sink.feed(message).await.map_err(|e| to_disconnect(&e))?;
    }
    Ok(())
}

pub(super) fn to_disconnect(error: &tungstenite::Error) -> Disconnect {
    Disconnect::retry(format!("the connection was lost: {}", reason::words(error)))
}
