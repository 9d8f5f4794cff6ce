//! A bell, or a notice of the desktop, when a delivery fails: off unless it is asked for. It reaches
//! the person by the terminal, so that it works over SSH and needs no service of the desktop, and
//! holds nothing of what strangers sent.

mod limit;
mod sequence;

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use podtap_agent::AgentHandle;
use podtap_agent::history::{Attempt, AttemptPosition, HistoryError, Outcome};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use limit::AlarmLimit;
pub(crate) use sequence::{AlarmKind, TerminalKind};

/// Attempts read at once.
const BATCH: usize = 256;

/// What rings for the failures of one agent or several.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    kind: AlarmKind,
    limit: Arc<Mutex<AlarmLimit>>,
    way: AlarmWay,
}

/// How the person is reached.
#[derive(Debug, Clone)]
enum AlarmWay {
    /// By the terminal UI, which has the terminal.
    ByUi(watch::Sender<String>),
    /// By the terminal itself.
    Directly,
}

impl Alarm {
    /// One that writes to the terminal.
    pub(crate) fn new(kind: AlarmKind) -> Self {
        Self {
            kind,
            limit: Arc::default(),
            way: AlarmWay::Directly,
        }
    }

    /// The same by the terminal UI, and what that is to listen to.
    pub(crate) fn by_ui(mut self) -> (Self, watch::Receiver<String>) {
        let (sender, receiver) = watch::channel(String::new());
        self.way = AlarmWay::ByUi(sender);
        (self, receiver)
    }

    /// Rings for what fails after this place, until cancelled.
    pub(crate) async fn run(
        self,
        handle: AgentHandle,
        mut after: AttemptPosition,
        token: CancellationToken,
    ) -> Result<(), Failure> {
        let mut changes = handle.changes();
        loop {
            // What cannot be read now is told by others, and looked at with the next change.
            if let Err(error) = self.catch_up(&handle, &mut after).await {
                tracing::debug!(%error, "failures cannot be looked for");
            }
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                change = changes.recv() => if change == Err(RecvError::Closed) {
                    token.cancelled().await;
                } else {
                    changes = changes.resubscribe();
                },
            }
        }
    }

    async fn catch_up(
        &self,
        handle: &AgentHandle,
        after: &mut AttemptPosition,
    ) -> Result<(), HistoryError> {
        loop {
            let attempts = handle.history().attempts_after(*after, BATCH).await?;
            let Some((last, _)) = attempts.last() else {
                return Ok(());
            };
            *after = *last;
            for (_, attempt) in &attempts {
                if has_failed(attempt) && self.may_ring(attempt) {
                    let event = handle.history().event(attempt.event).await?;
                    let podio = event.as_ref().and_then(|event| event.podio.as_ref());
                    let kind = podio.map(|podio| &podio.kind);
                    self.ring(&self.kind.sequence(kind, &attempt.outcome));
                }
            }
        }
    }

    fn may_ring(&self, attempt: &Attempt) -> bool {
        let mut limit = self.limit.lock().unwrap_or_else(PoisonError::into_inner);
        limit.take(attempt.event, Instant::now())
    }

    fn ring(&self, sequence: &str) {
        match &self.way {
            AlarmWay::ByUi(ui) => drop(ui.send_replace(sequence.to_owned())),
            AlarmWay::Directly => to_terminal(sequence),
        }
    }
}

/// Whether a delivery failed: a replay is looked at by the person who asked for it.
fn has_failed(attempt: &Attempt) -> bool {
    let is_refused = match attempt.outcome {
        Outcome::Answered { status, .. } => status >= 400,
        Outcome::Failed { .. } => true,
    };
    is_refused && !attempt.replay && !attempt.imported
}

/// Writes to the terminal that the person sees; where there is none, no one hears it.
fn to_terminal(sequence: &str) {
    let (mut stderr, mut stdout) = (std::io::stderr(), std::io::stdout());
    // A terminal that has gone is noticed by what prints to it.
    let _ = if stderr.is_terminal() {
        stderr
            .write_all(sequence.as_bytes())
            .and_then(|()| stderr.flush())
    } else if stdout.is_terminal() {
        stdout
            .write_all(sequence.as_bytes())
            .and_then(|()| stdout.flush())
    } else {
        Ok(())
    };
}
