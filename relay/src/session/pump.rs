//! A session at work: queue → frames and acknowledgements → queue, until either side ends it.
//!
//! Four loops share one task: sending, receiving, acknowledging and waiting for the end. Sending
//! may block on a slow agent while the others go on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use podtap_wire::limits::{PING_PERIOD, SILENCE_LIMIT};
use podtap_wire::{
    AgentFrame, Decoded, Encoded, EventFrame, EventId, Notice, RelayFrame, ResponseFrame, Seq,
};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::window::Window;
use super::{End, Socket};
use crate::core::Core;
use crate::queue::{QueueError, ReadLimit};
use crate::tunnel::directory::Tunnel;

/// Events of one read and one flush: enough to make the flush cheap, few enough to stay small.
const READ_EVENTS: usize = 256;

/// Bytes of one read, one event more at most.
const READ_BYTES: usize = 1024 * 1024;

/// How often an agent is told of refused webhooks.
const REFUSED_PERIOD: Duration = Duration::from_secs(5);

/// How long an agent has to take the last words.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);

/// Answers awaited at one moment, beyond which those nobody waits for any more are forgotten.
const MAX_AWAITED: usize = 1024;

type Sink = SplitSink<Socket, Message>;
type Stream = SplitStream<Socket>;

/// What the loops of a session share.
pub(super) struct Pump {
    core: Arc<Core>,
    tunnel: Arc<Tunnel>,
    window: Mutex<Window>,
    /// The window has room again.
    moved: Notify,
    /// The last one acknowledged by this session; zero before the first.
    acknowledged: watch::Sender<Seq>,
    awaited: Mutex<HashMap<Seq, EventId>>,
}

impl Pump {
    pub(super) fn new(core: Arc<Core>, tunnel: Arc<Tunnel>, window: Window) -> Self {
        Self {
            core,
            tunnel,
            acknowledged: watch::Sender::new(Seq(0)),
            window: Mutex::new(window),
            moved: Notify::new(),
            awaited: Mutex::default(),
        }
    }

    /// Runs the session until it ends, says why to the agent, and stores what it acknowledged.
    pub(super) async fn run(self, socket: Socket, ended: impl Future<Output = End>) -> End {
        let (mut sink, mut stream) = socket.split();
        // No arm is polled again after one has resolved, so none needs to be cancel-safe beyond
        // leaving the socket's buffer whole, which it is after each frame.
        let end = tokio::select! {
            end = ended => end,
            end = self.send(&mut sink) => end,
            end = self.receive(&mut stream) => end,
            end = self.acknowledge() => end,
        };
        // Reading on until the agent hangs up keeps its last acknowledgements, and keeps the
        // system from resetting the connection under the last words.
        let farewell = async {
            if say_goodbye(&mut sink, &end).await {
                self.receive(&mut stream).await;
            }
        };
        let _ = timeout(FAREWELL_TIMEOUT, farewell).await;
        let through = *self.acknowledged.borrow();
        if through > Seq(0)
            && let Err(error) = self.core.queue.acknowledge(self.tunnel.id, through).await
        {
            // The events come again, and the agent's history knows them.
            tracing::debug!(%error, "the last acknowledgement is lost");
        }
        end
    }

    /// Sends events as the window allows, and pings.
    async fn send(&self, sink: &mut Sink) -> End {
        let mut pings = interval_at(Instant::now() + PING_PERIOD, PING_PERIOD);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if let Err(end) = self.send_gaps(sink, Seq(0)).await {
            return end;
        }
        let mut refused_from = Instant::now();
        loop {
            // Made before the window is read: an acknowledgement in between is not missed.
            let moved = self.moved.notified();
            let (cursor, room) = {
                let window = self.window();
                (window.cursor(), window.room())
            };
            let room = room.map(|room| ReadLimit {
                events: room.events.min(READ_EVENTS),
                bytes: room.bytes.min(READ_BYTES),
            });
            // Each arm is cancel-safe: a read dropped is a read made again from the same cursor.
            let sent = tokio::select! {
                events = self.read(cursor, room) => match events {
                    Ok(events) => self.send_events(sink, cursor, events).await,
                    Err(error) => Err(error.into()),
                },
                () = moved => Ok(()),
                () = self.tunnel.refused.pending(refused_from) => {
                    refused_from = Instant::now() + REFUSED_PERIOD;
                    self.send_refused(sink).await
                }
                _ = pings.tick() => flush(sink, [Message::Ping(Bytes::new())]).await,
            };
            if let Err(end) = sent {
                return end;
            }
        }
    }

    /// Tells what was refused since it was told last; what is not taken then is told no more.
    async fn send_refused(&self, sink: &mut Sink) -> Result<(), End> {
        let mut messages = Vec::new();
        for tally in self.tunnel.refused.take() {
            messages.push(message(&RelayFrame::Notice(tally.into()))?);
        }
        flush(sink, messages).await
    }

    async fn read(
        &self,
        cursor: Seq,
        room: Option<ReadLimit>,
    ) -> Result<Vec<EventFrame>, QueueError> {
        match room {
            Some(room) => {
                self.core
                    .queue
                    .read_after(self.tunnel.id, cursor, room)
                    .await
            }
            None => std::future::pending().await,
        }
    }

    async fn send_events(
        &self,
        sink: &mut Sink,
        cursor: Seq,
        events: Vec<EventFrame>,
    ) -> Result<(), End> {
        if events
            .first()
            .is_some_and(|first| first.seq.0 > cursor.0 + 1)
        {
            self.send_gaps(sink, cursor).await?;
        }
        let mut messages = Vec::with_capacity(events.len());
        for event in events {
            let (seq, id, bytes) = (event.seq, event.id, event.request.body.len());
            if self.core.responders.is_waiting(id) {
                self.await_answer(seq, id);
            }
            messages.push(message(&RelayFrame::Event(event))?);
            self.window().sent(seq, bytes);
        }
        self.core.metrics.events_sent.inc_by(messages.len() as u64);
        flush(sink, messages).await
    }

    async fn send_gaps(&self, sink: &mut Sink, after: Seq) -> Result<(), End> {
        let gaps = self.core.queue.gaps(self.tunnel.id).await?;
        let mut messages = Vec::new();
        for gap in gaps.into_iter().filter(|gap| gap.to > after) {
            self.window().skip(gap.to);
            messages.push(message(&RelayFrame::Notice(Notice::Gap {
                from: gap.from,
                to: gap.to,
                reason: gap.reason,
            }))?);
        }
        flush(sink, messages).await
    }

    /// Takes what the agent says. Any message, a ping included, breaks the silence.
    async fn receive(&self, stream: &mut Stream) -> End {
        loop {
            let frame = match timeout(SILENCE_LIMIT, stream.next()).await {
                Err(_) => return End::Silent,
                Ok(None | Some(Err(_) | Ok(Message::Close(_)))) => return End::Gone,
                Ok(Some(Ok(Message::Text(text)))) => AgentFrame::decode_text(&text),
                Ok(Some(Ok(Message::Binary(bytes)))) => AgentFrame::decode_binary(&bytes),
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => continue,
            };
            match frame {
                Ok(Decoded::Frame(AgentFrame::Ack(ack))) => self.take_ack(ack.through),
                Ok(Decoded::Frame(AgentFrame::Response(answer))) => self.take_answer(answer),
                Ok(Decoded::Frame(AgentFrame::Hello(_))) => {
                    return End::Protocol("a second hello".to_owned());
                }
                Ok(Decoded::Unknown(kind)) => {
                    tracing::warn!(?kind, "a frame of an unknown type was skipped");
                }
                Err(error) => return End::Protocol(error.to_string()),
            }
        }
    }

    /// Passes acknowledgements on to the queue, as one what arrives while one is under way.
    async fn acknowledge(&self) -> End {
        let mut wanted = self.acknowledged.subscribe();
        loop {
            if wanted.changed().await.is_err() {
                return End::Gone;
            }
            let through = *wanted.borrow_and_update();
            if let Err(error) = self.core.queue.acknowledge(self.tunnel.id, through).await {
                return error.into();
            }
        }
    }

    fn take_ack(&self, through: Seq) {
        let believed = self.window().acknowledge(through);
        self.core.metrics.acknowledgements.inc();
        self.moved.notify_one();
        self.acknowledged.send_if_modified(|last| {
            let moves = believed > *last;
            *last = believed.max(*last);
            moves
        });
    }

    fn await_answer(&self, seq: Seq, id: EventId) {
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        if awaited.len() >= MAX_AWAITED {
            awaited.retain(|_, id| self.core.responders.is_waiting(*id));
        }
        awaited.insert(seq, id);
    }

    fn take_answer(&self, answer: ResponseFrame) {
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = awaited.remove(&answer.seq) {
            self.core.responders.answer(id, answer.response);
        }
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts everything into the sink, then flushes once. An agent that takes nothing for as long as
/// the silence limit is gone.
async fn flush(sink: &mut Sink, messages: impl IntoIterator<Item = Message>) -> Result<(), End> {
    let send = async {
        for message in messages {
            sink.feed(message).await?;
        }
        sink.flush().await
    };
    match timeout(SILENCE_LIMIT, send).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Silent),
    }
}

/// The notice and the close frame that belong to this end. Whether the agent can have got them.
async fn say_goodbye(sink: &mut Sink, end: &End) -> bool {
    let Some(close) = end.close() else {
        return false;
    };
    let notice = end
        .notice()
        .map(|notice| message(&RelayFrame::Notice(notice)));
    let notice = notice.and_then(Result::ok);
    let words = notice.into_iter().chain([Message::Close(Some(close))]);
    flush(sink, words).await.is_ok()
}

pub(super) fn message(frame: &RelayFrame) -> Result<Message, End> {
    match frame.encode() {
        Ok(Encoded::Text(text)) => Ok(Message::text(text)),
        Ok(Encoded::Binary(bytes)) => Ok(Message::binary(bytes)),
        Err(error) => {
            tracing::error!(%error, "a frame cannot be encoded");
            Err(End::Unavailable)
        }
    }
}
