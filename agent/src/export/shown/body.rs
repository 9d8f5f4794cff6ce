//! A body as text: unpacked, in its character set, and cut to a size.

use podtap_wire::HeaderList;
use serde::Serialize;

use crate::decoded;

/// A body as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownBody {
    text: String,
    /// Its size as it came.
    bytes: usize,
    /// Whether it is longer than what is shown.
    cut: bool,
    /// Whether some of it is not text.
    binary: bool,
    /// How it was packed.
    packing: Option<String>,
}

impl ShownBody {
    /// At most the first `limit` bytes of a body of which there are `bytes`, and these at hand.
    pub fn new(headers: &HeaderList, body: &[u8], bytes: usize, limit: usize) -> Self {
        let unpacked = decoded::unpack(headers, body);
        let text = decoded::text(headers, &unpacked.bytes);
        let shown = text.get(..limit).unwrap_or(&text);
        let cut = shown.len() < text.len() || bytes > body.len() || !unpacked.is_whole();
        let packing = unpacked.packing.map(|packing| match packing.result {
            Ok(_) => packing.coding,
            Err(why) => format!("{}: {why}", packing.coding),
        });
        // The last character may be cut in two, which says nothing about what it is.
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
