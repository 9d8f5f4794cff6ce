//! An access token and a refresh token, with their expiry.

use std::time::Duration;

use http::HeaderValue;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

/// The content of one response of the token endpoint.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) access: SecretString,
    pub(super) refresh: Option<SecretString>,
    pub(super) expires_at: Timestamp,
}

impl Tokens {
    /// Returns the header that authenticates the caller: `OAuth2`, not `Bearer` (podio.md 3.4).
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let text = format!("OAuth2 {}", self.access.expose_secret());
        let mut header = HeaderValue::try_from(text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    pub(super) fn is_fresh(&self, now: Timestamp, margin: Duration) -> bool {
        now.saturating_add(margin)
            .is_ok_and(|soon| soon < self.expires_at)
    }
}
