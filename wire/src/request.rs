//! Represents a webhook and the local service's answer to it, byte for byte (invariant 3).

use std::net::IpAddr;

use bytes::Bytes;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An HTTP request as the relay accepted it, below the tunnel's prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRequest {
    /// Time at which the relay had read the whole request, to the millisecond.
    pub received_at: Timestamp,
    /// The method as sent, e.g. `POST`.
    pub method: String,
    /// Path below the tunnel's prefix with its query, with percent-escapes unchanged; begins
    /// with `/`.
    pub path: String,
    /// Every header, including hop-by-hop ones, in the order of arrival.
    pub headers: HeaderList,
    /// Address of the sender, as the relay saw it.
    pub peer: Option<IpAddr>,
    /// The body, any bytes.
    pub body: Bytes,
}

impl WebhookRequest {
    /// Returns the memory of head and body in bytes, for accounting.
    pub fn footprint(&self) -> usize {
        self.method.len() + self.path.len() + self.headers.footprint() + self.body.len()
    }
}

/// Answer of the local service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookResponse {
    /// The HTTP status, 100 to 999.
    pub status: u16,
    /// Its headers, in order.
    pub headers: HeaderList,
    pub body: Bytes,
}

impl WebhookResponse {
    /// Returns the memory of head and body in bytes, for accounting.
    pub fn footprint(&self) -> usize {
        self.headers.footprint() + self.body.len()
    }
}

/// List of headers in order, with duplicates. Values are bytes, as HTTP allows.
///
/// In JSON it is a list of `[name, value]` in which each character of `value` is one byte
/// (ISO 8859-1, the original charset of HTTP headers). So every value can be represented,
/// valid UTF-8 or not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderList(Vec<(String, Bytes)>);

impl HeaderList {
    /// Adds a header at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<Bytes>) {
        self.0.push((name.into(), value.into()));
    }

    /// Returns all headers in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Bytes)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the first value of `name`, regardless of case.
    pub fn get(&self, name: &str) -> Option<&Bytes> {
        self.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Returns the number of headers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no headers.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of bytes of all names and values.
    pub fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum()
    }

    /// Returns the memory of the list in bytes: many short headers need much more than their text.
    pub fn footprint(&self) -> usize {
        self.bytes() + self.len() * size_of::<(String, Bytes)>()
    }
}

impl<N: Into<String>, V: Into<Bytes>> FromIterator<(N, V)> for HeaderList {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl From<&http::HeaderMap> for HeaderList {
    fn from(map: &http::HeaderMap) -> Self {
        map.iter()
            .map(|(name, value)| (name.as_str(), Bytes::copy_from_slice(value.as_bytes())))
            .collect()
    }
}

impl Serialize for HeaderList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(name, value)| (name, latin1(value))))
    }
}

impl<'de> Deserialize<'de> for HeaderList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<(String, String)>::deserialize(deserializer)?
            .into_iter()
            .map(|(name, value)| match latin1_bytes(value) {
                Some(bytes) => Ok((name, bytes)),
                None => Err(D::Error::custom(
                    "a header value holds a character above U+00FF",
                )),
            })
            .collect()
    }
}

/// Converts any bytes to text, one character per byte (ISO 8859-1).
pub fn latin1(value: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(value) {
        Ok(text) if text.is_ascii() => text.into(),
        _ => value
            .iter()
            .map(|byte| char::from(*byte))
            .collect::<String>()
            .into(),
    }
}

/// Converts text of [`latin1`] back to bytes. Returns `None` if a character is above U+00FF.
pub fn latin1_bytes(text: String) -> Option<Bytes> {
    if text.is_ascii() {
        return Some(Bytes::from(text));
    }
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_value_of_any_bytes_survives_json() {
        let every_byte: Vec<u8> = (0..=255).collect();
        let headers: HeaderList = [("x-plain", b"text".to_vec()), ("x-raw", every_byte)]
            .into_iter()
            .collect();
        let json = serde_json::to_string(&headers).unwrap();
        assert_eq!(serde_json::from_str::<HeaderList>(&json).unwrap(), headers);
        assert!(serde_json::from_str::<HeaderList>(r#"[["x","€"]]"#).is_err());
    }

    #[test]
    fn names_are_found_whatever_their_case_and_duplicates_stay() {
        let headers: HeaderList = [("X-Twice", "1"), ("x-twice", "2")].into_iter().collect();
        assert_eq!(
            headers.get("X-TWICE").map(|value| &value[..]),
            Some(&b"1"[..])
        );
        assert_eq!(headers.len(), 2);
        assert_eq!(headers.bytes(), 16);
    }
}
