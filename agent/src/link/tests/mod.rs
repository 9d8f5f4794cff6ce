//! Tests sessions over a stream in memory with the clock paused. The test acts as the relay and as
//! the history, since a paused clock would not wait for a writer thread.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use jiff::Timestamp;
use podtap_wire::{
    AgentFrame, DecodedFrame, EncodedFrame, EventFrame, EventId, HeaderList, HeldFrame, Hello,
    Notice, RelayFrame, RelayLimits, Respond, ResponseFrame, ResponseTo, Seq, TunnelHolder,
    WebhookRequest, WebhookResponse, Welcome,
};
use tokio::io::DuplexStream;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, protocol::Role};
use tokio_util::sync::CancellationToken;

use super::disconnect::{Disconnect, Stop};
use super::{LinkOutputs, session};
use crate::answers::{Allowance, Outbox};
use crate::change::Change;
use crate::history::{
    self, AppendCounts, ClockSet, HistoryCommand, HistoryError, Incident, Machine, NewEvent,
    Writer, announced_by,
};
use crate::status::{LinkState, Status};

const WINDOW: u32 = 10;

/// A session, with its relay and history controlled by the test.
struct World {
    relay: WebSocketStream<DuplexStream>,
    history: mpsc::Receiver<HistoryCommand>,
    outbox: Outbox,
    status: watch::Receiver<Status>,
    changes: broadcast::Receiver<Change>,
    token: CancellationToken,
    session: JoinSet<Disconnect>,
}

impl World {
    /// Opens a session that has received its welcome.
    async fn open() -> Self {
        let mut world = Self::hello().await;
        world.send(RelayFrame::Welcome(welcome())).await;
        world
    }

    /// Opens a session that has sent its hello.
    async fn hello() -> Self {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let relay = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
        let (writer, history) = Writer::for_test();
        let outbox = Outbox::default();
        let (sender, changes) = broadcast::channel(16);
        let status = watch::Sender::new(Status::default());
        let token = CancellationToken::new();
        let outputs = LinkOutputs {
            writer,
            status: status.clone(),
            changes: sender,
            answers: Some((Allowance::default(), outbox.clone())),
        };
        let mut session = JoinSet::new();
        session.spawn(run(near, outputs, token.clone()));
        let status = status.subscribe();
        let mut world = Self {
            relay,
            history,
            outbox,
            status,
            changes,
            token,
            session,
        };
        let Some(AgentFrame::Hello(hello)) = world.next_frame().await else {
            panic!("no hello")
        };
        assert_eq!((hello.tunnel.as_str(), hello.window), ("crm", WINDOW));
        world
    }

    async fn send(&mut self, frame: RelayFrame) {
        let message = match frame.encode().unwrap() {
            EncodedFrame::Text(text) => Message::text(text),
            EncodedFrame::Binary(bytes) => Message::Binary(bytes),
        };
        self.relay.send(message).await.unwrap();
    }

    async fn send_event(&mut self, seq: u64) {
        self.send(RelayFrame::Event(event(seq))).await;
    }

    /// Returns the agent's next frame; `None` once it has closed. Pings are skipped.
    async fn next_frame(&mut self) -> Option<AgentFrame> {
        loop {
            let decoded = match self.relay.next().await?.ok()? {
                Message::Text(text) => AgentFrame::decode_text(&text),
                Message::Binary(bytes) => AgentFrame::decode_binary(&bytes),
                Message::Close(_) => return None,
                _ => continue,
            };
            let DecodedFrame::Frame(frame) = decoded.unwrap() else {
                panic!("an unknown frame")
            };
            return Some(frame);
        }
    }

    async fn next_ack(&mut self) -> Seq {
        match self.next_frame().await {
            Some(AgentFrame::Ack(ack)) => ack.through,
            other => panic!("no acknowledgement but {other:?}"),
        }
    }

    /// Returns the next append that the history receives, and a function that answers it.
    async fn next_append(&mut self) -> (Vec<u64>, impl FnOnce(Result<(), HistoryError>) + use<>) {
        let Some(HistoryCommand::Append { events, answer, .. }) = self.history.recv().await else {
            panic!("no append")
        };
        let seqs = events
            .iter()
            .map(|event: &NewEvent| event.seq.unwrap().0)
            .collect();
        let new = events.len();
        let answer = move |result: Result<(), HistoryError>| {
            answer
                .send(result.map(|()| AppendCounts { new, known: 0 }))
                .unwrap();
        };
        (seqs, answer)
    }

    async fn end(&mut self) -> Disconnect {
        self.session.join_next().await.unwrap().unwrap()
    }
}

async fn run(stream: DuplexStream, outputs: LinkOutputs, token: CancellationToken) -> Disconnect {
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    let hello = Hello {
        client: "test".to_owned(),
        tunnel: "crm".parse().unwrap(),
        window: WINDOW,
        respond: Respond::Local,
        epoch: None,
        host: None,
        take_over: false,
        pass_through: true,
    };
    match session::open(&mut socket, hello).await {
        Ok(welcome) => outputs.apply_welcome(welcome),
        Err(end) => return end,
    }
    session::run(socket, &outputs, WINDOW, &token).await
}

fn welcome() -> Welcome {
    Welcome {
        url: "https://hooks.test/key/".to_owned(),
        tunnel: "crm".parse().unwrap(),
        backlog: 3,
        limits: RelayLimits::default(),
        server: "relay".to_owned(),
        epoch: 0,
    }
}

fn event(seq: u64) -> EventFrame {
    let request = WebhookRequest {
        received_at: Timestamp::UNIX_EPOCH,
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: HeaderList::default(),
        peer: None,
        body: "body".into(),
    };
    EventFrame {
        seq: Seq(seq),
        id: EventId::from_parts(Timestamp::UNIX_EPOCH, seq.into()),
        request,
    }
}

fn reason(end: &Disconnect) -> &str {
    match end {
        Disconnect::Retry { reason, .. } => reason,
        Disconnect::Stop(stop) => panic!("stopped: {stop:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn events_are_acknowledged_after_their_commit_and_once_a_batch() {
    let mut world = World::open().await;
    world.send_event(5).await;
    let (seqs, committed) = world.next_append().await;
    assert_eq!(seqs, [5]);

    // These events are collected while the first batch is being committed.
    for seq in 6..=8 {
        world.send_event(seq).await;
    }
    let early = tokio::time::timeout(Duration::from_secs(5), world.next_frame()).await;
    assert!(early.is_err(), "acknowledged before the commit: {early:?}");

    committed(Ok(()));
    assert_eq!(world.next_ack().await, Seq(5));
    let (seqs, committed) = world.next_append().await;
    assert_eq!(seqs, [6, 7, 8]);
    committed(Ok(()));
    assert_eq!(world.next_ack().await, Seq(8));
    assert_eq!(world.status.borrow().backlog, 0);
}

#[tokio::test(start_paused = true)]
async fn events_that_cannot_be_stored_are_not_acknowledged_and_end_the_link() {
    let mut world = World::open().await;
    world.send_event(1).await;

    let (_, committed) = world.next_append().await;
    committed(Err(HistoryError::Closed));

    assert!(matches!(
        world.end().await,
        Disconnect::Stop(Stop::History(HistoryError::Closed))
    ));
    assert_eq!(world.next_frame().await, None);
}

#[tokio::test(start_paused = true)]
async fn thirty_seconds_of_silence_end_the_connection_and_pings_keep_it() {
    let mut world = World::open().await;
    let began = Instant::now();
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_secs(20)).await;
        world.relay.send(Message::Ping("".into())).await.unwrap();
    }

    let end = world.end().await;

    assert_eq!(reason(&end), "the relay stopped responding");
    assert_eq!(began.elapsed().as_secs(), 150);
}

#[tokio::test(start_paused = true)]
async fn the_agent_pings_every_ten_seconds() {
    let mut world = World::open().await;
    let began = Instant::now();
    let mut pings = 0;
    while pings < 2 {
        if let Message::Ping(_) = world.relay.next().await.unwrap().unwrap() {
            pings += 1;
        }
    }
    assert_eq!(began.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_never_says_welcome_is_left() {
    let mut world = World::hello().await;
    let end = world.end().await;
    assert_eq!(reason(&end), "the relay did not say welcome in time");
}

#[tokio::test(start_paused = true)]
async fn notices_that_are_final_stop_the_link() {
    let mut world = World::open().await;
    let holder = TunnelHolder {
        host: Some("elsewhere".to_owned()),
        since: None,
    };
    let notice = Notice::TakenOver(holder.clone());
    world.send(RelayFrame::Notice(notice)).await;
    let end = world.end().await;
    assert!(
        matches!(&end, Disconnect::Stop(Stop::TakenOver(told)) if *told == holder),
        "{end:?}"
    );

    let mut world = World::open().await;
    world.send(RelayFrame::Notice(Notice::Revoked)).await;
    assert!(matches!(
        world.end().await,
        Disconnect::Stop(Stop::TokenRevoked)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_drains_is_come_back_to_when_it_said() {
    let mut world = World::open().await;
    world
        .send(RelayFrame::Notice(Notice::Draining {
            come_back_after_ms: 1500,
        }))
        .await;
    world.send_event(1).await;
    let (_, committed) = world.next_append().await;
    committed(Ok(()));
    assert_eq!(world.next_ack().await, Seq(1));
    world.relay.close(None).await.unwrap();

    let end = world.end().await;

    let after = Some(Duration::from_millis(1500));
    assert!(
        matches!(&end, Disconnect::Retry { after: found, .. } if *found == after),
        "{end:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_announced_and_what_is_unknown_is_skipped() {
    let mut world = World::open().await;
    world
        .relay
        .send(Message::text(r#"{"type":"from-the-future","x":1}"#))
        .await
        .unwrap();
    world
        .relay
        .send(Message::text(r#"{"type":"notice","kind":"party"}"#))
        .await
        .unwrap();
    let reason = "older than 7 days".to_owned();
    let gap = Notice::Gap {
        from: Seq(3),
        to: Seq(9),
        reason: reason.clone(),
    };
    world.send(RelayFrame::Notice(gap)).await;

    assert!(matches!(
        world.changes.recv().await,
        Ok(Change::Link(LinkState::Up { .. }))
    ));
    let Some(HistoryCommand::Run(note)) = world.history.recv().await else {
        panic!("no note");
    };
    let gap = history::HistoryChange::Incident(Incident::Gap {
        from: Seq(3),
        to: Seq(9),
        reason,
    });
    assert!(announced_by(note).contains(&gap));
}

/// A gap is a row of the history, between the events before it and those after it.
#[tokio::test(start_paused = true)]
async fn a_gap_is_written_after_the_events_before_it_and_before_those_after_it() {
    let mut world = World::open().await;
    world.send_event(1).await;
    world.send_event(2).await;
    let gap = Notice::Gap {
        from: Seq(3),
        to: Seq(9),
        reason: "its age".to_owned(),
    };
    world.send(RelayFrame::Notice(gap)).await;
    world.send_event(10).await;

    let (before, committed) = world.next_append().await;
    committed(Ok(()));
    let Some(HistoryCommand::Run(_)) = world.history.recv().await else {
        panic!("no note");
    };
    let (after, committed) = world.next_append().await;
    committed(Ok(()));
    assert_eq!((before, after), (vec![1, 2], vec![10]));
}

#[tokio::test(start_paused = true)]
async fn a_relay_whose_clock_is_set_is_told_of() {
    let mut world = World::open().await;
    let by_ms = 8 * 24 * 60 * 60 * 1000;

    world
        .send(RelayFrame::Notice(Notice::ClockSet { by_ms }))
        .await;

    let Some(HistoryCommand::Run(note)) = world.history.recv().await else {
        panic!("no note");
    };
    let machine = Machine::Relay;
    let set = history::HistoryChange::Incident(Incident::ClockSet(ClockSet { machine, by_ms }));
    assert_eq!(announced_by(note), [set]);
}

#[tokio::test(start_paused = true)]
async fn the_local_services_answers_go_back() {
    let mut world = World::open().await;
    let headers = [("content-type", "text/plain")].into_iter().collect();
    let response = WebhookResponse {
        status: 418,
        headers,
        body: "tea".into(),
    };
    let frame = ResponseFrame {
        to: ResponseTo::Stored(Seq(4)),
        response,
    };

    world.outbox.push(frame.clone().into());

    assert_eq!(world.next_frame().await, Some(AgentFrame::Response(frame)));
}

/// An event that the relay has not stored is answered only once it is on stable storage here.
#[tokio::test(start_paused = true)]
async fn an_answer_to_what_is_not_stored_waits_for_its_commit_and_nothing_is_acknowledged() {
    let mut world = World::open().await;
    let EventFrame { id, request, .. } = event(9);
    world
        .send(RelayFrame::Held(HeldFrame { id, request }))
        .await;
    let (seqs, committed) = world.next_append().await;
    assert_eq!(seqs, [0]);
    let response = WebhookResponse {
        status: 201,
        headers: HeaderList::default(),
        body: "made".into(),
    };
    let to = ResponseTo::Held(id);
    let frame = ResponseFrame { to, response };
    world.outbox.push(frame.clone().into());
    let early = tokio::time::timeout(Duration::from_secs(5), world.next_frame());
    assert!(early.await.is_err(), "before the commit");

    committed(Ok(()));

    assert_eq!(world.next_frame().await, Some(AgentFrame::Response(frame)));
    // The next event of the queue is acknowledged as usual.
    world.send_event(1).await;
    let (seqs, committed) = world.next_append().await;
    assert_eq!(seqs, [1]);
    committed(Ok(()));
    assert_eq!(world.next_ack().await, Seq(1));
}

#[tokio::test(start_paused = true)]
async fn where_a_sender_waits_the_commit_does_not() {
    let mut world = World::open().await;
    world.send_event(1).await;
    let EventFrame { id, request, .. } = event(9);
    world
        .send(RelayFrame::Held(HeldFrame { id, request }))
        .await;
    world.send_event(2).await;
    let begun = Instant::now();
    let (first, committed) = world.next_append().await;
    assert!(
        begun.elapsed() < Duration::from_millis(10),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(first[..2], [1, 0]);
    committed(Ok(()));
    assert_eq!(
        world.next_ack().await,
        Seq(if first.len() == 2 { 1 } else { 2 })
    );
}

#[tokio::test(start_paused = true)]
async fn at_the_end_the_commit_under_way_is_acknowledged_and_then_the_link_closes() {
    let mut world = World::open().await;
    world.send_event(1).await;
    let (_, committed) = world.next_append().await;
    world.token.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;

    committed(Ok(()));

    assert_eq!(world.next_ack().await, Seq(1));
    assert_eq!(world.next_frame().await, None);
    assert!(matches!(
        world.end().await,
        Disconnect::Stop(Stop::Cancelled)
    ));
}

#[tokio::test(start_paused = true)]
async fn nonsense_ends_the_connection_and_not_the_link() {
    let mut world = World::open().await;
    world
        .relay
        .send(Message::Binary(vec![0xff; 20].into()))
        .await
        .unwrap();
    assert!(reason(&world.end().await).starts_with("the relay sent an invalid message"));
}
