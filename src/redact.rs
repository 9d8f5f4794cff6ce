//! Removes secrets from texts that leave this machine: the secrets in the settings,
//! and any word that looks like a token or like the key of a tunnel's URL.

use std::collections::BTreeSet;

use podtap_wire::TunnelKey;
use secrecy::ExposeSecret as _;

use crate::config::{Key, Settings};

/// The text that replaces a secret.
const HIDDEN: &str = "(hidden)";

/// Prefix of a relay's tokens.
const TOKEN: &str = "pt_";

/// Minimum length of a secret that is searched for: a shorter one occurs in too many words.
const SHORTEST: usize = 4;

/// The settings with a secret, each with the setting that names a file with the secret.
const FILES: [(Key, Key); 4] = [
    (Key::TOKEN, Key::TOKEN_FILE),
    (Key::PODIO_APP_TOKEN, Key::PODIO_APP_TOKEN_FILE),
    (Key::PODIO_CLIENT_SECRET, Key::PODIO_CLIENT_SECRET_FILE),
    (Key::PODIO_PASSWORD, Key::PODIO_PASSWORD_FILE),
];

/// The secrets that must not be shown.
pub(crate) struct Redact {
    /// Longest first, since one may be part of another.
    secrets: Vec<String>,
}

impl Redact {
    /// Collects all secrets in the settings of this run.
    pub(crate) fn of(settings: &Settings) -> Self {
        let mut secrets = BTreeSet::new();
        for (key, file) in FILES {
            if let Ok(Some(secret)) = settings.secret(key, file) {
                secrets.insert(secret.value.expose_secret().to_owned());
            }
            // If both the value and its file are set, both are secret.
            if let Some((value, _)) = settings.set(key) {
                secrets.insert(value.trim().to_owned());
            }
        }
        if let Some((user, _)) = settings.set(Key::PODIO_USERNAME) {
            secrets.insert(user.to_owned());
        }
        secrets.extend(settings.environment().proxy_passwords());
        Self::hiding(secrets)
    }

    fn hiding(secrets: impl IntoIterator<Item = String>) -> Self {
        let long = secrets
            .into_iter()
            .filter(|secret| secret.len() >= SHORTEST);
        let mut secrets: Vec<_> = long.collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// Returns the text without the secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.as_str(), HIDDEN);
        }
        without_tokens(&text)
    }
}

/// Hides each word that is a tunnel's key or begins
/// like a token, also after an escape such as `%2F`.
fn without_tokens(text: &str) -> String {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let mut shown = String::with_capacity(text.len());
    let mut word = String::new();
    let mut escaped = 0;
    for letter in text.chars().chain(['\n']) {
        let is_escaped = escaped > 0 && letter.is_ascii_hexdigit();
        escaped = match letter {
            '%' => 2,
            _ if is_escaped => escaped - 1,
            _ => 0,
        };
        if is_letter(letter) && !is_escaped {
            word.push(letter);
            continue;
        }
        let is_secret = word.starts_with(TOKEN) || word.parse::<TunnelKey>().is_ok();
        shown.push_str(if is_secret { HIDDEN } else { &word });
        word.clear();
        shown.push(letter);
    }
    shown.pop();
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_to_be_secret_and_what_looks_like_it_is_hidden() {
        let redact = Redact::hiding([
            "hunter2".to_owned(),
            "hunter2-long".to_owned(),
            "ab".to_owned(),
        ]);
        for (text, shown) in [
            ("user=hunter2-long, hunter2!", "user=(hidden), (hidden)!"),
            ("about ab", "about ab"),
            (
                "https://hooks.test/aaaaaaaaaaaaaaaaaaaaaaaaaa/podio",
                "https://hooks.test/(hidden)/podio",
            ),
            (
                "url=https%3A%2F%2Fhooks.test%2Faaaaaaaaaaaaaaaaaaaaaaaaaa%2fpodio",
                "url=https%3A%2F%2Fhooks.test%2F(hidden)%2fpodio",
            ),
            ("100%pt_abcdefghij0123", "100%(hidden)"),
            ("Bearer pt_abcdefghij0123", "Bearer (hidden)"),
            ("01KAR8Z4M6W4Q0C8J2T7VXN5PD", "01KAR8Z4M6W4Q0C8J2T7VXN5PD"),
            ("", ""),
        ] {
            assert_eq!(redact.text(text), shown, "{text}");
        }
    }
}
