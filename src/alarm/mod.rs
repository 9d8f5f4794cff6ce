//! Rings a bell or shows a desktop notice when a delivery fails; off
//! by default. The signal goes through the terminal, so it works over
//! SSH and needs no desktop service. It contains no text from outside.

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

/// Maximum number of attempts that are read at once.
const BATCH: usize = 256;

/// The alarm for the failures of one or more agents.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    kind: AlarmKind,
    limit: Arc<Mutex<AlarmLimit>>,
    way: AlarmWay,
}

/// How the alarm reaches the person.
#[derive(Debug, Clone)]
enum AlarmWay {
    /// Through the terminal UI, which uses the terminal.
    ByUi(watch::Sender<String>),
    /// Directly to the terminal.
    Directly,
}

impl Alarm {
    /// Returns an alarm that writes to the terminal.
    pub(crate) fn new(kind: AlarmKind) -> Self {
        Self {
            kind,
            limit: Arc::default(),
            way: AlarmWay::Directly,
        }
    }

    /// Sends the alarm to the terminal UI instead; returns the receiver for the UI.
    pub(crate) fn by_ui(mut self) -> (Self, watch::Receiver<String>) {
        let (sender, receiver) = watch::channel(String::new());
        self.way = AlarmWay::ByUi(sender);
        (self, receiver)
    }

    /// Rings for failed attempts after this position, until cancelled.
    pub(crate) async fn run(
        self,
        handle: AgentHandle,
        mut after: AttemptPosition,
        token: CancellationToken,
    ) -> Result<(), Failure> {
        let mut changes = handle.changes();
        loop {
            // The history's own errors are reported elsewhere; the next change tries again.
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

/// Returns whether a delivery failed. A replay does
/// not count: the person who asked for it is watching.
fn has_failed(attempt: &Attempt) -> bool {
    let is_refused = match attempt.outcome {
        Outcome::Answered { status, .. } => status >= 400,
        Outcome::Failed { .. } => true,
    };
    is_refused && !attempt.replay && !attempt.imported
}

/// Writes to the terminal that the person sees; without one, no alarm is possible.
fn to_terminal(sequence: &str) {
    let (mut stderr, mut stdout) = (std::io::stderr(), std::io::stdout());
    // If the terminal is gone, the code that prints to it notices.
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
