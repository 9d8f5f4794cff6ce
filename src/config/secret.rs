//! The settings that are secrets: a value, or the content of a file, with where it came from.

use secrecy::SecretString;

use super::key::Key;
use super::merge::Origin;
use super::settings::Settings;
use crate::failure::Failure;

/// A secret with its origin, which errors may name.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) value: SecretString,
    pub(crate) origin: Origin,
}

impl Settings {
    /// The relay's token.
    pub(crate) fn token(&self) -> Result<Option<Secret>, Failure> {
        self.secret(Key::TOKEN, Key::TOKEN_FILE)
    }

    /// A secret, set by itself or, where it is not, as the content of a file.
    pub(crate) fn secret(&self, key: Key, file: Key) -> Result<Option<Secret>, Failure> {
        if let Some((text, origin)) = self.entry(key) {
            return Ok(Some(Secret {
                value: text.trim().into(),
                origin: origin.clone(),
            }));
        }
        let Some((path, origin)) = self.entry(file) else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("{} cannot be read", file.name()))
                .fact("file", path.clone())
                .fact("why", error.to_string())
                .fact("from", origin.to_string())
        })?;
        Ok(Some(Secret {
            value: text.trim().into(),
            origin: Origin::File(path.into()),
        }))
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
}
