//! A session at work: queue → frames and acknowledgements → queue, until either side ends it.
//!
//! Three loops share one task: sending, receiving and waiting for the end. Sending may block on a
//! slow agent while the others go on. What a session does now and then is boxed: an idle one, of which
//! there may be ten thousand, keeps no room for it.

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

/// Events of one read and one flush: enough to make the flush cheap, few enough to stay small.
const READ_EVENTS: usize = 256;

/// Bytes of events that a session reads without a grant of its owner's account.
const FREE_BYTES: usize = 64 * 1024;

/// How often an agent is told of refused webhooks.
const REFUSED_PERIOD: Duration = Duration::from_secs(5);

/// How long an agent has to take the last words.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(2);

/// What the loops of a session share.
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

/// What a read brought.
struct PumpPage {
    events: Vec<EventFrame>,
    /// Everything up to here was looked at where there are no events.
    last: Seq,
    _grant: Option<BudgetGrant>,
}

/// How far a session is.
pub(super) struct PumpProgress {
    window: Mutex<SendWindow>,
    /// The window has room again.
    moved: Notify,
    /// An unknown frame was told of in the log, as one a session is.
    told_unknown: AtomicBool,
    /// The session ends: nothing new is sent.
    stop: CancellationToken,
}

impl PumpProgress {
    /// Nothing sent yet.
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
    /// Runs the session until it ends, says why to the agent, and stores what it acknowledged.
    pub(super) async fn run(
        &self,
        sink: &mut SocketSink,
        stream: &mut SocketStream,
        ended: impl Future<Output = End>,
    ) -> End {
        let (end, is_whole) = {
            let mut sending = pin!(self.send(sink).fuse());
            // The others are not polled again after one has resolved.
            let end = tokio::select! {
                end = ended => end,
                end = &mut sending => end,
                end = self.receive(stream) => end,
            };
            self.answers.end();
            // A message of which a part is out has to end before another one begins.
            self.progress.stop.cancel();
            let is_whole = sending.is_terminated()
                || Box::pin(timeout(FAREWELL_TIMEOUT, sending)).await.is_ok();
            (end, is_whole)
        };
        Box::pin(self.finish(sink, stream, &end, is_whole)).await;
        end
    }

    /// The last words of a session, and the last acknowledgement.
    async fn finish(
        &self,
        sink: &mut SocketSink,
        stream: &mut SocketStream,
        end: &End,
        is_whole: bool,
    ) {
        // Reading on until the agent hangs up keeps its last acknowledgements, and keeps the
        // system from resetting the connection under the last words.
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
            // The events come again, and the agent's history knows them.
            tracing::debug!(%error, "the last acknowledgement is lost");
        }
    }

    /// Sends events as the window allows, and pings.
    async fn send(&self, sink: &mut SocketSink) -> End {
        let mut pings = interval_at(self.first_ping, PING_PERIOD);
        // One that is late is no reason to leave the others, with whom it goes.
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
            // Made before the window is read: an acknowledgement in between is not missed.
            let moved = self.progress.moved.notified();
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

    /// Tells what was refused since it was told last; what is not taken then is told no more.
    async fn send_refused(&self, sink: &mut SocketSink) -> Result<(), End> {
        for tally in self.tunnel.refused.take() {
            feed(sink, messages(&RelayFrame::Notice(tally.into()))?).await?;
        }
        send(sink, []).await
    }

    /// The next events, as soon as there are any and the owner's account has memory for them. A
    /// deaf agent holds that until it is given up, and holds up none but its owner's others.
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
        // One event comes whole, whatever the limit.
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
            // Events may be missing anywhere: one that was damaged leaves a gap between two.
            if seq.0 > cursor.0 + 1 {
                self.send_gaps(sink, cursor, seq).await?;
            }
            cursor = seq;
            self.answers.will_send(seq, id);
            self.window().record_sent(seq, bytes);
            // Encoded one by one: the others stay as small as they are.
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

    /// Goes past events of which none is left, up to `last`: nothing may ever follow them, so the
    /// agent hears of it now.
    async fn go_past(&self, sink: &mut SocketSink, cursor: Seq, last: Seq) -> Result<(), End> {
        let next = Seq(last.0.saturating_add(1));
        self.send_gaps(sink, cursor, next).await?;
        self.window().skip(last);
        Ok(())
    }

    /// Tells the gaps that end after `after` and begin before `before`.
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

    /// Takes what the agent says. Any message, a ping included, breaks the silence, and so does any
    /// part of a large one, which has to end in time.
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

    /// What an error of the websocket means.
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

/// The notice and the close frame that belong to this end. Whether the agent can have got them.
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
