//! Defines the token: `pt_`, six characters that identify it, and 256 random bits. Only its
//! hash is stored.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const PREFIX: &str = "pt_";

/// Number of characters of the public part: thirty bits, which suffice to distinguish an
/// owner's tokens.
const ID_LENGTH: usize = 6;

/// Number of bytes of the secret part.
const SECRET_BYTES: usize = 32;

/// Secret by which an agent proves its owner. It is shown once, when it is created; `Debug`
/// hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The part of a token that may be shown, and by which the token is found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TokenId(pub(crate) String);

/// The stored form of a token. Plain SHA-256 is enough, because 256 random bits cannot be guessed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TokenHash(pub(crate) [u8; 32]);

/// The text is not a token.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token must be pt_ and {} characters", ID_LENGTH + (SECRET_BYTES * 4).div_ceil(3))]
pub struct InvalidToken;

impl Token {
    /// Creates a token from the operating system's random source.
    pub(super) fn generate() -> Result<Self, getrandom::Error> {
        let mut random = [0; SECRET_BYTES + ID_LENGTH];
        getrandom::fill(&mut random)?;
        let (secret, id) = random.split_at(SECRET_BYTES);
        let mut token = PREFIX.to_owned();
        token.extend(id.iter().map(|byte| id_character(*byte)));
        BASE64URL_NOPAD.encode_append(secret, &mut token);
        Ok(Self(token))
    }

    /// Returns the whole token, to be given to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the part that may be shown.
    pub fn id(&self) -> &str {
        self.0
            .get(PREFIX.len()..PREFIX.len() + ID_LENGTH)
            .unwrap_or_default()
    }

    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(&self.0).into())
    }
}

impl TokenId {
    /// Returns the id with this text.
    pub(crate) fn of(id: &str) -> Self {
        Self(id.to_owned())
    }
}

impl TokenHash {
    /// Compares in constant time.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let secret = text
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_at_checked(ID_LENGTH))
            .filter(|(id, _)| id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            .and_then(|(_, secret)| BASE64URL_NOPAD.decode(secret.as_bytes()).ok());
        match secret {
            Some(secret) if secret.len() == SECRET_BYTES => Ok(Self(text.to_owned())),
            _ => Err(InvalidToken),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({PREFIX}{}…)", self.id())
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

fn id_character(random: u8) -> char {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    char::from(
        ALPHABET
            .get(usize::from(random) % ALPHABET.len())
            .copied()
            .unwrap_or(b'a'),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_parses_back_and_its_debug_form_hides_the_secret() {
        let token = Token::generate().unwrap();
        let text = token.reveal();

        assert_eq!(text.parse::<Token>().unwrap(), token);
        assert_eq!(text.len(), PREFIX.len() + ID_LENGTH + 43);
        let (_, secret) = text.split_at(PREFIX.len() + ID_LENGTH);
        assert!(!format!("{token:?} {:?}", token.hash()).contains(secret));
        assert!(token.hash().matches(&text.parse::<Token>().unwrap().hash()));
        assert!(!token.hash().matches(&Token::generate().unwrap().hash()));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let token = Token::generate().unwrap();
        let text = token.reveal();
        for bad in [
            "",
            "pt_",
            "pt_abcdef",
            "xx_abcdef",
            text.strip_suffix(|_: char| true).unwrap(),
            &format!("{text}x"),
        ] {
            assert_eq!(bad.parse::<Token>(), Err(InvalidToken), "{bad}");
        }
        assert_eq!(
            text.replacen("pt_", "pt_é", 1).parse::<Token>(),
            Err(InvalidToken)
        );
    }
}
