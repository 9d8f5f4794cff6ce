//! Converts a body to text: decompressed, in its character set, and cut to a size.

use podtap_wire::HeaderList;
use serde::Serialize;

use crate::decoded;

/// A body as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownBody {
    text: String,
    /// Its size as received.
    bytes: usize,
    /// Whether the body is longer than the text.
    cut: bool,
    /// Whether some of it is not text.
    binary: bool,
    /// How the body was compressed.
    packing: Option<String>,
}

impl ShownBody {
    /// Converts at most the first `limit` bytes of a body
    /// that has `bytes` bytes, of which `body` is stored.
    pub fn new(headers: &HeaderList, body: &[u8], bytes: usize, limit: usize) -> Self {
        let unpacked = decoded::unpack(headers, body);
        let text = decoded::text(headers, &unpacked.bytes);
        let shown = text.get(..limit).unwrap_or(&text);
        let cut = shown.len() < text.len() || bytes > body.len() || !unpacked.is_whole();
        let packing = unpacked.packing.map(|packing| match packing.result {
            Ok(_) => packing.coding,
            Err(why) => format!("{}: {why}", packing.coding),
        });
        // The last character may be cut, which does not mean that the body is binary.
        let head = shown
            .get(..shown.len().saturating_sub(4))
            .unwrap_or_default();
        Self {
            text: String::from_utf8_lossy(shown).into_owned(),
            bytes,
            cut,
            binary: String::from_utf8_lossy(head).contains('\u{fffd}'),
            packing,
        }
    }
}
