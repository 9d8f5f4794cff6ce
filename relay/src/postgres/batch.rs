//! One transaction of the writer: the rows of all its queues are locked in one order, so that no two
//! relays wait for each other; then removals, then appends, then the ends of the queues.
//!
//! Statements that need no answer of each other are sent together: a transaction of appends takes two
//! round trips, one with removals three.

use std::collections::HashMap;

use futures_util::try_join;
use podtap_wire::{EventFrame, EventId, Seq, WebhookRequest};
use tokio_postgres::{Client, Error, Row};

use super::ends::{Ends, ends_of, held_by};
use super::plan::Plan;
use super::removals::{Removal, Step};
use super::statements::{Parameters, Statements};
use super::to_sql;
use crate::queue::{AppendError, Depth, QueueLimits, TunnelId, headers_as_json};

/// What an event costs beside its text and body: row, index and page overhead.
const ROW_BYTES: u64 = 128;

/// Events removed in one transaction: appends must not wait for an agent's whole backlog.
const MAX_REMOVED: u64 = 4096;

/// The same where they are in the way of an event, which would be refused otherwise.
const MAX_REMOVED_FOR_ROOM: u64 = 65_536;

/// An event as its row.
#[derive(Debug)]
pub(super) struct NewEvent {
    pub(super) tunnel: TunnelId,
    id: EventId,
    request: WebhookRequest,
    headers: String,
    peer: Option<String>,
}

impl NewEvent {
    pub(super) fn new(
        tunnel: TunnelId,
        id: EventId,
        request: WebhookRequest,
    ) -> Result<Self, AppendError> {
        let headers = headers_as_json(&request.headers)?;
        Ok(Self {
            tunnel,
            id,
            peer: request.peer.map(|peer| peer.to_string()),
            request,
            headers,
        })
    }

    /// The event as an agent gets it.
    pub(super) fn into_frame(self, seq: Seq) -> EventFrame {
        EventFrame {
            seq,
            id: self.id,
            request: self.request,
        }
    }

    /// What it counts for against the limits.
    pub(super) fn bytes(&self) -> u64 {
        (self.headers.len() + self.request.path.len() + self.request.body.len()) as u64 + ROW_BYTES
    }
}

/// What a transaction did; the order is that of what was asked.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) appended: Vec<Result<Seq, AppendError>>,
    pub(super) steps: Vec<Step>,
    pub(super) depths: Vec<(TunnelId, Depth)>,
}

/// Events as the columns of an `INSERT`.
#[derive(Default)]
struct Columns<'a> {
    tunnels: Vec<i64>,
    seqs: Vec<i64>,
    bytes_through: Vec<i64>,
    received_at: Vec<i64>,
    ids: Vec<Vec<u8>>,
    peers: Vec<Option<&'a str>>,
    methods: Vec<&'a str>,
    paths: Vec<&'a str>,
    headers: Vec<&'a str>,
    bodies: Vec<&'a [u8]>,
}

/// What is to be done in one transaction.
pub(super) struct Work<'a> {
    pub(super) appends: Vec<&'a NewEvent>,
    pub(super) removals: Vec<&'a Removal>,
    pub(super) room: Room,
}

/// What to do where an event finds no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Nothing at all: room can be made.
    CanBeMade,
    /// It is refused, but more than usual is removed before.
    IsMade,
    /// It is refused.
    IsThis,
}

/// Does all of it in one transaction. Invariant 1: when this returns, it is on stable storage. After
/// an error nothing of it is, unless the connection broke amid the commit. `None`, and nothing done,
/// where an event finds no room that [`Room::CanBeMade`].
pub(super) async fn transaction(
    client: &Client,
    statements: &Statements,
    work: &Work<'_>,
    limits: &QueueLimits,
) -> Result<Option<Outcome>, Error> {
    let Work {
        appends, removals, ..
    } = work;
    let mut tunnels: Vec<i64> = appends.iter().map(|event| event.tunnel.0).collect();
    tunnels.extend(removals.iter().map(|removal| removal.tunnel.0));
    tunnels.sort_unstable();
    tunnels.dedup();
    let locked: Parameters<'_, 1> = [&tunnels];
    // Asked for after the lock, so that nothing changes it; after removals it is asked for again.
    let owners = async {
        if removals.is_empty() {
            client.query(&statements.owners, &locked).await
        } else {
            Ok(Vec::new())
        }
    };
    let ((), rows, mut held) = try_join!(
        client.batch_execute("BEGIN"),
        client.query(&statements.lock, &locked),
        owners,
    )?;
    let mut ends = ends_of(&rows);
    let mut steps = Vec::new();
    if !removals.is_empty() {
        let most = match work.room {
            Room::IsMade => MAX_REMOVED_FOR_ROOM,
            Room::CanBeMade | Room::IsThis => MAX_REMOVED,
        };
        let plan = Plan::of(&ends, removals, most);
        held = plan
            .carry_out(client, statements, &mut ends, &locked)
            .await?;
        steps = plan.steps;
    }
    let mut columns = Columns::default();
    let appended = admit(&mut columns, &mut ends, &held, appends, limits);
    if work.room == Room::CanBeMade && appended.iter().any(wants_room) {
        client.batch_execute("ROLLBACK").await?;
        return Ok(None);
    }
    finish(client, statements, &ends, &columns).await?;
    let depths = ends.into_iter().map(|(tunnel, it)| (tunnel, it.depth()));
    Ok(Some(Outcome {
        appended,
        steps,
        depths: depths.collect(),
    }))
}

/// Whether an event was refused that the removal of others makes room for.
fn wants_room(answer: &Result<Seq, AppendError>) -> bool {
    matches!(answer, Err(AppendError::Full | AppendError::OwnerFull))
}

/// Numbers the events that there is room for.
fn admit<'a>(
    columns: &mut Columns<'a>,
    ends: &mut HashMap<TunnelId, Ends>,
    held: &[Row],
    appends: &[&'a NewEvent],
    limits: &QueueLimits,
) -> Vec<Result<Seq, AppendError>> {
    let mut held = held_by(held);
    let mut appended = Vec::with_capacity(appends.len());
    for event in appends {
        let Some(queue) = ends.get_mut(&event.tunnel) else {
            appended.push(Err(AppendError::UnknownTunnel));
            continue;
        };
        let received_at = event.request.received_at.as_millisecond();
        let held = held.entry(queue.owner.clone()).or_default();
        let admitted = queue.admit(event.bytes(), received_at, held, limits);
        if let Ok(seq) = admitted {
            columns.push(event, seq, queue.last_bytes);
        }
        appended.push(admitted);
    }
    appended
}

/// Stores the events and where their queues end now, and commits.
async fn finish(
    client: &Client,
    statements: &Statements,
    ends: &HashMap<TunnelId, Ends>,
    columns: &Columns<'_>,
) -> Result<(), Error> {
    if columns.tunnels.is_empty() {
        return client.batch_execute("COMMIT").await;
    }
    let grown = ends.iter().filter(|(_, queue)| queue.has_grown);
    let (mut tunnels, mut seqs, mut bytes, mut at) = (vec![], vec![], vec![], vec![]);
    for (tunnel, queue) in grown {
        tunnels.push(tunnel.0);
        seqs.push(to_sql(queue.last_seq));
        bytes.push(to_sql(queue.last_bytes));
        at.push(queue.last_at);
    }
    let moved: Parameters<'_, 4> = [&tunnels, &seqs, &bytes, &at];
    let parameters = [&columns.parameters()[..], &moved].concat();
    // In a transaction that has failed a commit reports success, and rolls back: both have to.
    try_join!(
        client.execute(&statements.insert, &parameters),
        client.batch_execute("COMMIT"),
    )?;
    Ok(())
}

impl<'a> Columns<'a> {
    fn push(&mut self, event: &'a NewEvent, seq: Seq, bytes_through: u64) {
        let request = &event.request;
        self.tunnels.push(event.tunnel.0);
        self.seqs.push(to_sql(seq.0));
        self.bytes_through.push(to_sql(bytes_through));
        self.received_at.push(request.received_at.as_millisecond());
        self.ids.push(event.id.to_bytes().to_vec());
        self.peers.push(event.peer.as_deref());
        self.methods.push(&request.method);
        self.paths.push(&request.path);
        self.headers.push(&event.headers);
        self.bodies.push(&request.body);
    }

    fn parameters(&self) -> Parameters<'_, 10> {
        [
            &self.tunnels,
            &self.seqs,
            &self.bytes_through,
            &self.received_at,
            &self.ids,
            &self.peers,
            &self.methods,
            &self.paths,
            &self.headers,
            &self.bodies,
        ]
    }
}
