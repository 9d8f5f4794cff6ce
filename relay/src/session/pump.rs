//! Runs a session at work: queue → frames and acknowledgements → queue, until either side ends it.
//!
//! Sending, receiving and waiting for the end are loops in one task; sending may block alone. Rare
//! work is boxed, so that an idle session, of which there may be ten thousand, needs no memory.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::FusedFuture as _;
use futures_util::{FutureExt as _, StreamExt as _};
use podtap_wire::limits::{MAX_CONTROL_BYTES, PING_PERIOD, SILENCE_LIMIT};
use podtap_wire::{
    AgentFrame, DecodedFrame, EventFrame, HeldFrame, Notice, RelayFrame, Respond, Seq,
};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use super::account::{OwnerAccount, READ_BYTES};
use super::answers::AwaitedAnswers;
use super::budget::BudgetGrant;
use super::end::End;
use super::meter::Meter;
use super::pulse::Pulse;
use super::socket::{SocketSink, SocketStream, feed, held_messages, messages, say, send};
use super::window::SendWindow;
use crate::metrics::Metrics;
use crate::queue::{Depth, Gap, Queue, QueueError, ReadLimit, SessionId};
use crate::tunnel::directory::Tunnel;

/// Maximum number of events per read and flush: enough for a cheap flush, few enough for memory.
const READ_EVENTS: usize = 256;

/// Maximum number of bytes of events that a session reads without a grant of its owner's account.
const FREE_BYTES: usize = 64 * 1024;

/// Time between two notices of refused webhooks to an agent.
const REFUSED_PERIOD: Duration = Duration::from_secs(5);

/// Maximum time for an agent to receive the notice and close frame at the end.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) struct Pump {
    pub(super) queue: Arc<dyn Queue>,
    pub(super) answers: AwaitedAnswers,
    pub(super) metrics: Arc<Metrics>,
    pub(super) account: Arc<OwnerAccount>,
    pub(super) meter: Arc<Meter>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) tunnel: Arc<Tunnel>,
    pub(super) session: SessionId,
    pub(super) respond: Respond,
    /// How far the relay's clock was set.
    pub(super) clock: watch::Receiver<i64>,
    pub(super) first_ping: Instant,
    pub(super) progress: PumpProgress,
}

struct PumpPage {
    events: Vec<EventFrame>,
    /// If there are no events, the last sequence number that was checked.
    last: Seq,
    _grant: Option<BudgetGrant>,
}

pub(super) struct PumpProgress {
    window: Mutex<SendWindow>,
    /// Notified when the window has room again.
    moved: Notify,
    /// Whether an unknown frame was logged, which is done once per session.
    told_unknown: AtomicBool,
    /// Cancelled when the session ends: nothing new is sent.
    stop: CancellationToken,
}

impl PumpProgress {
    pub(super) fn new(window: SendWindow) -> Self {
        Self {
            window: Mutex::new(window),
            moved: Notify::new(),
            told_unknown: AtomicBool::new(false),
            stop: CancellationToken::new(),
        }
    }
}

impl Pump {
    /// Runs the session until it ends, sends the reason, and stores the last acknowledgement.
    pub(super) async fn run(
        &self,
        sink: &mut SocketSink,
        stream: &mut SocketStream,
        ended: impl Future<Output = End>,
    ) -> End {
        let (end, is_whole) = {
            let mut sending = pin!(self.send(sink).fuse());
            // The other futures are not polled again after one has completed.
            let end = tokio::select! {
                end = ended => end,
                end = &mut sending => end,
                end = self.receive(stream) => end,
            };
            self.answers.end();
            // A message that was sent in part must be completed before another one begins.
            self.progress.stop.cancel();
            let is_whole = sending.is_terminated()
                || Box::pin(timeout(FAREWELL_TIMEOUT, sending)).await.is_ok();
            (end, is_whole)
        };
        Box::pin(self.finish(sink, stream, &end, is_whole)).await;
        end
    }

    /// Sends the notice and the close frame, and stores the last acknowledgement.
    async fn finish(
        &self,
        sink: &mut SocketSink,
        stream: &mut SocketStream,
        end: &End,
        is_whole: bool,
    ) {
        // Reading on receives the last acknowledgements, and prevents a reset of the connection.
        let farewell = async {
            if is_whole && say_goodbye(sink, end).await {
                self.receive(stream).await;
            }
        };
        let _ = timeout(FAREWELL_TIMEOUT, farewell).await;
        let (queue, tunnel) = (&self.queue, self.tunnel.id);
        let through = self.window().last_acknowledged();
        if let Some(through) = through
            && let Err(error) = queue.acknowledge(tunnel, self.session, through).await
        {
            // The events are sent again, and the agent's history recognizes them.
            tracing::debug!(%error, "the last acknowledgement is lost");
        }
    }

    /// Sends events as the window allows, and pings.
    async fn send(&self, sink: &mut SocketSink) -> End {
        let mut pings = interval_at(self.first_ping, PING_PERIOD);
        // A late ping must not shift the next ones, which are sent with those of other sessions.
        pings.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let next = Seq(self.window().cursor().0.saturating_add(2));
        if let Err(end) = Box::pin(self.send_gaps(sink, Seq(0), next)).await {
            return end;
        }
        let mut refused_from = Instant::now();
        let mut clock = self.clock.clone();
        let mut depths = match self.queue.follow(self.tunnel.id).await {
            Ok(depths) => depths,
            Err(error) => return error.into(),
        };
        let now = depths.clone();
        loop {
            // Created before the window is read, so that no acknowledgement in between is missed.
            let moved = self.progress.moved.notified();
            let (cursor, room) = {
                let window = self.window();
                (window.cursor(), window.room())
            };
            let room = room.map(|room| ReadLimit {
                events: room.events.min(READ_EVENTS),
                bytes: room.bytes.min(READ_BYTES),
            });
            // Each arm is cancel-safe: a read that is dropped is repeated from the same cursor.
            let sent = tokio::select! {
                read = self.read(&mut depths, cursor, room) => match read {
                    Ok(read) if read.events.is_empty() => {
                        Box::pin(self.go_past(sink, cursor, read.last)).await
                    }
                    Ok(read) => Box::pin(self.send_events(sink, cursor, read.events)).await,
                    Err(error) => Err(error.into()),
                },
                held = self.answers.next_held(&now, &self.progress.window) => {
                    Box::pin(self.send_held(sink, &held)).await
                }
                () = moved, if room.is_none() => Ok(()),
                () = self.progress.stop.cancelled() => return End::Gone,
                () = self.pulse.wait_for_question() => Box::pin(ping(sink)).await,
                () = self.tunnel.refused.pending(refused_from) => {
                    refused_from = Instant::now() + REFUSED_PERIOD;
                    Box::pin(self.send_refused(sink)).await
                }
                Ok(()) = clock.changed() => {
                    let by_ms = *clock.borrow_and_update();
                    let notice = RelayFrame::Notice(Notice::ClockSet { by_ms });
                    Box::pin(say(sink, &notice)).await
                }
                _ = pings.tick() => Box::pin(ping(sink)).await,
            };
            if let Err(end) = sent {
                return end;
            }
        }
    }

    /// Sends notices about webhooks refused since the last call. If that fails, they are lost.
    async fn send_refused(&self, sink: &mut SocketSink) -> Result<(), End> {
        for tally in self.tunnel.refused.take() {
            feed(sink, messages(&RelayFrame::Notice(tally.into()))?).await?;
        }
        send(sink, []).await
    }

    /// Waits for events and memory. An agent that does not read only delays those of its owner.
    async fn read(
        &self,
        depths: &mut watch::Receiver<Depth>,
        cursor: Seq,
        room: Option<ReadLimit>,
    ) -> Result<PumpPage, QueueError> {
        let Some(room) = room else {
            return std::future::pending().await;
        };
        let waiting = depths.wait_for(|depth| depth.last > cursor).await;
        let waiting = *waiting.map_err(|_| QueueError::UnknownTunnel)?;
        Box::pin(self.read_waiting(waiting, cursor, room)).await
    }

    async fn read_waiting(
        &self,
        waiting: Depth,
        cursor: Seq,
        room: ReadLimit,
    ) -> Result<PumpPage, QueueError> {
        // One event is always read whole, whatever the limit.
        let most = usize::try_from(waiting.bytes).unwrap_or(usize::MAX);
        let mut grant = None;
        if most > FREE_BYTES {
            grant = Some(self.account.sending.take(most).await);
        }
        let queue = &self.queue;
        let events = queue.read_after(self.tunnel.id, cursor, room).await?;
        if let Some(grant) = &mut grant {
            let bytes = events.iter().map(|event| event.request.footprint()).sum();
            grant.shrink(bytes);
        }
        Ok(PumpPage {
            events,
            last: waiting.last,
            _grant: grant,
        })
    }

    async fn send_events(
        &self,
        sink: &mut SocketSink,
        mut cursor: Seq,
        events: Vec<EventFrame>,
    ) -> Result<(), End> {
        self.metrics.events_sent.inc_by(events.len() as u64);
        for event in events {
            if self.progress.stop.is_cancelled() {
                return Err(End::Gone);
            }
            let (seq, id, bytes) = (event.seq, event.id, event.request.footprint());
            // A gap may be between any two events, for example after a damaged event was removed.
            if seq.0 > cursor.0 + 1 {
                self.send_gaps(sink, cursor, seq).await?;
            }
            cursor = seq;
            self.answers.will_send(seq, id);
            self.window().record_sent(seq, bytes);
            // Events are encoded one by one, because the encoded form is larger.
            feed(sink, messages(&RelayFrame::Event(event))?).await?;
        }
        send(sink, []).await
    }

    async fn send_held(&self, sink: &mut SocketSink, held: &[Arc<HeldFrame>]) -> Result<(), End> {
        self.metrics.events_sent.inc_by(held.len() as u64);
        for frame in held {
            if self.progress.stop.is_cancelled() {
                return Err(End::Gone);
            }
            feed(sink, held_messages(frame)?).await?;
        }
        send(sink, []).await
    }

    /// Skips removed events up to `last` and sends the gaps now, because no event may ever follow.
    async fn go_past(&self, sink: &mut SocketSink, cursor: Seq, last: Seq) -> Result<(), End> {
        let next = Seq(last.0.saturating_add(1));
        self.send_gaps(sink, cursor, next).await?;
        self.window().skip(last);
        Ok(())
    }

    /// Sends notices of the gaps that end after `after` and begin before `before`.
    async fn send_gaps(&self, sink: &mut SocketSink, after: Seq, before: Seq) -> Result<(), End> {
        let gaps = self.queue.gaps(self.tunnel.id).await?;
        let told = |gap: &Gap| gap.to > after && gap.from < before;
        for gap in gaps.into_iter().filter(told) {
            self.window().skip(gap.to);
            let notice = RelayFrame::Notice(Notice::Gap {
                from: gap.from,
                to: gap.to,
                reason: gap.reason,
            });
            feed(sink, messages(&notice)?).await?;
        }
        send(sink, []).await
    }

    /// Receives messages. Any part of one is a sign of life, but a large one has to end in time.
    async fn receive(&self, stream: &mut SocketStream) -> End {
        loop {
            let message = match timeout(SILENCE_LIMIT, stream.next()).await {
                _ if self.meter.is_overdue() => {
                    return End::Protocol("a message did not end in time".to_owned());
                }
                Err(_) if self.meter.last_read_at().elapsed() < SILENCE_LIMIT => continue,
                Err(_) => return End::Silent,
                Ok(None | Some(Ok(Message::Close(_)))) => return End::Gone,
                Ok(Some(Err(error))) => return self.end_of_error(&error),
                Ok(Some(Ok(message))) => message,
            };
            self.pulse.beat();
            if let Err(end) = self.take(&message) {
                return end;
            }
        }
    }

    fn take(&self, message: &Message) -> Result<(), End> {
        if let Message::Ping(payload) | Message::Pong(payload) = message {
            self.meter.control_frame(payload.len());
            return Ok(());
        }
        let grant = self.meter.message_ended();
        if self.respond == Respond::Stored && message.len() > MAX_CONTROL_BYTES {
            return Err(End::too_large(MAX_CONTROL_BYTES));
        }
        let frame = match message {
            Message::Text(text) => AgentFrame::decode_text(text),
            Message::Binary(bytes) => AgentFrame::decode_binary(bytes),
            _ => return Ok(()),
        };
        match frame {
            Ok(DecodedFrame::Frame(AgentFrame::Ack(ack))) => self.take_ack(ack.through),
            Ok(DecodedFrame::Frame(AgentFrame::Response(answer))) => {
                self.answers.take(answer, grant);
            }
            Ok(DecodedFrame::Frame(AgentFrame::Hello(_))) => {
                return Err(End::Protocol("a second hello".to_owned()));
            }
            Ok(DecodedFrame::Unknown(kind)) => {
                if !self.progress.told_unknown.swap(true, Ordering::Relaxed) {
                    tracing::warn!(?kind, "frames of an unknown type are skipped");
                }
            }
            Err(error) => return Err(End::Protocol(error.to_string())),
        }
        Ok(())
    }

    fn end_of_error(&self, error: &Error) -> End {
        match (error, self.meter.exceeding_size()) {
            (_, Some(most)) => End::too_large(most),
            (Error::Capacity(error), None) => End::Protocol(error.to_string()),
            _ => End::Gone,
        }
    }

    fn take_ack(&self, through: Seq) {
        let believed = self.window().acknowledge(through);
        self.metrics.acknowledgements.inc();
        self.progress.moved.notify_one();
        self.queue
            .acknowledge_soon(self.tunnel.id, self.session, believed);
    }

    fn window(&self) -> MutexGuard<'_, SendWindow> {
        self.progress
            .window
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ping(sink: &mut SocketSink) -> Result<(), End> {
    send(sink, [Message::Ping(Bytes::new())]).await
}

/// Sends the notice and the close frame. Returns whether the agent can have received them.
async fn say_goodbye(sink: &mut SocketSink, end: &End) -> bool {
    let Some(close) = end.close() else {
        return false;
    };
    let notice = end.notice().map(RelayFrame::Notice);
    let notice = notice.and_then(|notice| messages(&notice).ok());
    let words = notice.into_iter().flatten();
    let words = words.chain([Message::Close(Some(close))]);
    send(sink, words).await.is_ok()
}
