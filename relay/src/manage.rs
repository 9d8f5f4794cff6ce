//! Lets owners manage their tunnels over plain HTTP, with the token with which agents connect.
//!
//! The formats are those of [`podtap_wire::manage`]. A change takes effect before the
//! answer: the old URL answers 404, and the agent is informed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use podtap_wire::manage::{
    ConnectedAgent, MAX_GRACE_S, QueueLimits, RefusedWebhooks, Rotate, RotatedTunnel, TunnelEntry,
    TunnelList,
};
use podtap_wire::{ConnectRefusal, RefusalKind, TunnelName};
use serde::Serialize;
use tokio::time::timeout;
use url::Url;

use crate::admin::SERVER;
use crate::answer::{HttpAnswer, full};
use crate::config::Limits;
use crate::gate::TokenGate;
use crate::queue::QueueError;
use crate::route::Manage;
use crate::session::presence::Presence;
use crate::session::{bearer, refuse, refused_token, unavailable};
use crate::tunnel::directory::{self, Directory, Owner};
use crate::tunnel::{AgentConnection, TunnelInfo};

/// Maximum size of a request body.
const MAX_BODY_BYTES: usize = 4 * 1024;

/// Answers requests of owners.
#[derive(Debug)]
pub(crate) struct Manager {
    pub(crate) gate: Arc<TokenGate>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) presence: Arc<Presence>,
    pub(crate) public_url: Url,
    /// Maximum time for the body of a request.
    pub(crate) body_timeout: Duration,
    pub(crate) limits: QueueLimits,
}

/// Returns the limits that owners may see.
pub(crate) fn public_limits(limits: &Limits) -> QueueLimits {
    QueueLimits {
        max_events: limits.max_queue_events,
        max_bytes: limits.max_queue_bytes,
        max_owner_events: limits.max_owner_queue_events,
        max_owner_bytes: limits.max_owner_queue_bytes,
    }
}

type Managed<T> = Result<T, ConnectRefusal>;

impl Manager {
    /// Returns the answer to one request.
    pub(crate) async fn answer(
        &self,
        asked: Manage,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> Response<HttpAnswer> {
        let Some(token) = bearer(request.headers()) else {
            return refuse(&refused_token("a token is required to manage tunnels"));
        };
        let owner = match self.gate.admit(&token, peer).await {
            Ok(owner) => owner,
            Err(denied) => return denied.answer(),
        };
        match self.manage(asked, owner, request).await {
            Ok(answer) => answer,
            Err(refusal) => refuse(&refusal),
        }
    }

    async fn manage(
        &self,
        asked: Manage,
        owner: Owner,
        request: Request<Incoming>,
    ) -> Managed<Response<HttpAnswer>> {
        match (request.method(), asked) {
            (&Method::GET | &Method::HEAD, Manage::All) => self.list(owner).await,
            (&Method::POST, Manage::Rotate(name)) => {
                let wanted = self.body(request).await?;
                self.rotate(owner, name, wanted).await
            }
            (&Method::DELETE, Manage::One(name)) => self.delete(owner, name).await,
            (_, asked) => Ok(not_allowed(&asked)),
        }
    }

    async fn list(&self, owner: Owner) -> Managed<Response<HttpAnswer>> {
        let tunnels = self
            .directory
            .list(owner.name)
            .await
            .map_err(queue_refusal)?;
        let tunnels = tunnels.into_iter().map(|tunnel| self.entry(tunnel));
        Ok(json(&TunnelList {
            tunnels: tunnels.collect(),
            server: SERVER.to_owned(),
            limits: self.limits,
        }))
    }

    async fn rotate(
        &self,
        owner: Owner,
        name: TunnelName,
        wanted: Rotate,
    ) -> Managed<Response<HttpAnswer>> {
        if wanted.grace_s > MAX_GRACE_S {
            return Err(malformed_refusal(format!(
                "`grace_s` must be at most {MAX_GRACE_S}"
            )));
        }
        let grace = Duration::from_secs(wanted.grace_s);
        let rotated = self.directory.rotate(owner.name, name.clone(), grace);
        let rotated = rotated.await.map_err(queue_refusal)?;
        let rotated = rotated.ok_or_else(|| not_found(&name))?;
        self.enforce().await?;
        Ok(json(&RotatedTunnel {
            url: directory::url(&self.public_url, &rotated.key),
            old_url_until: rotated.old_key_until,
        }))
    }

    async fn delete(&self, owner: Owner, name: TunnelName) -> Managed<Response<HttpAnswer>> {
        let deleted = self.directory.delete(owner.name, name.clone()).await;
        if !deleted.map_err(queue_refusal)? {
            return Err(not_found(&name));
        }
        self.enforce().await?;
        let mut answer = Response::new(HttpAnswer::default());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        Ok(answer)
    }

    /// Applies a change now instead of at the next poll.
    async fn enforce(&self) -> Managed<()> {
        if let Some(standing) = self.directory.poll().await.map_err(queue_refusal)? {
            self.presence.enforce(&standing);
        }
        Ok(())
    }

    async fn body(&self, request: Request<Incoming>) -> Managed<Rotate> {
        let body = Limited::new(request.into_body(), MAX_BODY_BYTES).collect();
        let body = timeout(self.body_timeout, body).await;
        let Ok(Ok(body)) = body else {
            return Err(malformed_refusal(
                "the body is too large, or did not arrive".to_owned(),
            ));
        };
        let body = body.to_bytes();
        if body.is_empty() {
            return Ok(Rotate::default());
        }
        serde_json::from_slice(&body)
            .map_err(|error| malformed_refusal(format!("the body cannot be read: {error}")))
    }

    fn entry(&self, tunnel: TunnelInfo) -> TunnelEntry {
        // For sessions of this relay, its own state is more recent than the store.
        let connected = self.presence.connected_agent(tunnel.id);
        let refused = if self.directory.is_shared() {
            tunnel.refused
        } else {
            let served = self.directory.lookup(&tunnel.key);
            let own = served.map_or_else(Vec::new, |served| served.refused.all());
            own.into_iter().map(RefusedWebhooks::from).collect()
        };
        TunnelEntry {
            url: directory::url(&self.public_url, &tunnel.key),
            name: tunnel.name,
            old_url_until: tunnel.old_key_until,
            created_at: tunnel.created_at,
            waiting_events: tunnel.backlog,
            waiting_bytes: tunnel.backlog_bytes,
            oldest_waiting_at: tunnel.oldest_waiting_at,
            last_event_at: tunnel.last_event_at,
            refused,
            connected: connected.map(|AgentConnection { since, host, peer }| ConnectedAgent {
                since,
                host,
                peer,
            }),
        }
    }
}

fn json(value: &impl Serialize) -> Response<HttpAnswer> {
    let body = serde_json::to_vec(value).unwrap_or_default();
    let mut answer = Response::new(full(Bytes::from(body)));
    let headers = answer.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    // URLs are secret, so the answer must not be cached.
    let no_store = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, no_store);
    answer
}

fn not_allowed(asked: &Manage) -> Response<HttpAnswer> {
    let (allow, message) = match asked {
        Manage::All => ("GET, HEAD", "use GET to list tunnels"),
        Manage::One(_) => ("DELETE", "use DELETE to delete a tunnel"),
        Manage::Rotate(_) => ("POST", "use POST to rotate a tunnel"),
    };
    let mut answer = refuse(&malformed_refusal(message.to_owned()));
    *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    let allow = HeaderValue::from_static(allow);
    answer.headers_mut().insert(header::ALLOW, allow);
    answer
}

fn not_found(name: &TunnelName) -> ConnectRefusal {
    ConnectRefusal {
        kind: RefusalKind::NotFound,
        message: format!("this token's owner has no tunnel {name}"),
    }
}

fn malformed_refusal(message: String) -> ConnectRefusal {
    ConnectRefusal {
        kind: RefusalKind::Malformed,
        message,
    }
}

fn queue_refusal(_: QueueError) -> ConnectRefusal {
    unavailable("the relay's storage is not available")
}
