//! The credentials for the API, and the page on which a person authorizes the client.

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded::Serializer;

use super::base_url::BaseUrl;

/// A registered API client and the way it gets its first tokens.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The client's name in Podio's list of API keys.
    pub client_id: String,
    /// The secret of the API client, as podio.com/settings/api shows it.
    pub client_secret: SecretString,
    /// How the first tokens are requested.
    pub grant: Grant,
}

/// A way to get the first tokens (podio.md 3.2). Later ones are requested with the refresh token.
#[derive(Debug, Clone)]
pub enum Grant {
    /// As an app, which has access only to itself and may not delete hooks that people made.
    App {
        /// The app, as its Developer page shows it.
        app_id: u64,
        /// The app's token, from its Developer page.
        app_token: SecretString,
    },
    /// As a person. Fails if the account requires a second factor.
    Password {
        /// The account's mail address.
        username: String,
        /// The account's password.
        password: SecretString,
    },
    /// As a person who has just authorized the client in the browser.
    /// The code is valid once; use [`Grant::Stored`] afterwards.
    AuthorizationCode {
        /// The code that Podio appended to the redirect.
        code: SecretString,
        /// The redirect, exactly as in the authorization request.
        redirect_uri: String,
    },
    /// As the person whose tokens an earlier login left in the token file.
    Stored,
}

impl Credentials {
    /// Returns the page that asks a person to authorize this client
    /// (podio.md 3.2). Podio then redirects to `redirect_uri` with
    /// `code` and `state`, or with `error` and `error_description`.
    ///
    /// The redirect must be on the domain registered for the client; whether Podio
    /// accepts `localhost` there is unknown (podio.md 9). `state` protects against
    /// forged redirects, as OAuth requires: make it random and compare it.
    pub fn authorize_url(&self, base_url: &BaseUrl, redirect_uri: &str, state: &str) -> String {
        let query = Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", state)
            .finish();
        format!("{}?{query}", base_url.authorize_page())
    }

    /// Returns a text that identifies the holder of stored tokens and the
    /// secrets used to get them. Tokens of another identity are never
    /// used, and a wrong secret is noticed even if tokens are stored.
    pub(super) fn identity(&self) -> String {
        format!("{} {}", self.holder(), self.digest())
    }

    /// Returns the identity that earlier builds, without the digest, wrote, if tokens stored
    /// with it are still valid: a person who logged in with such a build stays logged in.
    pub(super) fn identity_before(&self) -> Option<String> {
        match self.grant {
            Grant::AuthorizationCode { .. } | Grant::Stored => Some(self.holder()),
            Grant::App { .. } | Grant::Password { .. } => None,
        }
    }

    /// Returns the first part of a digest of all secrets:
    /// enough to tell two apart, but not to log in.
    fn digest(&self) -> String {
        let secret = match &self.grant {
            Grant::App { app_token, .. } => Some(app_token),
            Grant::Password { password, .. } => Some(password),
            Grant::AuthorizationCode { .. } | Grant::Stored => None,
        };
        let mut digest = Sha256::new();
        for part in [Some(&self.client_secret), secret].into_iter().flatten() {
            let part = part.expose_secret();
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        let digest = digest.finalize();
        let beginning = digest.first_chunk().copied().unwrap_or_default();
        format!("{:016x}", u64::from_be_bytes(beginning))
    }

    /// Returns a text that identifies the caller.
    pub(super) fn holder(&self) -> String {
        let client_id = &self.client_id;
        match &self.grant {
            Grant::App { app_id, .. } => format!("{client_id} app {app_id}"),
            Grant::Password { username, .. } => format!("{client_id} user {username}"),
            Grant::AuthorizationCode { .. } | Grant::Stored => format!("{client_id} login"),
        }
    }

    /// Returns the form that requests the first tokens; `None` if only a person can get new ones.
    pub(super) fn first_form(&self) -> Option<String> {
        let mut form = self.form();
        match &self.grant {
            Grant::App { app_id, app_token } => form
                .append_pair("grant_type", "app")
                .append_pair("app_id", &app_id.to_string())
                .append_pair("app_token", app_token.expose_secret()),
            Grant::Password { username, password } => form
                .append_pair("grant_type", "password")
                .append_pair("username", username)
                .append_pair("password", password.expose_secret()),
            Grant::AuthorizationCode { code, redirect_uri } => form
                .append_pair("grant_type", "authorization_code")
                .append_pair("code", code.expose_secret())
                .append_pair("redirect_uri", redirect_uri),
            Grant::Stored => return None,
        };
        Some(form.finish())
    }

    /// Returns the form that requests new tokens with a refresh token.
    pub(super) fn refresh_form(&self, refresh_token: &SecretString) -> String {
        self.form()
            .append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", refresh_token.expose_secret())
            .finish()
    }

    fn form(&self) -> Serializer<'static, String> {
        let mut form = Serializer::new(String::new());
        form.append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose_secret());
        form
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_never_show_in_debug() {
        let credentials = Credentials {
            client_id: "podtap".to_owned(),
            client_secret: SecretString::from("hush-1"),
            grant: Grant::App {
                app_id: 30_682_880,
                app_token: SecretString::from("hush-2"),
            },
        };
        assert!(!format!("{credentials:?}").contains("hush"));
    }

    #[test]
    fn another_secret_is_another_identity_and_a_login_keeps_its_own() {
        let with = |secret: &str, grant| Credentials {
            client_id: "podtap".to_owned(),
            client_secret: secret.into(),
            grant,
        };
        let app = |token: &str| Grant::App {
            app_id: 3,
            app_token: token.into(),
        };
        let right = with("hush-1", app("hush-2")).identity();
        assert_eq!(right, with("hush-1", app("hush-2")).identity());
        assert_ne!(right, with("wrong", app("hush-2")).identity());
        assert_ne!(right, with("hush-1", app("wrong")).identity());
        assert!(!right.contains("hush"), "{right}");
        let code = Grant::AuthorizationCode {
            code: "once".into(),
            redirect_uri: "http://localhost/".to_owned(),
        };
        let login = with("hush-1", Grant::Stored);
        assert_eq!(with("hush-1", code).identity(), login.identity());
        assert_eq!(login.identity_before().as_deref(), Some("podtap login"));
    }

    #[test]
    fn the_login_page_gets_an_encoded_redirect() {
        let credentials = Credentials {
            client_id: "podtap".to_owned(),
            client_secret: SecretString::from("hush"),
            grant: Grant::Stored,
        };
        let url =
            credentials.authorize_url(&BaseUrl::default(), "http://localhost:8400/callback", "s1");
        assert_eq!(
            url,
            "https://podio.com/oauth/authorize?response_type=code&client_id=podtap\
             &redirect_uri=http%3A%2F%2Flocalhost%3A8400%2Fcallback&state=s1"
        );
    }
}
