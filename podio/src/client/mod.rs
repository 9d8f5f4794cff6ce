//! A client of Podio's API: hooks, items, and what explains an event (podio.md 2 to 5).
//!
//! [`Client::new`] reads the certificates of the operating system but does not connect. Each
//! operation is a method, in the file of its subject. All of them call `Client::call`, which adds
//! the token and renews it once after a 401; `transport` applies the limits of time, size and rate.
//!
//! A call may be dropped at any time, with one exception: while tokens are being renewed, Podio
//! may already have replaced the refresh token. The next call then starts again with the grant.

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
use podtap_connect::tls::TlsUnavailable;
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
use transport::{OutgoingRequest, Transport};

/// A client of the API. Clones are cheap and share tokens, connections and the rate limit.
#[derive(Clone)]
pub struct Client {
    shared: Arc<SharedClient>,
}

struct SharedClient {
    config: Arc<PodioClientConfig>,
    transport: Transport,
    tokens: ClientTokens,
}

/// One operation, without a token yet.
struct ApiOperation {
    method: Method,
    /// Path and query.
    path: String,
    body: Option<Value>,
    access: Access,
}

/// Whether a call needs tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Podio refuses the call without a token.
    Required,
    /// Podio may accept the call without a token; one is sent if there is one.
    IfAny,
}

impl ApiOperation {
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
    /// Creates a client with these settings.
    ///
    /// # Errors
    /// If an `https` API is configured and the operating system has no trusted certificates.
    pub fn new(config: PodioClientConfig) -> Result<Self, TlsUnavailable> {
        let tokens = ClientTokens::new(&config);
        let identity = config.credentials.as_ref();
        let identity = identity.map_or_else(String::new, Credentials::holder);
        let identity = format!("{} {identity}", config.base_url);
        let rate = SharedRateLimit::new(config.rate_file.clone(), identity);
        let config = Arc::new(config);
        let transport = Transport::new(Arc::clone(&config), rate)?;
        Ok(Self {
            shared: Arc::new(SharedClient {
                config,
                transport,
                tokens,
            }),
        })
    }

    /// Returns whether the client has credentials.
    pub fn has_credentials(&self) -> bool {
        self.shared.config.credentials.is_some()
    }

    /// Fetches new tokens with the configured grant, even if others are stored, and stores them.
    ///
    /// # Errors
    /// Returns [`Error::LoginNeeded`] without credentials or with
    /// [`Grant::Stored`], and otherwise the errors of any call.
    pub async fn login(&self) -> Result<(), Error> {
        self.shared.tokens.login(&self.shared.transport).await
    }

    /// Returns the rate limit of the last response; `None` if no response had one.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        *self.watch_rate_limit().borrow()
    }

    /// Returns how many calls are left, and when the next hour begins,
    /// according to the newest response to any process on this machine.
    /// Returns `None` if there was none within an hour. Makes no call.
    pub async fn budget(&self) -> Option<CallBudget> {
        self.shared.transport.budget().await
    }

    /// Returns a receiver that always has the current rate limit.
    pub fn watch_rate_limit(&self) -> watch::Receiver<Option<RateLimit>> {
        self.shared.transport.rate_limit()
    }

    async fn fetch<T: DeserializeOwned>(&self, call: ApiOperation) -> Result<T, Error> {
        let operation = transport::operation(&call.method, &call.path);
        let body = self.call(call).await?;
        serde_json::from_slice(&body).map_err(|source| Error::Json { operation, source })
    }

    /// Fetches a list, without the elements that cannot be parsed.
    async fn fetch_list<T: DeserializeOwned>(&self, call: ApiOperation) -> Result<Vec<T>, Error> {
        let values: Vec<Value> = self.fetch(call).await?;
        let read = |value| serde_json::from_value(value).ok();
        Ok(values.into_iter().filter_map(read).collect())
    }

    async fn call(&self, call: ApiOperation) -> Result<Bytes, Error> {
        let transport = &self.shared.transport;
        let tokens = match self.shared.tokens.current(transport).await {
            // Podio may accept the call without tokens.
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

/// Checks that a success has an empty or a JSON body:
/// any other body comes from a server in between.
fn believable(outgoing: &OutgoingRequest, body: Bytes) -> Result<Bytes, Error> {
    let is_blank = body.iter().all(u8::is_ascii_whitespace);
    match serde_json::from_slice::<IgnoredAny>(&body) {
        Err(source) if !is_blank => Err(Error::Json {
            operation: outgoing.operation(),
            source,
        }),
        _ => Ok(body),
    }
}

impl ApiOperation {
    fn into_outgoing(self, tokens: Option<&Tokens>) -> OutgoingRequest {
        OutgoingRequest {
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
