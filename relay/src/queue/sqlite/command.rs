//! What the writer is asked to do, and how it answers.

use std::time::Duration;

use podtap_disk::age::Now;
use podtap_wire::Seq;
use rusqlite::Connection;
use tokio::sync::watch;

use crate::queue::batch::Append;
use crate::queue::commands::CommandReply;
use crate::queue::{AppendError, Depth, TunnelId};

pub(super) type SqliteJob = Box<dyn FnOnce(&mut Connection) + Send>;

/// What the writer is asked to do.
pub(super) enum SqliteCommand {
    Append(Append),
    Acknowledge {
        tunnel: TunnelId,
        through: Seq,
        reply: CommandReply<()>,
    },
    Expire {
        max_age: Duration,
        now: Now,
        reply: CommandReply<()>,
    },
    Follow {
        tunnel: TunnelId,
        reply: CommandReply<watch::Receiver<Depth>>,
    },
    /// Deletes what was acknowledged.
    Settle {
        reply: Option<CommandReply<()>>,
    },
    Probe {
        reply: CommandReply<(), AppendError>,
    },
    /// These events of the tunnel cannot be read.
    SetAside {
        tunnel: TunnelId,
        unreadable: Vec<(Seq, String)>,
        reply: CommandReply<()>,
    },
    /// A reader met damage: the file is to be checked, and rebuilt where that is so.
    Suspect,
    Run(SqliteJob),
    Close {
        reply: CommandReply<()>,
    },
}

impl From<Append> for SqliteCommand {
    fn from(append: Append) -> Self {
        Self::Append(append)
    }
}
