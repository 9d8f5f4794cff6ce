//! Fetches access tokens when they are first needed, and renews them before they expire and after
//! a 401. Only one renewal runs at a time. The tokens are never visible outside the client.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::config::PodioClientConfig;
use super::credentials::Credentials;
use super::error::Error;
use super::token_file::TokenFile;
use super::tokens::Tokens;
use super::transport::{OutgoingRequest, Transport};

/// The endpoint that accepts forms; `/oauth/token/v2` accepts only JSON (podio.md 3.1).
const ENDPOINT: &str = "/oauth/token";

/// The tokens of one client. The task that holds the lock renews them.
#[derive(Debug)]
pub(super) struct ClientTokens {
    credentials: Option<Credentials>,
    file: Option<TokenFile>,
    margin: Duration,
    held: Mutex<Option<Arc<Tokens>>>,
}

impl ClientTokens {
    pub(super) fn new(config: &PodioClientConfig) -> Self {
        let file = config.token_file.clone().zip(config.credentials.as_ref());
        Self {
            credentials: config.credentials.clone(),
            file: file.map(|(path, credentials)| {
                let identity = format!("{} {}", config.base_url, credentials.identity());
                let before = credentials.identity_before();
                let before = before.map(|before| format!("{} {before}", config.base_url));
                TokenFile::new(path, identity, before)
            }),
            margin: config.refresh_margin,
            held: Mutex::new(None),
        }
    }

    /// Returns tokens that are still valid for a while; `None` for a client without credentials.
    pub(super) async fn current(
        &self,
        transport: &Transport,
    ) -> Result<Option<Arc<Tokens>>, Error> {
        let Some(credentials) = &self.credentials else {
            return Ok(None);
        };
        let mut held = self.held.lock().await;
        if held.is_none() {
            *held = self.load().await?.map(Arc::new);
        }
        match &*held {
            Some(tokens) if tokens.is_fresh(Timestamp::now(), self.margin) => {
                Ok(Some(Arc::clone(tokens)))
            }
            _ => self
                .renew(credentials, transport, &mut held)
                .await
                .map(Some),
        }
    }

    /// Returns other tokens than the refused ones. Another call may already have fetched them.
    pub(super) async fn replace(
        &self,
        transport: &Transport,
        refused: &Arc<Tokens>,
    ) -> Result<Arc<Tokens>, Error> {
        let credentials = self.credentials.as_ref().ok_or(Error::LoginNeeded)?;
        let mut held = self.held.lock().await;
        match &*held {
            Some(tokens) if !Arc::ptr_eq(tokens, refused) => Ok(Arc::clone(tokens)),
            _ => self.renew(credentials, transport, &mut held).await,
        }
    }

    /// Fetches new tokens with the grant itself, even if others are held or stored.
    pub(super) async fn login(&self, transport: &Transport) -> Result<(), Error> {
        let credentials = self.credentials.as_ref().ok_or(Error::LoginNeeded)?;
        let mut held = self.held.lock().await;
        let tokens = first(credentials, transport).await?;
        self.keep(tokens, &mut held).await.map(drop)
    }

    async fn renew(
        &self,
        credentials: &Credentials,
        transport: &Transport,
        held: &mut Option<Arc<Tokens>>,
    ) -> Result<Arc<Tokens>, Error> {
        if let Some(newer) = self.renewed_elsewhere(held.as_deref()).await? {
            return Ok(Arc::clone(held.insert(Arc::new(newer))));
        }
        let refresh = held.as_ref().and_then(|tokens| tokens.refresh.clone());
        let tokens = match refresh {
            Some(refresh) => match request(transport, credentials.refresh_form(&refresh)).await {
                Ok(tokens) => Tokens {
                    // Podio may replace the refresh token, or the old one stays valid.
                    refresh: tokens.refresh.or(Some(refresh)),
                    ..tokens
                },
                // The refresh token is invalid (after 28 days,
                // or revoked), so the grant is used again.
                Err(Error::Unauthorized { .. }) => first(credentials, transport).await?,
                Err(error) => return Err(error),
            },
            None => first(credentials, transport).await?,
        };
        self.keep(tokens, held).await
    }

    /// Returns tokens that another process has stored since this one got its own.
    async fn renewed_elsewhere(&self, ours: Option<&Tokens>) -> Result<Option<Tokens>, Error> {
        let ours = ours.map(|tokens| tokens.access.expose_secret());
        let stored = self.load().await?;
        Ok(stored.filter(|tokens| {
            Some(tokens.access.expose_secret()) != ours
                && tokens.is_fresh(Timestamp::now(), self.margin)
        }))
    }

    /// Keeps the tokens in memory, then stores them. If the file
    /// cannot be written, this call fails but the tokens are not lost.
    async fn keep(
        &self,
        tokens: Tokens,
        held: &mut Option<Arc<Tokens>>,
    ) -> Result<Arc<Tokens>, Error> {
        let tokens = Arc::clone(held.insert(Arc::new(tokens)));
        if let Some(file) = &self.file {
            file.save(&tokens).await?;
        }
        Ok(tokens)
    }

    async fn load(&self) -> Result<Option<Tokens>, Error> {
        match &self.file {
            Some(file) => file.load().await,
            None => Ok(None),
        }
    }
}

async fn first(credentials: &Credentials, transport: &Transport) -> Result<Tokens, Error> {
    let form = credentials.first_form().ok_or(Error::LoginNeeded)?;
    request(transport, form).await
}

async fn request(transport: &Transport, form: String) -> Result<Tokens, Error> {
    let outgoing = OutgoingRequest {
        method: Method::POST,
        path: ENDPOINT.to_owned(),
        content_type: Some("application/x-www-form-urlencoded"),
        authorization: None,
        body: Bytes::from(form),
    };
    let body = transport.exchange(&outgoing).await?;
    let answer: TokenAnswer = serde_json::from_slice(&body).map_err(|source| Error::Json {
        operation: outgoing.operation(),
        source,
    })?;
    match answer {
        TokenAnswer::Tokens {
            access_token,
            refresh_token,
            expires_in,
        } => {
            let lifetime = Duration::from_secs(expires_in);
            Ok(Tokens {
                access: SecretString::from(access_token),
                refresh: refresh_token.map(SecretString::from),
                expires_at: Timestamp::now()
                    .saturating_add(lifetime)
                    .unwrap_or(Timestamp::MAX),
            })
        }
        TokenAnswer::SecondFactor { .. } => Err(Error::SecondFactor),
    }
}

/// The response of the endpoint (podio.md 3.2 and 3.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum TokenAnswer {
    Tokens {
        access_token: String,
        refresh_token: Option<String>,
        /// In seconds; Podio sends 28800.
        expires_in: u64,
    },
    SecondFactor {
        #[serde(rename = "server_nonce")]
        _server_nonce: String,
    },
}
