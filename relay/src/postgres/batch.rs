//! Runs one transaction of the writer.
//!
//! It locks the rows of all its queues in a fixed order, so that two relays cannot wait for
//! each other. Then it removes events, appends events, and updates the ends of the queues.
//!
//! Statements that do not depend on each other's result are sent together. If there is room
//! in any case, a transaction takes one round trip, and the database numbers the events.
//! Otherwise it takes two, and with removals three.

use std::collections::HashMap;

use futures_util::try_join;
use podtap_wire::Seq;
use tokio_postgres::{Client, Error};

use super::ends::{PostgresQueueEnds, QueueGrowth, ends_of};
use super::known::KnownUsage;
use super::plan::Plan;
use super::removals::QueueRemoval;
use super::statements::{Parameters, Statements};
use super::taken::StoredUsage;
use super::to_sql;
use crate::queue::batch::{BatchOutcome, QueuedEvent};
use crate::queue::share::{OwnerUsage, SpaceLeft};
use crate::queue::{AppendError, Depth, EngineLimits, TunnelId};

/// Maximum number of events that one transaction removes, so that appends do not wait until
/// an agent's whole backlog is removed.
const MAX_REMOVED: u64 = 4096;

/// Maximum number of events to remove if a new event would be refused otherwise.
const MAX_REMOVED_FOR_ROOM: u64 = 65_536;

/// New events as the columns of an `INSERT`, and the growth of their queues.
#[derive(Default)]
struct EventColumns<'a> {
    tunnels: Vec<i64>,
    /// Position of each event among the events that this transaction adds to its queue.
    nths: Vec<i64>,
    /// Total bytes of these events, up to and including each event.
    bytes: Vec<i64>,
    received_at: Vec<i64>,
    ids: Vec<Vec<u8>>,
    peers: Vec<Option<String>>,
    methods: Vec<&'a str>,
    paths: Vec<&'a str>,
    headers: Vec<&'a str>,
    bodies: Vec<&'a [u8]>,
    grown: Grown,
}

/// Growth of the queues, as columns.
#[derive(Default)]
struct Grown {
    tunnels: Vec<i64>,
    events: Vec<i64>,
    bytes: Vec<i64>,
    last_at: Vec<i64>,
}

/// Work of one transaction.
pub(super) struct BatchWork<'a> {
    pub(super) appends: Vec<&'a QueuedEvent>,
    pub(super) removals: Vec<&'a QueueRemoval>,
    pub(super) room: RoomPolicy,
}

/// What to do if there is no room for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoomPolicy {
    /// Roll back: the caller can make room.
    CanBeMade,
    /// Refuse the event, but first remove more events than usual.
    IsMade,
    /// Refuse the event.
    IsThis,
}

/// Does all the work in one transaction. Invariant 1: when this returns, the result is on
/// stable storage. After an error nothing was changed, unless the connection broke during
/// the commit. Returns `None`, with nothing changed, if there is no room for an event and
/// the policy is [`RoomPolicy::CanBeMade`].
pub(super) async fn transaction(
    client: &Client,
    statements: &Statements,
    work: &BatchWork<'_>,
    limits: &EngineLimits,
    known: &mut KnownUsage,
) -> Result<Option<BatchOutcome>, Error> {
    if work.removals.is_empty() && known.has_room_for(&work.appends, limits) {
        return store(client, statements, &work.appends, known)
            .await
            .map(Some);
    }
    admit_and_store(client, statements, work, limits, known).await
}

/// Stores events for which there is room in any case.
async fn store(
    client: &Client,
    statements: &Statements,
    appends: &[&QueuedEvent],
    known: &mut KnownUsage,
) -> Result<BatchOutcome, Error> {
    let mut growths: HashMap<TunnelId, QueueGrowth> = HashMap::new();
    let mut columns = EventColumns::default();
    let nths: Vec<u64> = { appends.iter() }
        .map(|event| {
            let growth = growths.entry(event.tunnel).or_default();
            growth.add(event.bytes(), event.received_at());
            columns.push(event, growth);
            growth.events
        })
        .collect();
    columns.grow(growths.iter().map(|(tunnel, growth)| (*tunnel, growth)));
    let (locked, parameters): (Parameters<'_, 1>, _) =
        ([&columns.grown.tunnels], columns.parameters());
    // The insert starts after the rows are locked, and sees everything that others committed
    // before. The commit of a failed transaction reports success and rolls back, so all four
    // results are checked.
    let ((), rows, _, ()) = try_join!(
        client.batch_execute("BEGIN"),
        client.query(&statements.lock, &locked),
        client.execute(&statements.insert, &parameters),
        client.batch_execute("COMMIT"),
    )?;
    let mut ends = ends_of(&rows);
    for (tunnel, ends) in &mut ends {
        ends.growth = growths.get(tunnel).copied().unwrap_or_default();
    }
    known.count(&ends);
    let numbered = appends.iter().zip(nths);
    let appended = numbered.map(|(event, nth)| match ends.get(&event.tunnel) {
        Some(queue) => Ok(queue.seq(nth)),
        None => Err(AppendError::UnknownTunnel),
    });
    Ok(BatchOutcome {
        appended: appended.collect(),
        steps: Vec::new(),
        depths: depths(&ends),
    })
}

async fn admit_and_store(
    client: &Client,
    statements: &Statements,
    work: &BatchWork<'_>,
    limits: &EngineLimits,
    known: &mut KnownUsage,
) -> Result<Option<BatchOutcome>, Error> {
    let BatchWork {
        appends, removals, ..
    } = work;
    let mut tunnels: Vec<i64> = appends.iter().map(|event| event.tunnel.0).collect();
    tunnels.extend(removals.iter().map(|removal| removal.tunnel.0));
    tunnels.sort_unstable();
    tunnels.dedup();
    let locked: Parameters<'_, 1> = [&tunnels];
    // To make room, the usage is read again, because other relays may have freed some.
    let known_left = known
        .bytes_left(limits)
        .filter(|_| work.room != RoomPolicy::IsMade);
    let ask = async || StoredUsage::ask(client, statements, &locked, known_left.is_none()).await;
    // The usage is read after the lock, so that it cannot change. With removals it is read
    // after them.
    let taken = async {
        if removals.is_empty() {
            ask().await
        } else {
            Ok(StoredUsage::default())
        }
    };
    let ((), rows, mut taken) = try_join!(
        client.batch_execute("BEGIN"),
        client.query(&statements.lock, &locked),
        taken,
    )?;
    let mut ends = ends_of(&rows);
    let mut steps = Vec::new();
    if !removals.is_empty() {
        let most = match work.room {
            RoomPolicy::IsMade => MAX_REMOVED_FOR_ROOM,
            RoomPolicy::CanBeMade | RoomPolicy::IsThis => MAX_REMOVED,
        };
        let plan = Plan::of(&ends, removals, most);
        let removed = plan.carry_out(client, statements, &mut ends);
        // This query is sent after the removals, before their results arrive.
        ((), taken) = try_join!(removed, ask())?;
        steps = plan.steps;
    }
    let mut left = SpaceLeft {
        total: taken.bytes_left(limits).or(known_left).unwrap_or(u64::MAX),
        // The disk is the database server's, so its free space is not known here.
        disk: u64::MAX,
    };
    let mut columns = EventColumns::default();
    let mut held = taken.held;
    let appended = admit(
        &mut columns,
        &mut ends,
        &mut held,
        &mut left,
        appends,
        limits,
    );
    if work.room == RoomPolicy::CanBeMade && appended.iter().any(wants_room) {
        client.batch_execute("ROLLBACK").await?;
        return Ok(None);
    }
    columns.grow(ends.iter().map(|(tunnel, ends)| (*tunnel, &ends.growth)));
    finish(client, statements, &columns).await?;
    if appended.iter().any(wants_room) {
        known.forget();
    } else {
        known.learn(&ends, held, left.total);
    }
    Ok(Some(BatchOutcome {
        appended,
        steps,
        depths: depths(&ends),
    }))
}

fn depths(ends: &HashMap<TunnelId, PostgresQueueEnds>) -> Vec<(TunnelId, Depth)> {
    let depths = ends.iter().map(|(tunnel, ends)| (*tunnel, ends.depth()));
    depths.collect()
}

/// Returns whether an event was refused for which a removal of others can make room.
fn wants_room(answer: &Result<Seq, AppendError>) -> bool {
    answer.is_err_and(AppendError::wants_room)
}

/// Assigns sequence numbers to the events for which there is room.
fn admit<'a>(
    columns: &mut EventColumns<'a>,
    ends: &mut HashMap<TunnelId, PostgresQueueEnds>,
    held: &mut HashMap<String, OwnerUsage>,
    left: &mut SpaceLeft,
    appends: &[&'a QueuedEvent],
    limits: &EngineLimits,
) -> Vec<Result<Seq, AppendError>> {
    let mut appended = Vec::with_capacity(appends.len());
    for event in appends {
        let Some(queue) = ends.get_mut(&event.tunnel) else {
            appended.push(Err(AppendError::UnknownTunnel));
            continue;
        };
        let held = held.entry(queue.owner.clone()).or_default();
        let admitted = queue.admit(event.bytes(), event.received_at(), held, left, limits);
        if admitted.is_ok() {
            columns.push(event, &queue.growth);
        }
        appended.push(admitted);
    }
    appended
}

/// Stores the events and the new ends of their queues, and commits.
async fn finish(
    client: &Client,
    statements: &Statements,
    columns: &EventColumns<'_>,
) -> Result<(), Error> {
    if columns.tunnels.is_empty() {
        return client.batch_execute("COMMIT").await;
    }
    let parameters = columns.parameters();
    // The commit of a failed transaction reports success and rolls back, so both results are
    // checked.
    try_join!(
        client.execute(&statements.insert, &parameters),
        client.batch_execute("COMMIT"),
    )?;
    Ok(())
}

impl<'a> EventColumns<'a> {
    /// Adds an event. `growth` is the growth of its queue up to and including the event.
    fn push(&mut self, event: &'a QueuedEvent, growth: &QueueGrowth) {
        let request = &event.request;
        self.tunnels.push(event.tunnel.0);
        self.nths.push(to_sql(growth.events));
        self.bytes.push(to_sql(growth.bytes));
        self.received_at.push(event.received_at());
        self.ids.push(event.id.to_bytes().to_vec());
        self.peers.push(request.peer.map(|peer| peer.to_string()));
        self.methods.push(&request.method);
        self.paths.push(&request.path);
        self.headers.push(&event.headers);
        self.bodies.push(&request.body);
    }

    /// Sets the total growth of each queue, in the order in which the rows are locked.
    fn grow<'g>(&mut self, growths: impl Iterator<Item = (TunnelId, &'g QueueGrowth)>) {
        let mut growths: Vec<_> = growths.filter(|(_, growth)| growth.events > 0).collect();
        growths.sort_unstable_by_key(|(tunnel, _)| *tunnel);
        for (tunnel, growth) in growths {
            self.grown.tunnels.push(tunnel.0);
            self.grown.events.push(to_sql(growth.events));
            self.grown.bytes.push(to_sql(growth.bytes));
            self.grown.last_at.push(growth.last_at);
        }
    }

    fn parameters(&self) -> Parameters<'_, 14> {
        [
            &self.tunnels,
            &self.nths,
            &self.bytes,
            &self.received_at,
            &self.ids,
            &self.peers,
            &self.methods,
            &self.paths,
            &self.headers,
            &self.bodies,
            &self.grown.tunnels,
            &self.grown.events,
            &self.grown.bytes,
            &self.grown.last_at,
        ]
    }
}
