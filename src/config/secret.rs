//! The settings that are secrets: a value or the content of a file, with its origin.

use std::path::Path;

use podtap_relay::{DatabaseUrl, InvalidDatabaseUrl};
use secrecy::{ExposeSecret as _, SecretString};

use super::key::Key;
use super::merge::ValueOrigin;
use super::settings::Settings;
use crate::failure::{Failure, Warning};
use crate::system;

/// Maximum size of a file with a secret, in bytes.
const MAX_SECRET: u64 = 64 * 1024;

/// A secret with its origin, for errors.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) value: SecretString,
    pub(crate) origin: ValueOrigin,
}

impl Settings {
    /// Returns the relay's token.
    pub(crate) fn token(&self) -> Result<Option<Secret>, Failure> {
        self.secret(Key::TOKEN, Key::TOKEN_FILE)
    }

    /// Returns the database that relays share; its URL contains a password.
    pub(crate) fn database(&self) -> Result<Option<DatabaseUrl>, Failure> {
        let Some(secret) = self.secret(Key::DATABASE, Key::DATABASE_FILE)? else {
            return Ok(None);
        };
        let url = secret.value.expose_secret().parse();
        url.map(Some).map_err(|error: InvalidDatabaseUrl| {
            Failure::usage("the URL of the database cannot be used")
                .fact("why", error.to_string())
                .fact("from", secret.origin.to_string())
        })
    }

    /// Returns a secret, either the value itself or the content of a file. The
    /// stronger source counts; if both have the same source, the value counts.
    pub(crate) fn secret(&self, key: Key, file: Key) -> Result<Option<Secret>, Failure> {
        let is_file = self.is_stronger(file, key) == Some(true);
        if let Some((text, origin)) = self.entry(key).filter(|_| !is_file) {
            return Ok(Some(Secret {
                value: text.trim().into(),
                origin: origin.clone(),
            }));
        }
        let Some((path, origin)) = self.entry(file) else {
            return Ok(None);
        };
        let text = crate::file::read_text(Path::new(path), MAX_SECRET).map_err(|error| {
            Failure::usage(format!("{} cannot be read", file.name()))
                .fact("file", path.clone())
                .fact("why", error.to_string())
                .fact("from", origin.to_string())
        })?;
        if text.trim().is_empty() {
            return Err(Failure::usage(format!("{} is empty", file.name()))
                .fact("file", path.clone())
                .fact("from", origin.to_string()));
        }
        self.warn_of_readers(file.name(), Path::new(path))?;
        Ok(Some(Secret {
            value: text.trim().into(),
            origin: ValueOrigin::File(path.into()),
        }))
    }
}

impl Settings {
    /// Warns if the configuration file holds a secret and other users can read it.
    pub(crate) fn warn_of_config_readers(&self) -> Result<(), Failure> {
        let secrets = Key::ALL.iter().filter(|key| key.is_secret());
        let mut files = secrets.filter_map(|key| match self.entry(*key) {
            Some((_, ValueOrigin::File(path) | ValueOrigin::Tunnel(path, _))) => Some(path),
            _ => None,
        });
        match files.next() {
            Some(path) => self.warn_of_readers("the configuration file with a secret", path),
            None => Ok(()),
        }
    }

    /// Warns if other users can read a file with a secret, as ssh does.
    fn warn_of_readers(&self, what: &str, path: &Path) -> Result<(), Failure> {
        /// Permission bits of the group and of others.
        const OTHERS: u32 = 0o077;
        match system::mode(path) {
            Some(mode) if mode & OTHERS != 0 => self.report(
                Warning::new(format!("{what} can be read by other users"))
                    .fact("file", path.display().to_string())
                    .fact("mode", format!("{:04o}", mode & 0o7777))
                    .hint(format!("chmod 600 {}", path.display())),
            ),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::settings;
    use super::*;

    #[test]
    fn a_token_never_shows_in_debug() {
        let set = settings(&[(Key::TOKEN, "pt_very-secret")], &[]);
        let shown = format!("{set:?} {:?}", set.token().unwrap());
        assert!(!shown.contains("very-secret"), "{shown}");
    }

    #[test]
    fn a_database_that_cannot_be_right_is_told_without_its_password() {
        for wrong in [
            "db",
            "mysql://ann:s3cret@db/x",
            "postgres://ann:s3cret@db:x/y",
        ] {
            let set = settings(&[(Key::DATABASE, wrong)], &[]);
            let error = set.database().unwrap_err().to_string();
            assert!(error.contains("--database"), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        let set = settings(&[], &[(Key::DATABASE, "postgres://ann:s3cret@db/podtap")]);
        let url = set.database().unwrap().unwrap();
        assert_eq!(url.to_string(), "postgres://ann@db/podtap");
    }
}
