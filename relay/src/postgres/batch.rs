//! One transaction of the writer: the rows of all its queues are locked in one order, so that no two
//! relays wait for each other; then removals, then appends, then the ends of the queues.
//!
//! Statements that need no answer of each other are sent together.

use std::collections::HashMap;

use futures_util::try_join;
use podtap_wire::{EventId, Seq, WebhookRequest};
use tokio_postgres::{Client, Error};

use super::removals::{Removal, Step, Until};
use super::statements::Statements;
use super::{from_sql, to_sql};
use crate::queue::{AppendError, Depth, QueueLimits, TunnelId, headers_as_json};

/// What an event costs beside its text and body: row, index and page overhead.
const ROW_BYTES: u64 = 128;

/// Events removed in one transaction: appends must not wait for an agent's whole backlog.
const MAX_REMOVED: u64 = 4096;

/// Why an agent misses events that a limit removed.
const EXPIRED: &str = "older than the relay keeps events";

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

/// The ends of a tunnel's queue.
#[derive(Debug)]
struct Ends {
    owner: String,
    last_seq: u64,
    last_bytes: u64,
    last_at: Option<i64>,
    removed_seq: u64,
    removed_bytes: u64,
    /// The newest session; an older one removes nothing.
    session: i64,
    has_grown: bool,
}

/// What an owner's queues hold.
#[derive(Debug, Default)]
struct Held {
    events: u64,
    bytes: u64,
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

/// Does all of it in one transaction. Invariant 1: when this returns, it is on stable storage. After
/// an error nothing of it is, unless the connection broke amid the commit.
pub(super) async fn transaction(
    client: &Client,
    statements: &Statements,
    appends: &[&NewEvent],
    removals: &[&Removal],
    limits: &QueueLimits,
) -> Result<Outcome, Error> {
    let mut tunnels: Vec<i64> = appends.iter().map(|event| event.tunnel.0).collect();
    tunnels.extend(removals.iter().map(|removal| removal.tunnel.0));
    tunnels.sort_unstable();
    tunnels.dedup();
    let locked: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&tunnels];
    let ((), rows) = try_join!(
        client.batch_execute("BEGIN"),
        client.query(&statements.lock, &locked),
    )?;
    let mut ends: HashMap<TunnelId, Ends> = rows
        .iter()
        .map(|row| {
            let ends = Ends {
                owner: row.get("owner"),
                last_seq: from_sql(row.get("last_seq")),
                last_bytes: from_sql(row.get("last_bytes")),
                last_at: row.get("last_at"),
                removed_seq: from_sql(row.get("removed_seq")),
                removed_bytes: from_sql(row.get("removed_bytes")),
                session: row.get("session"),
                has_grown: false,
            };
            (TunnelId(row.get("tunnel")), ends)
        })
        .collect();
    let steps = remove(client, statements, &mut ends, removals).await?;
    let appended = append(client, statements, &mut ends, appends, limits).await?;
    Ok(Outcome {
        appended,
        steps,
        depths: ends
            .into_iter()
            .map(|(tunnel, it)| (tunnel, it.depth()))
            .collect(),
    })
}

async fn remove(
    client: &Client,
    statements: &Statements,
    ends: &mut HashMap<TunnelId, Ends>,
    removals: &[&Removal],
) -> Result<Vec<Step>, Error> {
    let (mut steps, mut left) = (Vec::new(), MAX_REMOVED);
    // Of several removals of a tunnel the furthest counts.
    let mut reached: HashMap<TunnelId, u64> = HashMap::new();
    let (mut forgotten, mut gaps) = (Vec::new(), Vec::new());
    for removal in removals {
        let Some(queue) = ends.get(&removal.tunnel) else {
            steps.push(Step::UnknownTunnel);
            continue;
        };
        let from = reached.get(&removal.tunnel).copied();
        let from = from.unwrap_or(queue.removed_seq);
        let wanted = match removal.until {
            Until::Acknowledged { by, .. } if by.0 != 0 && by.0 < queue.session => from,
            Until::Acknowledged { through, .. } | Until::Expired(through) => {
                through.0.min(queue.last_seq)
            }
        };
        let through = wanted.min(from.saturating_add(left));
        if let Until::Acknowledged { .. } = removal.until {
            forgotten.push((removal.tunnel.0, to_sql(through)));
        }
        if through > from {
            left -= through - from;
            reached.insert(removal.tunnel, through);
            if let Until::Expired(_) = removal.until {
                gaps.push((removal.tunnel.0, to_sql(from + 1), to_sql(through)));
            }
        }
        steps.push(if through < wanted {
            Step::More
        } else {
            Step::Finished
        });
    }
    if !forgotten.is_empty() {
        let (tunnels, through): (Vec<i64>, Vec<i64>) = forgotten.into_iter().unzip();
        client
            .execute(&statements.forget_gaps, &[&tunnels, &through])
            .await?;
    }
    for (tunnel, from, to) in gaps {
        client
            .execute(&statements.keep_gap, &[&tunnel, &from, &to, &EXPIRED])
            .await?;
    }
    if reached.is_empty() {
        return Ok(steps);
    }
    let (mut tunnels, mut above, mut through) = (Vec::new(), Vec::new(), Vec::new());
    for (tunnel, until) in &reached {
        tunnels.push(tunnel.0);
        above.push(
            ends.get(tunnel)
                .map_or(0, |queue| to_sql(queue.removed_seq)),
        );
        through.push(to_sql(*until));
    }
    let removed: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&tunnels, &through];
    let deleted: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&tunnels, &above, &through];
    let (rows, _) = try_join!(
        client.query(&statements.remove, &removed),
        client.execute(&statements.delete, &deleted),
    )?;
    for row in rows {
        if let Some(queue) = ends.get_mut(&TunnelId(row.get("tunnel"))) {
            queue.removed_seq = from_sql(row.get("removed_seq"));
            queue.removed_bytes = from_sql(row.get("removed_bytes"));
        }
    }
    Ok(steps)
}

async fn append(
    client: &Client,
    statements: &Statements,
    ends: &mut HashMap<TunnelId, Ends>,
    appends: &[&NewEvent],
    limits: &QueueLimits,
) -> Result<Vec<Result<Seq, AppendError>>, Error> {
    if appends.is_empty() {
        client.batch_execute("COMMIT").await?;
        return Ok(Vec::new());
    }
    let mut owners: Vec<&str> = ends.values().map(|queue| queue.owner.as_str()).collect();
    owners.sort_unstable();
    owners.dedup();
    let rows = client.query(&statements.owners, &[&owners]).await?;
    let mut held: HashMap<String, Held> = rows
        .iter()
        .map(|row| {
            let held = Held {
                events: from_sql(row.get("events")),
                bytes: from_sql(row.get("bytes")),
            };
            (row.get("owner"), held)
        })
        .collect();
    let mut columns = Columns::default();
    let mut appended = Vec::with_capacity(appends.len());
    for event in appends {
        let Some(queue) = ends.get_mut(&event.tunnel) else {
            appended.push(Err(AppendError::UnknownTunnel));
            continue;
        };
        let admitted = queue.admit(event, held.entry(queue.owner.clone()).or_default(), limits);
        if let Ok(seq) = admitted {
            columns.push(event, seq, queue.last_bytes);
        }
        appended.push(admitted);
    }
    let grown = ends.iter().filter(|(_, queue)| queue.has_grown);
    let (mut tunnels, mut seqs, mut bytes, mut at) = (vec![], vec![], vec![], vec![]);
    for (tunnel, queue) in grown {
        tunnels.push(tunnel.0);
        seqs.push(to_sql(queue.last_seq));
        bytes.push(to_sql(queue.last_bytes));
        at.push(queue.last_at);
    }
    let moved: [&(dyn tokio_postgres::types::ToSql + Sync); 4] = [&tunnels, &seqs, &bytes, &at];
    let inserted = columns.parameters();
    // In a transaction that has failed a commit reports success, and rolls back: all three have to.
    try_join!(
        client.execute(&statements.insert, &inserted),
        client.execute(&statements.ends, &moved),
        client.batch_execute("COMMIT"),
    )?;
    Ok(appended)
}

impl Ends {
    /// Gives an event its number, unless the queue or its owner has enough.
    fn admit(
        &mut self,
        event: &NewEvent,
        held: &mut Held,
        limits: &QueueLimits,
    ) -> Result<Seq, AppendError> {
        let bytes = event.bytes();
        let depth = self.depth();
        if depth.events() >= limits.max_events || depth.bytes + bytes > limits.max_bytes {
            return Err(AppendError::Full);
        }
        if held.events >= limits.max_owner_events || held.bytes + bytes > limits.max_owner_bytes {
            return Err(AppendError::OwnerFull);
        }
        held.events += 1;
        held.bytes += bytes;
        self.last_seq += 1;
        self.last_bytes += bytes;
        self.last_at = Some(event.request.received_at.as_millisecond());
        self.has_grown = true;
        Ok(Seq(self.last_seq))
    }

    fn depth(&self) -> Depth {
        Depth {
            removed: Seq(self.removed_seq),
            last: Seq(self.last_seq),
            bytes: self.last_bytes.saturating_sub(self.removed_bytes),
        }
    }
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

    fn parameters(&self) -> [&(dyn tokio_postgres::types::ToSql + Sync); 10] {
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
