//! What the client needs to know, complete and typed.

use std::path::PathBuf;
use std::time::Duration;

use podtap_connect::Proxy;

use super::base_url::BaseUrl;
use super::credentials::Credentials;

/// Settings of a [`super::Client`].
#[derive(Debug, Clone)]
pub struct PodioClientConfig {
    /// The API; Podio's own by default.
    pub base_url: BaseUrl,
    /// Who calls. Without them only what Podio may answer to strangers works: the validation of a
    /// hook (podio.md 2, not settled).
    pub credentials: Option<Credentials>,
    /// Where tokens are kept between runs, readable by its owner alone. `None` keeps none.
    pub token_file: Option<PathBuf>,
    /// Where what is left of the hour's calls is kept for other processes. `None` keeps it to itself.
    pub rate_file: Option<PathBuf>,
    /// The proxy on the way to the API; the environment is not looked at.
    pub proxy: Option<Proxy>,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest time from sending a request to the last byte of its answer.
    pub timeout: Duration,
    /// Largest answer taken, in bytes.
    pub max_response_bytes: usize,
    /// Longest time that one call spends waiting out rate limits. Podio's own hour is never
    /// waited for by default: the caller gets [`super::Error::RateLimited`] with the time.
    pub max_rate_wait: Duration,
    /// How long before its end a token is renewed. Podio's last 8 hours (podio.md 3.3).
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
            // A person is told within ten seconds that Podio is silent.
            timeout: Duration::from_secs(9),
            max_response_bytes: 8 * 1024 * 1024,
            max_rate_wait: Duration::from_secs(30),
            refresh_margin: Duration::from_mins(5),
        }
    }
}
