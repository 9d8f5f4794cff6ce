//! Runs one connection to the relay: hello and welcome, then events
//! into the history and acknowledgements back, until either side
//! ends it. Generic over the stream: it does not depend on sockets.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Fuse, FusedFuture, FutureExt};
use futures_util::stream::SplitStream;
use jiff::Timestamp;
use podtap_wire::limits::SILENCE_LIMIT;
use podtap_wire::{AgentFrame, DecodedFrame, Hello, Notice, RelayFrame, Seq, Welcome};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::CancellationToken;

use super::backoff::{SLEEP_CHECK, SleepWatch};
use super::disconnect::{Disconnect, Stop};
use super::gather::EventBatch;
use super::speak::{say, speak, to_disconnect};
use crate::history::{ClockSet, Fact, HistoryError, Incident, Machine, WriteTrouble};
use crate::link::LinkOutputs;

/// Maximum time for the relay's welcome.
const WELCOME_LIMIT: Duration = Duration::from_secs(10);

/// Maximum time for the end of a session when the agent
/// ends: a commit, its acknowledgement, the close.
const CLOSE_LIMIT: Duration = Duration::from_secs(3);

/// Opens a session: sends hello and waits for welcome.
pub(super) async fn open<S>(
    socket: &mut WebSocketStream<S>,
    hello: Hello,
) -> Result<Welcome, Disconnect>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let opening = async {
        say(socket, &AgentFrame::Hello(hello)).await?;
        let mut unknown = UnknownFrames::default();
        loop {
            match next_frame(socket, &mut unknown).await? {
                Some(RelayFrame::Welcome(welcome)) => return Ok(welcome),
                Some(RelayFrame::Notice(notice)) => drop(stop_of(&notice)?),
                Some(RelayFrame::Event(_) | RelayFrame::Held(_)) => {
                    return Err(Disconnect::retry(
                        "the relay sent an event before its welcome",
                    ));
                }
                None => {}
            }
        }
    };
    timeout(WELCOME_LIMIT, opening)
        .await
        .unwrap_or_else(|_| Err(Disconnect::retry("the relay did not say welcome in time")))
}

/// Runs an open session until it ends.
pub(super) async fn run<S>(
    socket: WebSocketStream<S>,
    outputs: &LinkOutputs,
    window: u32,
    token: &CancellationToken,
) -> Disconnect
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (sink, mut stream) = socket.split();
    let (acks, released) = watch::channel(None);
    let outbox = outputs.answers.as_ref().map(|(_, outbox)| outbox);
    let mut speaking = pin!(speak(sink, released, outbox));
    let end = tokio::select! {
        end = listen(&mut stream, outputs, window, acks, token) => end,
        result = &mut speaking => return result.map_or_else(|e| e, |()| Disconnect::retry("closed")),
    };
    if matches!(end, Disconnect::Stop(_)) {
        // `listen` has dropped its end of the acknowledgements: the remaining ones are sent, then
        // the close, and the relay answers with its own close.
        let _ = timeout(CLOSE_LIMIT, async {
            speaking.await?;
            while stream.next().await.is_some_and(|message| message.is_ok()) {}
            Ok::<_, Disconnect>(())
        })
        .await;
    }
    end
}

/// Reads until the connection ends. While one batch of events is being committed, the next one
/// is collected; each commit releases one acknowledgement (invariant 1: never before the commit).
async fn listen<S>(
    stream: &mut SplitStream<WebSocketStream<S>>,
    outputs: &LinkOutputs,
    window: u32,
    acks: watch::Sender<Option<Seq>>,
    token: &CancellationToken,
) -> Disconnect
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut gathered = EventBatch::within(window);
    let mut committing = pin!(Fuse::terminated());
    let mut unknown = UnknownFrames::default();
    let mut heard = Instant::now();
    let mut come_back = None;
    let mut sleep_watch = SleepWatch::new(Timestamp::now(), Instant::now());
    let storage = outputs.writer.storage();
    let mut failing = pin!(failing(storage));
    let mut sleep_check = interval(SLEEP_CHECK);
    sleep_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = loop {
        let due = gathered.due_at().filter(|_| committing.is_terminated());
        if due.is_some_and(|due| due <= Instant::now()) {
            committing.set(commit(outputs, gathered.take()).fuse());
            continue;
        }
        let has_room = gathered.has_room();
        // Cancel-safe: reading a websocket loses nothing, the commit lives outside the loop.
        tokio::select! {
            () = token.cancelled() => break Disconnect::Stop(Stop::Cancelled),
            committed = &mut committing => match committed {
                Ok(through) => {
                    // While there was no room, nothing was read.
                    heard = Instant::now();
                    gathered.finish_commit();
                    release(&acks, through);
                }
                Err(error) => break error.into(),
            },
            frame = next_frame(stream, &mut unknown), if has_room => {
                heard = Instant::now();
                match frame {
                    Ok(Some(RelayFrame::Event(event))) => gathered.add(&outputs.writer, event),
                    Ok(Some(RelayFrame::Held(held))) => {
                        if let Some((_, outbox)) = &outputs.answers {
                            outbox.hold_until_committed(held.id);
                        }
                        gathered.add_held(&outputs.writer, held);
                    }
                    Ok(Some(RelayFrame::Notice(notice))) => match stop_of(&notice) {
                        Ok(delay) => {
                            come_back = delay.or(come_back);
                            gathered.add_incident(to_incident(notice));
                        }
                        Err(stop) => break stop,
                    },
                    Ok(Some(RelayFrame::Welcome(_)) | None) => {}
                    Err(Disconnect::Retry { reason, .. }) => {
                        break Disconnect::Retry { reason, after: come_back };
                    }
                    Err(stop) => break stop,
                }
            }
            () = sleep_until(due.unwrap_or(heard)), if due.is_some() => {}
            () = sleep_until(heard + SILENCE_LIMIT), if has_room => {
                break Disconnect::retry("the relay stopped responding");
            }
            reason = &mut failing => break Disconnect::retry(reason.as_ref()),
            _ = sleep_check.tick() => {
                if sleep_watch.has_slept(Timestamp::now(), Instant::now()) {
                    break Disconnect::Retry { reason: "the machine was asleep, or its clock was set".to_owned(), after: Some(Duration::ZERO) };
                }
            }
        }
    };
    // Events that were offered to delivery are stored even if the session has ended: otherwise they
    // would arrive and be delivered again.
    let rest = async {
        if !committing.is_terminated()
            && let Ok(through) = committing.await
        {
            release(&acks, through);
        }
        if gathered.due_at().is_some()
            && let Ok(through) = commit(outputs, gathered.take()).await
        {
            release(&acks, through);
        }
    };
    let _ = timeout(CLOSE_LIMIT, rest).await;
    end
}

/// Waits until the history cannot be written; returns the reason.
async fn failing(mut storage: watch::Receiver<WriteTrouble>) -> Arc<str> {
    let reason = storage.wait_for(Option::is_some).await;
    match reason.ok().and_then(|reason| reason.clone()) {
        Some(reason) => reason,
        // The writer's thread has ended; the next write returns an error.
        None => std::future::pending().await,
    }
}

/// Queues an acknowledgement, if there is anything to acknowledge.
fn release(acks: &watch::Sender<Option<Seq>>, through: Option<Seq>) {
    if through.is_some() {
        let _ = acks.send(through);
    }
}

/// Commits events, releases the answers that wait for the commit, and returns what to acknowledge.
async fn commit(outputs: &LinkOutputs, gathered: EventBatch) -> Result<Option<Seq>, HistoryError> {
    let EventBatch {
        events,
        held,
        offered,
        through,
        incident,
        ..
    } = gathered;
    let taken = (events.len() - held.len()) as u64;
    if !events.is_empty() {
        outputs.writer.append_offered(events, offered).await?;
    }
    if let Some(incident) = incident {
        let facts = vec![Fact::Incident(incident)];
        outputs.writer.add_facts_soon(facts).await?;
    }
    if let (Some((_, outbox)), false) = (&outputs.answers, held.is_empty()) {
        outbox.release_committed(&held);
    }
    if taken > 0 {
        outputs
            .status
            .send_modify(|status| status.backlog = status.backlog.saturating_sub(taken));
    }
    Ok(through)
}

/// Returns the incident that a notice reports, if it reports one.
fn to_incident(notice: Notice) -> Option<Incident> {
    match notice {
        Notice::Gap { from, to, reason } => {
            tracing::warn!(%from, %to, reason, "the relay removed events before they were taken");
            Some(Incident::Gap { from, to, reason })
        }
        Notice::Refused {
            count,
            reason,
            last_at,
        } => {
            tracing::warn!(count, reason, "the relay refused webhooks");
            Some(Incident::Refused {
                count,
                reason,
                last_at,
            })
        }
        Notice::ClockSet { by_ms } => {
            let machine = Machine::Relay;
            Some(Incident::ClockSet(ClockSet { machine, by_ms }))
        }
        _ => None,
    }
}

/// Returns the next frame; `None` for a message that is
/// not a known frame. Cancel-safe, as the stream is.
async fn next_frame(
    stream: &mut (impl StreamExt<Item = Result<Message, tungstenite::Error>> + Unpin),
    unknown: &mut UnknownFrames,
) -> Result<Option<RelayFrame>, Disconnect> {
    let Some(message) = stream.next().await else {
        return Err(Disconnect::retry("the relay closed the connection"));
    };
    let decoded = match message.map_err(|e| to_disconnect(&e))? {
        Message::Text(text) => RelayFrame::decode_text(&text),
        Message::Binary(bytes) => RelayFrame::decode_binary(&bytes),
        Message::Close(Some(close)) if !close.reason.is_empty() => {
            return Err(Disconnect::retry(format!(
                "the relay closed the connection: {}",
                close.reason
            )));
        }
        Message::Close(_) => return Err(Disconnect::retry("the relay closed the connection")),
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(None),
    };
    match decoded {
        Ok(DecodedFrame::Frame(frame)) => Ok(Some(frame)),
        Ok(DecodedFrame::Unknown(kind)) => {
            unknown.count_skipped(&kind);
            Ok(None)
        }
        Err(error) => Err(Disconnect::retry(format!(
            "the relay sent an invalid message: {error}"
        ))),
    }
}

/// Returns an error if a notice ends the link for good, else the time after which the relay expects
/// the agent again.
fn stop_of(notice: &Notice) -> Result<Option<Duration>, Disconnect> {
    match notice {
        Notice::TakenOver(holder) => Err(Disconnect::Stop(Stop::TakenOver(holder.clone()))),
        Notice::Limit { message } => Err(Disconnect::Stop(Stop::Refused(message.clone()))),
        Notice::Revoked => Err(Disconnect::Stop(Stop::TokenRevoked)),
        Notice::Draining { come_back_after_ms } => {
            Ok(Some(Duration::from_millis(*come_back_after_ms)))
        }
        Notice::Gap { .. } | Notice::Refused { .. } | Notice::ClockSet { .. } | Notice::Unknown => {
            Ok(None)
        }
    }
}

/// Whether frames of unknown types were logged, which is done once per session.
#[derive(Debug, Default)]
struct UnknownFrames(bool);

impl UnknownFrames {
    fn count_skipped(&mut self, kind: &str) {
        if !std::mem::replace(&mut self.0, true) {
            tracing::warn!(kind, "frames of a newer relay are skipped");
        }
    }
}
