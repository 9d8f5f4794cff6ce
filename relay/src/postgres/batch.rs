//! One transaction of the writer: the rows of all its queues are locked in one order, so that no two
//! relays wait for each other; then removals, then appends, then the ends of the queues.
//!
//! Statements that need no answer of each other are sent together: a transaction of appends takes two
//! round trips, one with removals three.

use std::collections::HashMap;

use futures_util::try_join;
use podtap_wire::Seq;
use tokio_postgres::{Client, Error, Row};

use super::ends::{QueueEnds, ends_of, held_by};
use super::plan::Plan;
use super::removals::QueueRemoval;
use super::statements::{Parameters, Statements};
use super::to_sql;
use crate::queue::batch::{BatchOutcome, QueuedEvent};
use crate::queue::{AppendError, EngineLimits, TunnelId};

/// Events removed in one transaction: appends must not wait for an agent's whole backlog.
const MAX_REMOVED: u64 = 4096;

/// The same where they are in the way of an event, which would be refused otherwise.
const MAX_REMOVED_FOR_ROOM: u64 = 65_536;

/// Events as the columns of an `INSERT`.
#[derive(Default)]
struct Columns<'a> {
    tunnels: Vec<i64>,
    seqs: Vec<i64>,
    bytes_through: Vec<i64>,
    received_at: Vec<i64>,
    ids: Vec<Vec<u8>>,
    peers: Vec<Option<String>>,
    methods: Vec<&'a str>,
    paths: Vec<&'a str>,
    headers: Vec<&'a str>,
    bodies: Vec<&'a [u8]>,
}

/// What is to be done in one transaction.
pub(super) struct BatchWork<'a> {
    pub(super) appends: Vec<&'a QueuedEvent>,
    pub(super) removals: Vec<&'a QueueRemoval>,
    pub(super) room: RoomPolicy,
}

/// What to do where an event finds no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoomPolicy {
    /// Nothing at all: room can be made.
    CanBeMade,
    /// It is refused, but more than usual is removed before.
    IsMade,
    /// It is refused.
    IsThis,
}

/// Does all of it in one transaction. Invariant 1: when this returns, it is on stable storage. After
/// an error nothing of it is, unless the connection broke amid the commit. `None`, and nothing done,
/// where an event finds no room that [`RoomPolicy::CanBeMade`].
pub(super) async fn transaction(
    client: &Client,
    statements: &Statements,
    work: &BatchWork<'_>,
    limits: &EngineLimits,
) -> Result<Option<BatchOutcome>, Error> {
    let BatchWork {
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
            RoomPolicy::IsMade => MAX_REMOVED_FOR_ROOM,
            RoomPolicy::CanBeMade | RoomPolicy::IsThis => MAX_REMOVED,
        };
        let plan = Plan::of(&ends, removals, most);
        held = plan
            .carry_out(client, statements, &mut ends, &locked)
            .await?;
        steps = plan.steps;
    }
    let mut columns = Columns::default();
    let appended = admit(&mut columns, &mut ends, &held, appends, limits);
    if work.room == RoomPolicy::CanBeMade && appended.iter().any(wants_room) {
        client.batch_execute("ROLLBACK").await?;
        return Ok(None);
    }
    finish(client, statements, &ends, &columns).await?;
    let depths = ends.into_iter().map(|(tunnel, it)| (tunnel, it.depth()));
    Ok(Some(BatchOutcome {
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
    ends: &mut HashMap<TunnelId, QueueEnds>,
    held: &[Row],
    appends: &[&'a QueuedEvent],
    limits: &EngineLimits,
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
    ends: &HashMap<TunnelId, QueueEnds>,
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
    fn push(&mut self, event: &'a QueuedEvent, seq: Seq, bytes_through: u64) {
        let request = &event.request;
        self.tunnels.push(event.tunnel.0);
        self.seqs.push(to_sql(seq.0));
        self.bytes_through.push(to_sql(bytes_through));
        self.received_at.push(request.received_at.as_millisecond());
        self.ids.push(event.id.to_bytes().to_vec());
        self.peers.push(request.peer.map(|peer| peer.to_string()));
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
