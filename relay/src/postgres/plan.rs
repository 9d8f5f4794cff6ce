//! Plans which events a transaction removes, and executes the plan.

use std::collections::HashMap;

use futures_util::try_join;
use tokio_postgres::{Client, Error};

use super::ends::PostgresQueueEnds;
use super::removals::{QueueRemoval, SessionRemovalBound};
use super::statements::{Parameters, Statements};
use super::{from_sql, to_sql};
use crate::queue::TunnelId;
use crate::queue::batch::RemovalStep;

/// Reason that agents see for events that a limit removed.
const EXPIRED: &str = "older than the relay keeps events";

/// Events to remove from each queue.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<RemovalStep>,
    /// Last sequence number to remove from each queue. Of several removals of a queue, the one
    /// that reaches furthest counts.
    reached: HashMap<TunnelId, u64>,
    /// Tunnel and last acknowledged sequence number of agents that have passed a gap.
    forgotten: Vec<(i64, i64)>,
    gaps: Vec<(i64, i64, i64)>,
}

impl Plan {
    pub(super) fn of(
        ends: &HashMap<TunnelId, PostgresQueueEnds>,
        removals: &[&QueueRemoval],
        most: u64,
    ) -> Self {
        let (mut plan, mut left) = (Self::default(), most);
        for removal in removals {
            let Some(queue) = ends.get(&removal.tunnel) else {
                plan.steps.push(RemovalStep::UnknownTunnel);
                continue;
            };
            let from = plan.reached.get(&removal.tunnel).copied();
            let from = from.unwrap_or(queue.removed_seq);
            let wanted = match removal.until {
                SessionRemovalBound::Acknowledged { by, .. }
                    if by.0 != 0 && by.0 < queue.session =>
                {
                    from
                }
                SessionRemovalBound::Acknowledged { through, .. }
                | SessionRemovalBound::Expired(through) => through.0.min(queue.last_seq),
            };
            let through = wanted.min(from.saturating_add(left));
            if let SessionRemovalBound::Acknowledged { .. } = removal.until {
                plan.forgotten.push((removal.tunnel.0, to_sql(through)));
            }
            if through > from {
                left -= through - from;
                plan.reached.insert(removal.tunnel, through);
                if let SessionRemovalBound::Expired(_) = removal.until {
                    let gap = (removal.tunnel.0, to_sql(from + 1), to_sql(through));
                    plan.gaps.push(gap);
                }
            }
            plan.steps.push(if through < wanted {
                RemovalStep::More
            } else {
                RemovalStep::Finished
            });
        }
        plan
    }

    /// Removes the planned events.
    pub(super) async fn carry_out(
        &self,
        client: &Client,
        statements: &Statements,
        ends: &mut HashMap<TunnelId, PostgresQueueEnds>,
    ) -> Result<(), Error> {
        let (passed, passed_through): (Vec<i64>, Vec<i64>) = self.forgotten.iter().copied().unzip();
        let (mut tunnels, mut above, mut through) = (Vec::new(), Vec::new(), Vec::new());
        for (tunnel, until) in &self.reached {
            let removed = ends.get(tunnel).map_or(0, |queue| queue.removed_seq);
            tunnels.push(tunnel.0);
            above.push(to_sql(removed));
            through.push(to_sql(*until));
        }
        let forgotten: Parameters<'_, 2> = [&passed, &passed_through];
        let removed: Parameters<'_, 2> = [&tunnels, &through];
        let deleted: Parameters<'_, 3> = [&tunnels, &above, &through];
        let gaps = async {
            for (tunnel, from, to) in &self.gaps {
                client
                    .execute(&statements.keep_gap, &[tunnel, from, to, &EXPIRED])
                    .await?;
            }
            Ok(())
        };
        // All statements are sent in this order before the first result arrives.
        let (_, (), rows, _) = try_join!(
            client.execute(&statements.forget_gaps, &forgotten),
            gaps,
            client.query(&statements.remove, &removed),
            client.execute(&statements.delete, &deleted),
        )?;
        for row in rows {
            if let Some(queue) = ends.get_mut(&TunnelId(row.get("tunnel"))) {
                queue.removed_seq = from_sql(row.get("removed_seq"));
                queue.removed_bytes = from_sql(row.get("removed_bytes"));
            }
        }
        Ok(())
    }
}
