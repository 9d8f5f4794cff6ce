//! A client of Podio's API: hooks, items, and what explains an event (podio.md 2 to 5).
//!
//! [`Client::new`] reads the certificates of the operating system and connects to nothing. Each
//! operation is one method, in the file of its subject; all go through one function,
//! `Client::call`, which puts the token on, renews it once after a 401, and leaves time, size and
//! rate limits to `transport`.
//!
//! Dropping a call is safe but for one moment: while tokens are being renewed, Podio may already
//! have replaced the refresh token. The next call then begins again with the grant.

mod base_url;
mod config;
mod credentials;
mod error;
mod hooks;
mod items;
mod lenient;
mod limit;
mod lookups;
mod model;
mod private_file;
mod rate;
mod token_file;
mod token_store;
mod tokens;
mod transport;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use tokio::sync::watch;

pub use base_url::{BaseUrl, InvalidBaseUrl};
pub use config::PodioClientConfig;
pub use credentials::{Credentials, Grant};
pub use error::{ApiRefusal, Error};
pub use hooks::{Hook, HookStatus};
pub use items::{FoundItems, NewRevision, WriteOptions};
pub use limit::{CallBudget, RateLimit};
pub use model::{
    App, AppConfig, AppField, AppRef, ByLine, Comment, Contact, FieldChange, FieldConfig,
    FieldValue, File, Item, Person, Reference, Revision, RevisionKind, Space, StatusPost, Task,
    TokenScope, Via,
};

use rate::SharedRateLimit;
use token_store::ClientTokens;
use tokens::Tokens;
use transport::{Outgoing, Transport};

/// A client of the API. Cheap to clone; clones share tokens, connections and the rate limit.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    config: Arc<PodioClientConfig>,
    transport: Transport,
    tokens: ClientTokens,
}

/// The client could not be made: the operating system's certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot prepare TLS for {base_url}")]
pub struct TlsUnavailable {
    base_url: BaseUrl,
    source: rustls::Error,
}

/// One operation, before the token.
struct Call {
    method: Method,
    /// Path and query.
    path: String,
    body: Option<Value>,
    access: Access,
}

/// Whether a call makes sense without tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Podio will refuse it without.
    Required,
    /// Podio may take it without: tokens go along where there are any.
    IfAny,
}

impl Call {
    fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            body: None,
            access: Access::Required,
        }
    }

    fn get(path: String) -> Self {
        Self::new(Method::GET, path)
    }

    fn with_body(self, body: Value) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }
}

impl Client {
    /// A client with these settings.
    ///
    /// # Errors
    /// When an `https` API is configured and the operating system has no certificates to trust.
    pub fn new(config: PodioClientConfig) -> Result<Self, TlsUnavailable> {
        let tokens = ClientTokens::new(&config);
        let identity = config.credentials.as_ref();
        let identity = identity.map_or_else(String::new, Credentials::holder);
        let identity = format!("{} {identity}", config.base_url);
        let rate = SharedRateLimit::new(config.rate_file.clone(), identity);
        let config = Arc::new(config);
        let transport =
            Transport::new(Arc::clone(&config), rate).map_err(|source| TlsUnavailable {
                base_url: config.base_url.clone(),
                source,
            })?;
        Ok(Self {
            shared: Arc::new(Shared {
                config,
                transport,
                tokens,
            }),
        })
    }

    /// Whether the client has credentials at all.
    pub fn has_credentials(&self) -> bool {
        self.shared.config.credentials.is_some()
    }

    /// Fetches new tokens by the configured grant, also where others are stored, and stores them.
    ///
    /// # Errors
    /// [`Error::LoginNeeded`] without credentials or with [`Grant::Stored`]; else as any call.
    pub async fn login(&self) -> Result<(), Error> {
        self.shared.tokens.login(&self.shared.transport).await
    }

    /// The rate limit as the last answer told it; `None` until one did.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        *self.watch_rate_limit().borrow()
    }

    /// How many calls are left, as the newest answer to any process on this machine told, and when
    /// there are more again; `None` until one did within the hour. Makes no call.
    pub async fn budget(&self) -> Option<CallBudget> {
        self.shared.transport.budget().await
    }

    /// The rate limit, as it changes.
    pub fn watch_rate_limit(&self) -> watch::Receiver<Option<RateLimit>> {
        self.shared.transport.rate_limit()
    }

    async fn fetch<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let operation = transport::operation(&call.method, &call.path);
        let body = self.call(call).await?;
        serde_json::from_slice(&body).map_err(|source| Error::Json { operation, source })
    }

    /// A list, without the elements that cannot be read.
    async fn fetch_list<T: DeserializeOwned>(&self, call: Call) -> Result<Vec<T>, Error> {
        let values: Vec<Value> = self.fetch(call).await?;
        let read = |value| serde_json::from_value(value).ok();
        Ok(values.into_iter().filter_map(read).collect())
    }

    async fn call(&self, call: Call) -> Result<Bytes, Error> {
        let transport = &self.shared.transport;
        let tokens = match self.shared.tokens.current(transport).await {
            // Podio may take the call without tokens.
            Err(_) if call.access == Access::IfAny => None,
            other => other?,
        };
        let mut outgoing = call.into_outgoing(tokens.as_deref());
        match (transport.exchange(&outgoing).await, tokens) {
            (Err(Error::Unauthorized { .. }), Some(refused)) => {
                let tokens = self.shared.tokens.replace(transport, &refused).await?;
                outgoing.authorization = tokens.authorization();
                believable(&outgoing, transport.exchange(&outgoing).await?)
            }
            (ended, _) => believable(&outgoing, ended?),
        }
    }
}

/// A success says nothing, or says it in JSON: anything else came from a server in between.
fn believable(outgoing: &Outgoing, body: Bytes) -> Result<Bytes, Error> {
    let is_blank = body.iter().all(u8::is_ascii_whitespace);
    match serde_json::from_slice::<IgnoredAny>(&body) {
        Err(source) if !is_blank => Err(Error::Json {
            operation: outgoing.operation(),
            source,
        }),
        _ => Ok(body),
    }
}

impl Call {
    fn into_outgoing(self, tokens: Option<&Tokens>) -> Outgoing {
        Outgoing {
            method: self.method,
            path: self.path,
            content_type: self.body.is_some().then_some("application/json"),
            authorization: tokens.and_then(Tokens::authorization),
            body: self
                .body
                .map_or_else(Bytes::new, |body| Bytes::from(body.to_string())),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.shared.config.base_url)
            .field("rate_limit", &self.rate_limit())
            .finish_non_exhaustive()
    }
}
