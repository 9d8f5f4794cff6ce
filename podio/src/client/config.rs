//! The complete, typed configuration of the client.

use std::path::PathBuf;
use std::time::Duration;

use podtap_connect::Proxy;

use super::base_url::BaseUrl;
use super::credentials::Credentials;

/// Settings of a [`super::Client`].
#[derive(Debug, Clone)]
pub struct PodioClientConfig {
    /// The URL of the API; Podio's own by default.
    pub base_url: BaseUrl,
    /// The credentials. Without them, only calls work that Podio may allow without
    /// authentication: the validation of a hook (podio.md 2, not settled).
    pub credentials: Option<Credentials>,
    /// The file that stores tokens between runs; only
    /// its owner can read it. `None` stores no tokens.
    pub token_file: Option<PathBuf>,
    /// The file that shares the remaining calls of this hour
    /// with other processes. `None` does not share them.
    pub rate_file: Option<PathBuf>,
    /// The proxy for the API; the environment is ignored.
    pub proxy: Option<Proxy>,
    /// Maximum time to connect.
    pub connect_timeout: Duration,
    /// Maximum time from sending a request to the last byte of the response.
    pub timeout: Duration,
    /// Maximum size of a response, in bytes.
    pub max_response_bytes: usize,
    /// Maximum time for which one call waits because of rate limits. By default, a call does not
    /// wait for Podio's next hour: it returns [`super::Error::RateLimited`] with the time to wait.
    pub max_rate_wait: Duration,
    /// Time before its expiry at which a token is renewed.
    /// Podio's tokens are valid for 8 hours (podio.md 3.3).
    pub refresh_margin: Duration,
}

impl Default for PodioClientConfig {
    fn default() -> Self {
        Self {
            base_url: BaseUrl::default(),
            credentials: None,
            token_file: None,
            rate_file: None,
            proxy: None,
            connect_timeout: Duration::from_secs(5),
            // Within ten seconds, a person learns that Podio does not answer.
            timeout: Duration::from_secs(9),
            max_response_bytes: 8 * 1024 * 1024,
            max_rate_wait: Duration::from_secs(30),
            refresh_margin: Duration::from_mins(5),
        }
    }
}
