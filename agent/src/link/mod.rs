//! The link to the relay: connects, runs a session, backs off, and repeats. It ends only on
//! request, or if dialling again cannot help.

mod ask;
mod backoff;
mod dial;
mod disconnect;
mod exchange;
mod gather;
pub mod probe;
mod session;
mod socket;
mod speak;
#[cfg(test)]
mod tests;
mod upgrade;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use podtap_wire::{Hello, Respond, Welcome};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::answers::{Allowance, Outbox};
use crate::change::Change;
use crate::config::LinkConfig;
use crate::history::Writer;
use crate::status::{LinkState, Status};
pub use ask::{AskError, TunnelClient};
use backoff::{Backoff, SLEEP_CHECK, SleepWatch};
pub use dial::DialError;
use dial::{Dialer, LinkSocket};
use disconnect::Disconnect;
pub(crate) use disconnect::Stop;

/// Where a session sends its events and reports its state.
#[derive(Debug)]
pub(crate) struct LinkOutputs {
    pub(crate) writer: Writer,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) changes: broadcast::Sender<Change>,
    /// The answers of the local service, if they go back to the senders, with their memory limit,
    /// which the relay influences.
    pub(crate) answers: Option<(Allowance, Outbox)>,
}

/// The link. Built once, run once.
#[derive(Debug)]
pub(crate) struct Link {
    dialer: Dialer,
    hello: Hello,
    outputs: LinkOutputs,
    backoff: Backoff,
}

impl Link {
    pub(crate) fn new(
        config: &LinkConfig,
        tls: Arc<rustls::ClientConfig>,
        outputs: LinkOutputs,
    ) -> Result<Self, DialError> {
        let passes = outputs.answers.is_some();
        let hello = Hello {
            client: concat!("podtap/", env!("CARGO_PKG_VERSION")).to_owned(),
            tunnel: config.tunnel.clone(),
            window: config.window,
            respond: if passes {
                Respond::Local
            } else {
                Respond::Stored
            },
            epoch: None,
            host: config.host.clone(),
            take_over: config.take_over,
            pass_through: passes,
        };
        let dialer = Dialer::new(config, tls)?;
        Ok(Self {
            dialer,
            hello,
            outputs,
            backoff: Backoff::default(),
        })
    }

    /// Keeps the connection up until the token is cancelled or nothing more can be done.
    pub(crate) async fn run(mut self, token: CancellationToken) -> Stop {
        let mut last_reason: Option<String> = None;
        loop {
            if self.history_fails(&token).await {
                last_reason = None;
            }
            self.connecting(last_reason.clone(), None);
            let (reason, after) = match self.connect(&token).await {
                Disconnect::Retry { reason, after } => (reason, after),
                Disconnect::Stop(stop) => {
                    self.outputs.link_is(LinkState::Stopped {
                        reason: stop.reason(),
                    });
                    return stop;
                }
            };
            let pause = after.unwrap_or_else(|| self.backoff.next(fastrand::f64()));
            // Once per reason, not per attempt.
            if last_reason.as_ref() == Some(&reason) {
                tracing::debug!(reason, ?pause, "the link is still down");
            } else {
                tracing::info!(reason, ?pause, "the link is down");
            }
            self.connecting(Some(reason.clone()), Some(pause));
            last_reason = Some(reason);
            tokio::select! {
                () = token.cancelled() => {
                    let stop = Stop::Cancelled;
                    self.outputs.link_is(LinkState::Stopped { reason: stop.reason() });
                    return stop;
                }
                () = pause_or_wake_up(pause) => {}
            }
        }
    }

    /// Waits, with the link down, while the history
    /// cannot be written; returns whether it had to wait.
    async fn history_fails(&self, token: &CancellationToken) -> bool {
        let mut storage = self.outputs.writer.storage();
        let mut had_to = false;
        loop {
            let reason = storage.borrow_and_update().clone();
            let Some(reason) = reason else {
                return had_to;
            };
            had_to = true;
            self.connecting(Some(reason.to_string()), None);
            tokio::select! {
                () = token.cancelled() => return had_to,
                changed = storage.changed() => if changed.is_err() {
                    return had_to;
                },
            }
        }
    }

    /// Runs one connection, from dialling to its end.
    async fn connect(&mut self, token: &CancellationToken) -> Disconnect {
        let opened = tokio::select! {
            () = token.cancelled() => return Disconnect::Stop(Stop::Cancelled),
            opened = self.open() => opened,
        };
        let (socket, welcome) = match opened {
            Ok(opened) => opened,
            Err(end) => return end,
        };
        // From now on, this agent reconnects rather than starts.
        self.hello.epoch = (welcome.epoch > 0).then_some(welcome.epoch);
        self.hello.take_over = false;
        self.outputs.apply_welcome(welcome);
        let since = Instant::now();
        let window = self.hello.window;
        let end = session::run(socket, &self.outputs, window, token).await;
        self.backoff.record_uptime(since.elapsed());
        end
    }

    async fn open(&mut self) -> Result<(LinkSocket, Welcome), Disconnect> {
        let mut socket = self.dialer.dial().await?;
        let welcome = session::open(&mut socket, self.hello.clone()).await?;
        if let Some((_, outbox)) = &self.outputs.answers {
            outbox.begin();
        }
        Ok((socket, welcome))
    }

    fn connecting(&self, reason: Option<String>, pause: Option<Duration>) {
        let attempt = self.backoff.failures();
        let retry_at = pause.and_then(|pause| {
            Timestamp::now()
                .checked_add(SignedDuration::try_from(pause).ok()?)
                .ok()
        });
        self.outputs.link_is(LinkState::Connecting {
            attempt,
            reason,
            retry_at,
        });
    }
}

impl LinkOutputs {
    fn apply_welcome(&self, welcome: Welcome) {
        if let Some((allowance, _)) = &self.answers {
            allowance.set_limits(&welcome.limits);
        }
        // Do not log the URL: its key is the only secret that keeps others from posting.
        tracing::info!(
            tunnel = welcome.tunnel.as_str(),
            server = welcome.server,
            backlog = welcome.backlog,
            "the link is up"
        );
        self.status.send_modify(|status| {
            let is_first = status.public_url.is_none();
            status.reconnects += u64::from(!is_first);
            status.public_url = Some(welcome.url);
            status.tunnel = Some(welcome.tunnel.as_str().to_owned());
            status.backlog = welcome.backlog;
        });
        self.link_is(LinkState::Up {
            since: Timestamp::now(),
        });
    }

    fn link_is(&self, link: LinkState) {
        self.status.send_modify(|status| status.link = link.clone());
        // It is fine if there is no listener.
        let _ = self.changes.send(Change::Link(link));
    }
}

/// Returns after the pause, or immediately if the machine
/// was asleep, because the network may have changed.
async fn pause_or_wake_up(pause: Duration) {
    let until = Instant::now() + pause;
    let mut sleep_watch = SleepWatch::new(Timestamp::now(), Instant::now());
    let mut check = interval(SLEEP_CHECK);
    loop {
        tokio::select! {
            () = sleep_until(until) => return,
            _ = check.tick() => {
                if sleep_watch.has_slept(Timestamp::now(), Instant::now()) {
                    return;
                }
            }
        }
    }
}
