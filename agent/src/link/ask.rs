//! Sends an owner's requests to a relay over plain HTTP, over the same route as the link: list the
//! tunnels, give a tunnel another URL, delete a tunnel.

use std::time::Duration;

use bytes::Bytes;
use http::header;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use podtap_connect::tls::Trust;
use podtap_wire::manage::{Rotate, RotatedTunnel, TUNNELS_PATH, TunnelEntry, TunnelList};
use podtap_wire::{ConnectRefusal, RefusalKind, TunnelName};
use serde::de::DeserializeOwned;

use super::dial::{DialError, Dialer, NOT_A_RELAY, not_of_a_relay};
use super::disconnect::Disconnect;
use crate::config::LinkConfig;

/// Maximum time for one request, from the name's resolution to the end of the answer.
const ASK_TIMEOUT: Duration = Duration::from_secs(20);

/// Asks a relay about an owner's tunnels.
#[derive(Debug)]
pub struct TunnelClient {
    dialer: Dialer,
}

/// Why a relay did not do what was requested.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The relay could not be reached.
    #[error("{0}")]
    Unreachable(String),
    /// The relay does not know the token.
    #[error("{0}")]
    Token(String),
    /// The owner has no such tunnel.
    #[error("{0}")]
    NoTunnel(String),
    /// The relay cannot do this, or not now.
    #[error("{0}")]
    Refused(String),
}

impl TunnelClient {
    /// Creates a client for the relay of this link, with its proxy and its token.
    pub fn new(link: &LinkConfig, trust: &Trust) -> Result<Self, DialError> {
        let dialer = Dialer::trusting(link, trust)?;
        Ok(Self { dialer })
    }

    /// Returns the owner's tunnels, by name.
    pub async fn list(&self) -> Result<Vec<TunnelEntry>, AskError> {
        Ok(self.all().await?.tunnels)
    }

    /// Returns the owner's tunnels with what the relay reports about itself.
    pub async fn all(&self) -> Result<TunnelList, AskError> {
        self.ask(Method::GET, "", Bytes::new()).await
    }

    /// Gives a tunnel a new URL; the old one works during `grace`.
    pub async fn rotate(
        &self,
        name: &TunnelName,
        grace: Duration,
    ) -> Result<RotatedTunnel, AskError> {
        let wanted = Rotate {
            grace_s: grace.as_secs(),
        };
        let body = serde_json::to_vec(&wanted).unwrap_or_default();
        self.ask(Method::POST, &format!("/{name}/rotate"), body.into())
            .await
    }

    /// Deletes a tunnel with everything in its queue.
    pub async fn delete(&self, name: &TunnelName) -> Result<(), AskError> {
        let below = format!("/{name}");
        let answer = self.answer(Method::DELETE, &below, Bytes::new());
        answer.await.map(drop)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        below: &str,
        body: Bytes,
    ) -> Result<T, AskError> {
        let answer = self.answer(method, below, body).await?;
        serde_json::from_slice(&answer).map_err(|_| not_a_relay())
    }

    /// Returns the body of a successful answer.
    async fn answer(&self, method: Method, below: &str, body: Bytes) -> Result<Bytes, AskError> {
        let answer = async {
            let request = self.request(method, below, body)?;
            let answer = self.dialer.ask(request).await.map_err(unreachable)?;
            if answer.status().is_success() {
                return Ok(answer.into_body());
            }
            Err(refusal_error(answer.status(), answer.body()))
        };
        tokio::time::timeout(ASK_TIMEOUT, answer)
            .await
            .unwrap_or_else(|_| {
                let late = "the relay did not answer in time".to_owned();
                Err(AskError::Unreachable(late))
            })
    }

    fn request(
        &self,
        method: Method,
        below: &str,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, AskError> {
        let path = format!("{}{below}", self.dialer.path(TUNNELS_PATH));
        let request = self.dialer.head(method, &path);
        request
            .header(header::CONNECTION, "close")
            .body(Full::new(body))
            .map_err(|error| AskError::Refused(error.to_string()))
    }
}

fn refusal_error(status: StatusCode, body: &[u8]) -> AskError {
    let Ok(ConnectRefusal { kind, message }) = serde_json::from_slice(body) else {
        return match status {
            StatusCode::NOT_FOUND => AskError::Refused(
                "the relay is too old for that, or this is not a relay".to_owned(),
            ),
            _ => AskError::Unreachable(not_of_a_relay(status, false)),
        };
    };
    match kind {
        RefusalKind::Token => AskError::Token(message),
        RefusalKind::NotFound => AskError::NoTunnel(message),
        _ => AskError::Refused(message),
    }
}

fn unreachable(end: Disconnect) -> AskError {
    match end {
        Disconnect::Retry { reason, .. } => AskError::Unreachable(reason),
        Disconnect::Stop(stop) => AskError::Refused(stop.reason()),
    }
}

fn not_a_relay() -> AskError {
    AskError::Refused(NOT_A_RELAY.to_owned())
}
