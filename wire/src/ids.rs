//! Defines the identifiers in frames. Each is parsed once when it arrives, and its type
//! then proves that it is valid.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// The text is not a valid identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {rule}")]
pub struct InvalidId {
    what: &'static str,
    rule: &'static str,
}

/// Permanent identity of an event. The relay assigns it and the history keeps it.
///
/// It is a ULID, so that ids sort by the time at which the relay accepted the webhook.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId(Ulid);

impl EventId {
    /// Returns the id of a webhook accepted at `received_at`; `random` makes it unique (80 bits
    /// are used).
    pub fn from_parts(received_at: Timestamp, random: u128) -> Self {
        let millis = u64::try_from(received_at.as_millisecond()).unwrap_or(0);
        Self(Ulid::from_parts(millis, random))
    }

    /// Creates an id from the operating system's random source.
    ///
    /// # Errors
    /// If the operating system has no random bytes.
    pub fn generate(received_at: Timestamp) -> Result<Self, getrandom::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        Ok(Self::from_parts(received_at, u128::from_be_bytes(random)))
    }

    /// Returns the 16 bytes to store in a database, which sort like the text.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_bytes()
    }

    /// Returns the id with these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Ulid::from_bytes(bytes))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

impl FromStr for EventId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const INVALID: InvalidId = InvalidId {
            what: "an event id",
            rule: "is a ULID of 26 letters and digits",
        };
        Ulid::from_string(text).map(Self).map_err(|_| INVALID)
    }
}

impl TryFrom<String> for EventId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> Self {
        id.to_string()
    }
}

/// Position of an event in its tunnel's queue: counts from 1 per tunnel and is never reused.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Name of a tunnel, unique per owner: 1 to 63 of `a-z`, `0-9`, `-`, `_` and `.`, beginning
/// with a letter or digit. The set of characters is small because the name is also the file
/// name of the agent's history.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TunnelName(String);

impl TunnelName {
    /// Maximum length in bytes.
    pub const MAX_BYTES: usize = 63;

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the closest name to any text, such as a folder's name: in lower case, with other
    /// characters replaced by `-`. Returns `None` if nothing usable is left.
    pub fn nearest(text: &str) -> Option<Self> {
        let mut name = String::new();
        for c in text.chars().flat_map(char::to_lowercase) {
            match c {
                'a'..='z' | '0'..='9' => name.push(c),
                '_' | '.' if !name.is_empty() => name.push(c),
                _ if name.is_empty() || name.ends_with('-') => {}
                _ => name.push('-'),
            }
            if name.len() == Self::MAX_BYTES {
                break;
            }
        }
        name.trim_end_matches('-').parse().ok()
    }

    /// Returns the name of a folder's tunnel: the closest one. If the folder's name has characters
    /// outside ASCII, six digits are added that represent it, so that `Müller` and `Möller` differ.
    pub fn of_folder(text: &str) -> Option<Self> {
        if text.is_ascii() {
            return Self::nearest(text);
        }
        // FNV-1a gives the same result in every release and on every machine.
        let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        let digits = format!("{:06x}", hash >> 8);
        let mut name = Self::nearest(text).map_or_else(|| "tunnel".to_owned(), |name| name.0);
        name.truncate(Self::MAX_BYTES - digits.len() - 1);
        format!("{}-{digits}", name.trim_end_matches('-'))
            .parse()
            .ok()
    }
}

impl FromStr for TunnelName {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const INVALID: InvalidId = InvalidId {
            what: "a tunnel name",
            rule: "is 1 to 63 of a-z, 0-9, -, _ and ., beginning with a letter or digit",
        };
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        let rest = text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'));
        if begins && rest && text.len() <= Self::MAX_BYTES {
            Ok(Self(text.to_owned()))
        } else {
            Err(INVALID)
        }
    }
}

impl TryFrom<String> for TunnelName {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<TunnelName> for String {
    fn from(name: TunnelName) -> Self {
        name.0
    }
}

impl fmt::Display for TunnelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Secret part of a public URL: 128 random bits as 26 lower-case base32 characters.
///
/// Anyone who knows it can post to the tunnel, so `Debug` hides it; `Display` is for building URLs.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TunnelKey([u8; 16]);

static BASE32: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut lower = Specification::new();
    lower.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    lower.encoding().ok()
});

impl TunnelKey {
    /// Creates a key from the operating system's random source.
    ///
    /// # Errors
    /// If the operating system has no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Returns the 16 bytes to store in a database.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Returns the key with these bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl FromStr for TunnelKey {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const INVALID: InvalidId = InvalidId {
            what: "a tunnel key",
            rule: "is 26 lower-case base32 characters",
        };
        let encoding = BASE32.as_ref().ok_or(INVALID)?;
        let bytes = encoding.decode(text.as_bytes()).map_err(|_| INVALID)?;
        bytes.try_into().map(Self).map_err(|_| INVALID)
    }
}

impl fmt::Display for TunnelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoding = BASE32.as_ref().ok_or(fmt::Error)?;
        encoding.encode_display(&self.0).fmt(f)
    }
}

impl fmt::Debug for TunnelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TunnelKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_26_lower_case_characters_and_parses_back() {
        let key = TunnelKey::generate().unwrap();
        let text = key.to_string();
        assert_eq!(text.len(), 26);
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
        );
        assert_eq!(text.parse(), Ok(key));
        assert!(text.to_uppercase().parse::<TunnelKey>().is_err());
        assert!(
            !format!("{key:?}").contains(&text),
            "a key must not show in Debug"
        );
    }

    #[test]
    fn ids_sort_by_time_as_text_and_as_bytes() {
        let early = EventId::from_parts(Timestamp::from_millisecond(1_000).unwrap(), u128::MAX);
        let late = EventId::from_parts(Timestamp::from_millisecond(1_001).unwrap(), 0);
        assert!(early < late && early.to_string() < late.to_string());
        assert!(early.to_bytes() < late.to_bytes());
        assert_eq!(late.to_string().parse(), Ok(late));
    }

    #[test]
    fn names_are_checked_and_folders_become_the_nearest_one() {
        for good in ["crm", "3rd.try_a-b", "x"] {
            assert!(good.parse::<TunnelName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a/b", "..", "ä", &"x".repeat(64)] {
            assert!(bad.parse::<TunnelName>().is_err(), "{bad}");
        }
        let nearest = |text| TunnelName::nearest(text).map(String::from);
        assert_eq!(nearest("My App (2)"), Some("my-app-2".to_owned()));
        assert_eq!(nearest("../.."), None);
        assert_eq!(nearest("日本"), None);
        let of_folder = |text: &str| TunnelName::of_folder(text).map(String::from);
        assert_eq!(of_folder("My App (2)"), Some("my-app-2".to_owned()));
        assert_eq!(of_folder("Müller"), Some("m-ller-78b60f".to_owned()));
        assert_ne!(of_folder("Müller"), of_folder("Möller"));
        assert!(of_folder("日本").is_some());
        assert!(of_folder(&"ä".repeat(200)).is_some());
        let long = of_folder(&"Äb".repeat(80)).unwrap();
        assert!(long.len() <= 63, "{long}");
        assert_eq!(nearest(&"Ab".repeat(80)).map(|name| name.len()), Some(63));
    }
}
