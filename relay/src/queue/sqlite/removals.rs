//! Removals under way, in the order in which they were asked for; large ones take several
//! transactions.

use std::collections::VecDeque;

use podtap_wire::Seq;

use super::batch::{BatchTransaction, RemovalBound};
use crate::queue::batch::RemovalStep;
use crate::queue::commands::CommandReply;
use crate::queue::{QueueError, TunnelId};

/// Rows removed in one transaction. Deleting is the dear part (about 75,000 rows a second), and
/// appends must not wait for an agent's whole backlog.
const MAX_ROWS: u64 = 1024;

/// What is to be removed.
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

    /// Adds one at the end.
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

    /// Puts what agents have before all others.
    pub(super) fn put_first(&mut self, acknowledged: Vec<(TunnelId, Seq)>) {
        for (tunnel, through) in acknowledged {
            self.0.push_front(PendingRemoval {
                tunnel,
                until: RemovalBound::Acknowledged(through),
                reply: None,
            });
        }
    }

    /// Whether any removes what an agent has.
    pub(super) fn have_acknowledged(&self) -> bool {
        let is_acknowledged =
            |removal: &PendingRemoval| matches!(removal.until, RemovalBound::Acknowledged(_));
        self.0.iter().any(is_acknowledged)
    }

    /// Answers when all of them are done.
    pub(super) fn then(&mut self, reply: CommandReply<()>) {
        match self.0.back() {
            None => drop(reply.send(Ok(()))),
            Some(last) => {
                // One that removes nothing, and is done after the last.
                let (tunnel, nothing) = (last.tunnel, RemovalBound::Acknowledged(Seq(0)));
                self.push(tunnel, nothing, Some(reply));
            }
        }
    }

    /// The first of them, as part of a transaction.
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

    /// Takes over what a transaction did, after its commit. Answers which tunnels are gone.
    pub(super) fn apply(&mut self, steps: Vec<RemovalStep>) -> Vec<TunnelId> {
        let mut gone = Vec::new();
        for step in steps {
            let Some(removal) = self.0.pop_front() else {
                break;
            };
            match step {
                // First come, first finished: only the last step of a batch can be this.
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

    /// Gives all of them up. Answers what agents have and nobody waits for: it stays to be removed.
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
