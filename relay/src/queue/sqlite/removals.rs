//! Keeps the removals in progress, in the order of the commands. Large ones take several
//! transactions.

use std::collections::VecDeque;

use podtap_wire::Seq;

use super::batch::{BatchTransaction, RemovalBound};
use crate::queue::batch::RemovalStep;
use crate::queue::commands::CommandReply;
use crate::queue::{QueueError, TunnelId};

/// Maximum number of rows removed per transaction. Deleting is slow (about 75,000 rows per
/// second), and appends must not wait until an agent's whole backlog is removed.
const MAX_ROWS: u64 = 1024;

/// Removals in progress.
#[derive(Debug, Default)]
pub(super) struct Removals(VecDeque<PendingRemoval>);

#[derive(Debug)]
struct PendingRemoval {
    tunnel: TunnelId,
    until: RemovalBound,
    reply: Option<CommandReply<()>>,
}

impl Removals {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a removal at the end.
    pub(super) fn push(
        &mut self,
        tunnel: TunnelId,
        until: RemovalBound,
        reply: Option<CommandReply<()>>,
    ) {
        self.0.push_back(PendingRemoval {
            tunnel,
            until,
            reply,
        });
    }

    /// Adds removals of acknowledged events before all others.
    pub(super) fn put_first(&mut self, acknowledged: Vec<(TunnelId, Seq)>) {
        for (tunnel, through) in acknowledged {
            self.0.push_front(PendingRemoval {
                tunnel,
                until: RemovalBound::Acknowledged(through),
                reply: None,
            });
        }
    }

    /// Returns whether any removal is due to an acknowledgement.
    pub(super) fn have_acknowledged(&self) -> bool {
        let is_acknowledged =
            |removal: &PendingRemoval| matches!(removal.until, RemovalBound::Acknowledged(_));
        self.0.iter().any(is_acknowledged)
    }

    /// Sends the reply when all current removals are finished.
    pub(super) fn then(&mut self, reply: CommandReply<()>) {
        match self.0.back() {
            None => drop(reply.send(Ok(()))),
            Some(last) => {
                // Adds a removal of nothing, which is finished after the last one.
                let (tunnel, nothing) = (last.tunnel, RemovalBound::Acknowledged(Seq(0)));
                self.push(tunnel, nothing, Some(reply));
            }
        }
    }

    /// Does a part of the removals in a transaction, beginning with the first.
    pub(super) fn step(
        &self,
        batch: &mut BatchTransaction<'_>,
    ) -> rusqlite::Result<Vec<RemovalStep>> {
        let (mut left, mut steps) = (MAX_ROWS, Vec::new());
        for removal in &self.0 {
            if left == 0 {
                break;
            }
            steps.push(batch.remove(removal.tunnel, removal.until, &mut left)?);
        }
        Ok(steps)
    }

    /// Updates the removals after the transaction was committed. Returns the tunnels that do
    /// not exist any more.
    pub(super) fn apply(&mut self, steps: Vec<RemovalStep>) -> Vec<TunnelId> {
        let mut gone = Vec::new();
        for step in steps {
            let Some(removal) = self.0.pop_front() else {
                break;
            };
            match step {
                // Removals are finished in order, so only the last one of a batch can be
                // incomplete.
                RemovalStep::More => self.0.push_front(removal),
                RemovalStep::Finished => removal.answer(Ok(())),
                RemovalStep::UnknownTunnel => {
                    gone.push(removal.tunnel);
                    removal.answer(Err(QueueError::UnknownTunnel));
                }
            }
        }
        gone
    }

    /// Fails all removals. Returns the acknowledgements for which no caller waits, to be
    /// removed later.
    pub(super) fn refuse(&mut self) -> Vec<(TunnelId, Seq)> {
        let mut acknowledged = Vec::new();
        for removal in self.0.drain(..) {
            if let (RemovalBound::Acknowledged(through), None) = (removal.until, &removal.reply) {
                acknowledged.push((removal.tunnel, through));
            }
            removal.answer(Err(QueueError::Unavailable));
        }
        acknowledged
    }
}

impl PendingRemoval {
    fn answer(self, answer: Result<(), QueueError>) {
        if let Some(reply) = self.reply {
            let _ = reply.send(answer);
        }
    }
}
