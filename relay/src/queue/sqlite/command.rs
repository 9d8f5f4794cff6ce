//! What the writer is asked to do, and how it answers.

use std::time::Duration;

use podtap_disk::age::Now;
use podtap_wire::Seq;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::batch::{NewEvent, Step};
use crate::queue::{AppendError, Depth, QueueError, TunnelId};

pub(super) type Job = Box<dyn FnOnce(&mut Connection) + Send>;
pub(super) type Reply<T, E> = oneshot::Sender<Result<T, E>>;

/// What the writer is asked to do.
pub(super) enum Command {
    Append {
        event: NewEvent,
        reply: Reply<Seq, AppendError>,
    },
    Acknowledge {
        tunnel: TunnelId,
        through: Seq,
        reply: Reply<(), QueueError>,
    },
    Expire {
        max_age: Duration,
        now: Now,
        reply: Reply<(), QueueError>,
    },
    Watch {
        tunnel: TunnelId,
        reply: Reply<watch::Receiver<Depth>, QueueError>,
    },
    /// Deletes what was acknowledged.
    Settle {
        reply: Option<Reply<(), QueueError>>,
    },
    Probe {
        reply: Reply<(), AppendError>,
    },
    /// These events of the tunnel cannot be read.
    SetAside {
        tunnel: TunnelId,
        unreadable: Vec<(Seq, String)>,
        reply: Reply<(), QueueError>,
    },
    /// A reader met damage: the file is to be checked, and rebuilt where that is so.
    Suspect,
    Run(Job),
    Close {
        reply: Reply<(), QueueError>,
    },
}

pub(super) type Append = (NewEvent, Reply<Seq, AppendError>);

/// What a transaction did; the order is that of the commands.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) depths: Vec<(TunnelId, Depth)>,
    pub(super) appended: Vec<Result<Seq, AppendError>>,
    pub(super) steps: Vec<Step>,
}

impl Outcome {
    pub(super) fn accepted_events(&self) -> usize {
        self.appended.iter().filter(|answer| answer.is_ok()).count()
    }
}
