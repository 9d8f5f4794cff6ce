//! Takes waiting commands for the writer in groups, and rejects them.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::sync::mpsc;

use super::error::HistoryError;
use super::job::{Haste, WriteJob, job};
use super::store;
use super::write::{AppendCounts, NewEvent, Reply};

/// A command to the writer's thread. A test of the link
/// receives these commands in place of the history.
#[derive(Debug)]
pub(crate) enum HistoryCommand {
    /// Stores events in order; the first `offered` of them were offered to delivery.
    Append {
        events: Vec<NewEvent>,
        offered: usize,
        answer: Reply<AppendCounts>,
    },
    /// Writes anything else.
    Run(WriteJob),
    /// Answers whether another process wrote since the last such command.
    Look { answer: Reply<bool> },
    /// Removes deleted content from the files on the disk.
    Scrub { answer: Reply<()> },
    /// Ends the thread after all earlier commands.
    Close,
}

/// Maximum number of rows per transaction: bounds how long the first row waits for its commit.
const GROUP_ROWS: usize = 4096;

/// Maximum number of writes without a waiting caller that are kept while
/// the history cannot be written. Deliveries stop at that time, so these
/// are the last few; beyond the limit, the events are delivered again.
const MAX_OWED: usize = 4096;

/// Commands that are processed together.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Jobs that are written in one transaction, in order.
    pub(super) writes: Vec<WriteJob>,
    /// Callers that ask whether another process wrote.
    pub(super) looks: Vec<Reply<bool>>,
}

/// What to do after a group.
#[derive(Debug)]
pub(super) enum AfterGroup {
    Next,
    /// Scrub the file.
    Scrub(Reply<()>),
    Close,
}

/// Returns the next command, or `Pending` if none arrived within about this time.
pub(super) fn receive_within(
    quiet: Duration,
    queue: &mut mpsc::Receiver<HistoryCommand>,
) -> Poll<Option<HistoryCommand>> {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let received = queue.poll_recv(&mut context);
    if received.is_pending() {
        thread::park_timeout(quiet);
        return queue.poll_recv(&mut context);
    }
    received
}

/// Takes the waiting commands, up to a limit, and returns what to do after them.
pub(super) fn gather(
    first: HistoryCommand,
    queue: &mut mpsc::Receiver<HistoryCommand>,
) -> (Group, AfterGroup) {
    let (mut group, mut rows) = (Group::default(), 0);
    let mut next = Some(first);
    while let Some(command) = next {
        let write = match command {
            HistoryCommand::Close => return (group, AfterGroup::Close),
            HistoryCommand::Scrub { answer } => return (group, AfterGroup::Scrub(answer)),
            HistoryCommand::Look { answer } => {
                group.looks.push(answer);
                None
            }
            HistoryCommand::Append {
                events,
                offered,
                answer,
            } => Some(job(
                events.len(),
                Haste::Now,
                move |hands| store::append(hands, &events, offered),
                Some(answer),
            )),
            HistoryCommand::Run(write) => Some(write),
        };
        rows += write.as_ref().map_or(1, |write| write.rows());
        group.writes.extend(write);
        next = if rows < GROUP_ROWS {
            queue.try_recv().ok()
        } else {
            None
        };
    }
    (group, AfterGroup::Next)
}

/// Reports to each waiting caller that nothing was
/// written. Keeps the writes for which no caller waits.
pub(super) fn refuse(writes: Vec<WriteJob>, error: &HistoryError, owed: &mut Vec<WriteJob>) {
    for write in writes {
        if let Some(write) = write.reject(error)
            && owed.len() < MAX_OWED
        {
            owed.push(write);
        }
    }
}
