//! Stores tokens between runs in a file that only its
//! owner can read and that is replaced as a whole.

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::fs;

use super::error::Error;
use super::private_file;
use super::tokens::Tokens;

/// The file with the tokens, and whose tokens they are.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    /// The API and the caller. Tokens of another identity
    /// are ignored, and replaced by the next save.
    identity: String,
    /// The identity of the same caller in earlier builds.
    identity_before: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredTokens<'a> {
    identity: std::borrow::Cow<'a, str>,
    access_token: std::borrow::Cow<'a, str>,
    refresh_token: Option<std::borrow::Cow<'a, str>>,
    expires_at: Timestamp,
}

impl TokenFile {
    pub(super) const fn new(
        path: PathBuf,
        identity: String,
        identity_before: Option<String>,
    ) -> Self {
        Self {
            path,
            identity,
            identity_before,
        }
    }

    /// Reads the tokens of this identity. An invalid file
    /// counts as empty: new tokens are fetched and replace it.
    pub(super) async fn load(&self) -> Result<Option<Tokens>, Error> {
        let text = match fs::read(&self.path).await {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.error(source)),
        };
        let Ok(stored) = serde_json::from_slice::<StoredTokens<'_>>(&text) else {
            return Ok(None);
        };
        let is_ours = stored.identity == self.identity
            || self.identity_before.as_deref() == Some(&*stored.identity);
        Ok(is_ours.then(|| Tokens {
            access: SecretString::from(stored.access_token.into_owned()),
            refresh: stored
                .refresh_token
                .map(|token| SecretString::from(token.into_owned())),
            expires_at: stored.expires_at,
        }))
    }

    /// Replaces the stored tokens.
    pub(super) async fn save(&self, tokens: &Tokens) -> Result<(), Error> {
        let stored = StoredTokens {
            identity: self.identity.as_str().into(),
            access_token: tokens.access.expose_secret().into(),
            refresh_token: tokens.refresh.as_ref().map(|t| t.expose_secret().into()),
            expires_at: tokens.expires_at,
        };
        let written = match serde_json::to_vec_pretty(&stored) {
            Ok(text) => private_file::replace(&self.path, &text).await,
            Err(error) => Err(error.into()),
        };
        written.map_err(|source| self.error(source))
    }

    fn error(&self, source: io::Error) -> Error {
        Error::TokenFile {
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens {
            access: SecretString::from("access"),
            refresh: Some(SecretString::from("refresh")),
            expires_at: Timestamp::from_second(1_800_000_000).unwrap(),
        }
    }

    #[tokio::test]
    async fn tokens_come_back_to_their_own_holder_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let ours = TokenFile::new(path.clone(), "us".to_owned(), None);
        let theirs = TokenFile::new(path.clone(), "them".to_owned(), None);
        let later = TokenFile::new(path, "us 1f".to_owned(), Some("us".to_owned()));

        assert!(ours.load().await.unwrap().is_none());
        ours.save(&tokens()).await.unwrap();

        let loaded = ours.load().await.unwrap().unwrap();
        assert_eq!(loaded.access.expose_secret(), "access");
        assert_eq!(loaded.expires_at, tokens().expires_at);
        assert!(theirs.load().await.unwrap().is_none());
        assert!(later.load().await.unwrap().is_some());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nobody_else_can_read_the_file_even_if_an_older_one_was_open() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        std::fs::write(&path, "not json").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let file = TokenFile::new(path.clone(), "us".to_owned(), None);

        assert!(file.load().await.unwrap().is_none());
        file.save(&tokens()).await.unwrap();

        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_an_error_with_the_path() {
        let file = TokenFile::new("/nowhere/tokens.json".into(), "us".to_owned(), None);
        let error = file.save(&tokens()).await.unwrap_err();
        assert!(error.to_string().contains("/nowhere/tokens.json"));
    }
}
