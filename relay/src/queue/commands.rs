//! Sends commands to an engine's writer, each with its reply channel.

use podtap_wire::{EventId, Seq, WebhookRequest};
use tokio::sync::{mpsc, oneshot};

use super::batch::{Append, QueuedEvent};
use super::{AppendError, QueueError, TunnelId};

/// Maximum number of commands that wait for the writer. If it is reached, callers wait.
const BACKLOG: usize = 4096;

/// Sends commands to a writer, which ends when the last clone is dropped.
#[derive(Debug)]
pub(crate) struct Commands<C>(mpsc::Sender<C>);

/// Channel for the reply to a command.
pub(crate) type CommandReply<T, E = QueueError> = oneshot::Sender<Result<T, E>>;

/// The writer has ended.
#[derive(Debug)]
pub(crate) struct WriterClosed;

impl From<WriterClosed> for QueueError {
    fn from(_: WriterClosed) -> Self {
        Self::Unavailable
    }
}

impl From<WriterClosed> for AppendError {
    fn from(_: WriterClosed) -> Self {
        Self::Unavailable
    }
}

impl<C: From<Append>> Commands<C> {
    /// Sends an event to the writer and returns its sequence number once it is stored.
    pub(crate) async fn append(
        &self,
        tunnel: TunnelId,
        id: EventId,
        request: WebhookRequest,
    ) -> Result<Seq, AppendError> {
        let event = QueuedEvent::new(tunnel, id, request)?;
        self.ask(|reply| C::from((event, reply))).await
    }
}

impl<C> Commands<C> {
    /// Returns a sender, and the receiver for the writer.
    pub(crate) fn new() -> (Self, mpsc::Receiver<C>) {
        let (sender, waiting) = mpsc::channel(BACKLOG);
        (Self(sender), waiting)
    }

    /// Sends a command and waits for its reply.
    pub(crate) async fn ask<T, E: From<WriterClosed>>(
        &self,
        command: impl FnOnce(CommandReply<T, E>) -> C,
    ) -> Result<T, E> {
        let (reply, result) = oneshot::channel();
        self.send(command(reply)).await?;
        result.await.map_err(|_| WriterClosed)?
    }

    /// Sends a command that has no reply.
    pub(crate) async fn send(&self, command: C) -> Result<(), WriterClosed> {
        self.0.send(command).await.map_err(|_| WriterClosed)
    }

    /// Sends a command if there is room for it at once, and drops it otherwise. For commands
    /// that may as well be sent later.
    pub(crate) fn offer(&self, command: C) {
        let _ = self.0.try_send(command);
    }
}
