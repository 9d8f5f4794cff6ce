//! Defines the commands to the writer and their replies.

use std::time::Duration;

use podtap_disk::age::Now;
use podtap_wire::Seq;
use rusqlite::Connection;
use tokio::sync::watch;

use crate::queue::batch::Append;
use crate::queue::commands::CommandReply;
use crate::queue::{AppendError, Depth, TunnelId};

pub(super) type SqliteJob = Box<dyn FnOnce(&mut Connection) + Send>;

/// A command to the writer.
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
    /// Deletes all acknowledged events.
    Settle {
        reply: Option<CommandReply<()>>,
    },
    Probe {
        reply: CommandReply<(), AppendError>,
    },
    /// Sets aside events of a tunnel that cannot be read.
    SetAside {
        tunnel: TunnelId,
        unreadable: Vec<(Seq, String)>,
        reply: CommandReply<()>,
    },
    /// Checks the file after a reader found damage, and rebuilds it if it is damaged.
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
