//! What waits for the writer: taking it in groups, and turning it away.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::sync::mpsc;

use super::error::HistoryError;
use super::job::{Haste, WriteJob, job};
use super::store;
use super::write::{Appended, NewEvent, Reply};

/// What the thread may be asked for; a test of the link holds the other end and plays the history.
#[derive(Debug)]
pub(crate) enum HistoryCommand {
    /// Stores events in their order; the first `offered` of them were offered to delivery.
    Append {
        events: Vec<NewEvent>,
        offered: usize,
        answer: Reply<Appended>,
    },
    /// Writes anything else.
    Run(WriteJob),
    /// Looks whether another process wrote; answers whether one did since the last look.
    Look { answer: Reply<bool> },
    /// Removes what was deleted from everything that is on the disk.
    Scrub { answer: Reply<()> },
    /// Ends the thread after everything before it.
    Close,
}

/// Rows of one transaction: bounds how long the first of them waits for its commit.
const GROUP_ROWS: usize = 4096;

/// Writes nobody waits for that are kept while the history cannot be written. Deliveries stop
/// then, so that these are the last few; of more the events are delivered again.
const MAX_OWED: usize = 4096;

/// What is done together.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Written in one transaction, in order.
    pub(super) writes: Vec<WriteJob>,
    /// Those who want to know whether another process wrote.
    pub(super) looks: Vec<Reply<bool>>,
}

/// What is to be done after a group.
#[derive(Debug)]
pub(super) enum After {
    Next,
    /// Scrub the file.
    Scrub(Reply<()>),
    Close,
}

/// The next command, or `Pending` when none came in about that time.
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

/// What is waiting, up to a limit, and what comes after it.
pub(super) fn gather(
    first: HistoryCommand,
    queue: &mut mpsc::Receiver<HistoryCommand>,
) -> (Group, After) {
    let (mut group, mut rows) = (Group::default(), 0);
    let mut next = Some(first);
    while let Some(command) = next {
        let write = match command {
            HistoryCommand::Close => return (group, After::Close),
            HistoryCommand::Scrub { answer } => return (group, After::Scrub(answer)),
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
    (group, After::Next)
}

/// Tells everybody who waits that nothing was written; keeps what nobody waits for.
pub(super) fn refuse(writes: Vec<WriteJob>, error: &HistoryError, owed: &mut Vec<WriteJob>) {
    for write in writes {
        if let Some(write) = write.reject(error)
            && owed.len() < MAX_OWED
        {
            owed.push(write);
        }
    }
}
