//! One connected agent: refused or let in, welcomed, pumped, sent away.
//!
//! Called by `server` for `/-/connect`. A session is a task of its own from the upgrade on, so
//! that nothing of the HTTP connection stays in memory. `arrival` is the way from there to the
//! welcome, `pump` the session at work; `account`, `budget` and `meter` keep one owner's sessions
//! from using up what others need.

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
    /// What is answered to a token that does not let anybody in.
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

/// The sessions of a relay.
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

/// The sessions that there are, and how many more there may be.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    accounts: Arc<Accounts>,
    tasks: TaskTracker,
    /// A permit a session: senders' connections have places of their own.
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
    /// Lets an agent in, or says why not.
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

    /// Sends every agent away and waits until they have gone, until the deadline at most.
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
