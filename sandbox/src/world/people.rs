//! Manages callers: API clients, users, and the tokens that they were given.

use std::collections::HashMap;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use podtap_podio::client::{ByLine, Via};
use serde::{Deserialize, Serialize};

use crate::seed::{Seed, SeedClient, SeedUser};

/// Identity for which a token was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TokenIdentity {
    User(u64),
    App(u64),
}

/// Author of a change, and the client used. Revisions store it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RevisionAuthor {
    pub(crate) by: ByLine,
    pub(crate) via: Via,
}

/// Holder of a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TokenHolder {
    pub(crate) identity: TokenIdentity,
    pub(crate) client_id: String,
    expires_at: Timestamp,
}

/// A new pair of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenPair {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

/// Issued tokens, with their holders.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct TokenSessions {
    access: HashMap<String, TokenHolder>,
    refresh: HashMap<String, TokenHolder>,
}

#[derive(Debug)]
pub(crate) struct People {
    clients: Vec<SeedClient>,
    users: Vec<SeedUser>,
    sessions: TokenSessions,
    /// Codes of logins in the browser, with the redirect URL for which they are valid.
    codes: HashMap<String, (TokenHolder, String)>,
}

/// Maximum number of tokens of a kind. If it is exceeded, all are forgotten and callers log
/// in again. A sandbox that needs more is being misused.
const MAX_TOKENS: usize = 10_000;

/// Number of the first client without a number in the seed, in the range of real ones.
const FIRST_CLIENT: u64 = 23_304;

/// Lifetime of a refresh token: 28 days (podio.md 3.3).
const REFRESH_LIFETIME: Duration = Duration::from_hours(28 * 24);

/// Lifetime of the code of a login in the browser; unknown for Podio.
const CODE_LIFETIME: Duration = Duration::from_mins(10);

impl People {
    pub(super) fn new(seed: &Seed) -> Self {
        Self {
            clients: assign_ids(&seed.clients),
            users: seed.users.clone(),
            sessions: TokenSessions::default(),
            codes: HashMap::new(),
        }
    }

    pub(crate) fn client(&self, client_id: &str) -> Option<&SeedClient> {
        self.clients.iter().find(|c| c.client_id == client_id)
    }

    pub(crate) fn user(&self, user_id: u64) -> Option<&SeedUser> {
        self.users.iter().find(|user| user.user_id == user_id)
    }

    pub(crate) fn users(&self) -> &[SeedUser] {
        &self.users
    }

    pub(crate) fn by_password(&self, mail: &str, password: &str) -> Option<TokenIdentity> {
        self.users
            .iter()
            .find(|user| user.mail == mail && user.password == password)
            .map(|user| TokenIdentity::User(user.user_id))
    }

    /// Issues new tokens. Older ones stay valid until they expire.
    pub(crate) fn issue_tokens(
        &mut self,
        identity: TokenIdentity,
        client_id: &str,
        lifetime: Duration,
        now: Timestamp,
        rng: &mut Rng,
    ) -> TokenPair {
        let tokens = TokenPair {
            access_token: hex(rng, 32),
            refresh_token: hex(rng, 32),
        };
        let session = |lasting| TokenHolder {
            identity,
            client_id: client_id.to_owned(),
            expires_at: later(now, lasting),
        };
        remember(
            &mut self.sessions.access,
            &tokens.access_token,
            session(lifetime),
        );
        remember(
            &mut self.sessions.refresh,
            &tokens.refresh_token,
            session(REFRESH_LIFETIME),
        );
        tokens
    }

    /// Returns the holder of an access token, or `None` if it has expired or does not exist.
    pub(crate) fn holder(&self, access_token: &str, now: Timestamp) -> Option<TokenHolder> {
        let session = self.sessions.access.get(access_token)?;
        (now < session.expires_at).then(|| session.clone())
    }

    /// Exchanges a refresh token for new tokens. It can be used once.
    pub(crate) fn redeem(
        &mut self,
        refresh_token: &str,
        client_id: &str,
        now: Timestamp,
    ) -> Option<TokenIdentity> {
        let session = self.sessions.refresh.get(refresh_token)?;
        let good = session.client_id == client_id && now < session.expires_at;
        let identity = session.identity;
        if good {
            self.sessions.refresh.remove(refresh_token);
        }
        good.then_some(identity)
    }

    /// Issues a code for the redirect to `identity`, which logs in with the browser.
    pub(crate) fn issue_code(
        &mut self,
        identity: TokenIdentity,
        client_id: &str,
        redirect_uri: &str,
        now: Timestamp,
        rng: &mut Rng,
    ) -> String {
        let code = hex(rng, 32);
        let session = TokenHolder {
            identity,
            client_id: client_id.to_owned(),
            expires_at: later(now, CODE_LIFETIME),
        };
        if self.codes.len() >= MAX_TOKENS {
            self.codes.clear();
        }
        let redirect = redirect_uri.to_owned();
        self.codes.insert(code.clone(), (session, redirect));
        code
    }

    /// Exchanges the code of a login in the browser. It can be used once.
    pub(crate) fn exchange(
        &mut self,
        code: &str,
        client_id: &str,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Option<TokenIdentity> {
        let (session, redirect) = self.codes.remove(code)?;
        let good =
            session.client_id == client_id && redirect == redirect_uri && now < session.expires_at;
        good.then_some(session.identity)
    }

    /// Revokes an access token and every refresh token of its holder.
    pub(crate) fn revoke(&mut self, access_token: &str) {
        if let Some(gone) = self.sessions.access.remove(access_token) {
            self.sessions
                .refresh
                .retain(|_, s| s.identity != gone.identity || s.client_id != gone.client_id);
        }
    }

    pub(super) fn sessions(&self) -> &TokenSessions {
        &self.sessions
    }

    pub(super) fn resume(&mut self, sessions: TokenSessions) {
        self.sessions = sessions;
    }

    /// Revokes every token.
    pub(crate) fn revoke_all(&mut self) {
        self.sessions.access.clear();
        self.sessions.refresh.clear();
    }
}

/// Returns the clients with numbers, which Podio would have assigned.
fn assign_ids(clients: &[SeedClient]) -> Vec<SeedClient> {
    let numbered = clients
        .iter()
        .zip(FIRST_CLIENT..)
        .map(|(client, number)| SeedClient {
            auth_client_id: client.auth_client_id.or(Some(number)),
            ..client.clone()
        });
    numbered.collect()
}

/// Returns random lower-case hexadecimal digits.
pub(super) fn hex(rng: &mut Rng, digits: usize) -> String {
    (0..digits).map(|_| rng.digit(16)).collect()
}

fn remember(tokens: &mut HashMap<String, TokenHolder>, token: &str, session: TokenHolder) {
    if tokens.len() >= MAX_TOKENS {
        tokens.clear();
    }
    tokens.insert(token.to_owned(), session);
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}
