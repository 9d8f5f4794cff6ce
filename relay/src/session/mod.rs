//! Serves one connected agent: it is refused or accepted, welcomed, served and dismissed.
//!
//! `server` calls this for `/-/connect`. From the upgrade on, a session is a separate task,
//! so that nothing of the HTTP connection stays in memory. `arrival` handles it up to the
//! welcome, and `pump` runs it from there. `account`, `budget` and `meter` keep the
//! sessions of one owner from using up what others need.

mod account;
mod answers;
mod arrival;
mod budget;
mod end;
mod handshake;
mod meter;
pub(crate) mod presence;
mod pulse;
mod pump;
mod socket;
mod terms;
mod window;

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer::HttpAnswer;
use crate::config::Limits;
use crate::gate::{TokenDenial, TokenGate};
use crate::held::HeldRequests;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::tunnel::directory::Directory;
use account::Accounts;
use arrival::ArrivingAgent;
use handshake::Upgrade;
pub(crate) use handshake::{bearer, refuse, refused_token, unavailable};
use presence::Presence;
pub(crate) use terms::SessionTerms;

impl TokenDenial {
    /// Returns the answer to a token that is not accepted.
    pub(crate) fn answer(self) -> Response<HttpAnswer> {
        match self {
            Self::Refused => refuse(&refused_token("this token is unknown or revoked")),
            Self::Unavailable => refuse(&unavailable("the relay cannot check tokens now")),
            Self::TooMany { retry_after } => {
                let words = "too many invalid tokens from this address, try again later";
                let mut answer = refuse(&unavailable(words));
                let seconds = HeaderValue::from(retry_after.as_secs() + 1);
                answer.headers_mut().insert(header::RETRY_AFTER, seconds);
                answer
            }
        }
    }
}

/// All sessions of a relay.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    pub(crate) gate: Arc<TokenGate>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) presence: Arc<Presence>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) held: Arc<HeldRequests>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) terms: Arc<SessionTerms>,
    pub(crate) admission: Admission,
}

/// Limits of the number of sessions.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    accounts: Arc<Accounts>,
    tasks: TaskTracker,
    /// One permit per session. Connections of senders are limited separately.
    places: Arc<Semaphore>,
    draining: CancellationToken,
}

impl Admission {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.max_sessions)),
            accounts: Arc::new(Accounts::new(limits)),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
        }
    }
}

impl Sessions {
    /// Accepts an agent, or returns the reason for its refusal.
    pub(crate) async fn connect(
        &self,
        mut request: Request<Incoming>,
        peer: IpAddr,
    ) -> Response<HttpAnswer> {
        if self.admission.draining.is_cancelled() {
            return refuse(&unavailable("the relay shuts down"));
        }
        let upgrade = match Upgrade::parse(&request) {
            Ok(upgrade) => upgrade,
            Err(refusal) => return refuse(&refusal),
        };
        let owner = match self.gate.admit(&upgrade.token, peer).await {
            Ok(owner) => owner,
            Err(denied) => {
                if denied == TokenDenial::Refused {
                    tracing::info!(%peer, "an agent's token was refused");
                }
                return denied.answer();
            }
        };
        let Ok(place) = Arc::clone(&self.admission.places).try_acquire_owned() else {
            self.metrics.connection_refused("sessions");
            return refuse(&unavailable("the relay has too many agents"));
        };
        let account = self.admission.accounts.of(&owner.name);
        let Some(own_place) = account.place() else {
            self.metrics.connection_refused("owner-sessions");
            let refusal =
                unavailable("this token's owner has the maximum number of connected agents");
            return refuse(&refusal);
        };
        let upgraded = hyper::upgrade::on(&mut request);
        let arrival = ArrivingAgent {
            directory: Arc::clone(&self.directory),
            presence: Arc::clone(&self.presence),
            queue: Arc::clone(&self.queue),
            held: Arc::clone(&self.held),
            metrics: Arc::clone(&self.metrics),
            terms: Arc::clone(&self.terms),
            account,
            owner,
            peer,
            draining: self.admission.draining.clone(),
        };
        self.admission.tasks.spawn(async move {
            let _places = (place, own_place);
            arrival.session(upgraded).await;
        });
        upgrade.accept()
    }

    /// Ends all sessions and waits until the agents have disconnected, or until the deadline.
    pub(crate) async fn drain(&self, deadline: Instant) {
        self.admission.draining.cancel();
        self.admission.tasks.close();
        if timeout_at(deadline, self.admission.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                left = self.admission.tasks.len(),
                "sessions did not end in time"
            );
        }
    }
}
