//! Cuts a message into websocket frames, so that neither side has to buffer a whole message
//! to write it. Pure: the caller selects the library that writes the frames.

use bytes::Bytes;

use crate::limits::FRAGMENT_BYTES;

/// One frame of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// Part of the message. It shares the message's memory.
    pub bytes: Bytes,
    /// Whether this is the first frame of the message; later ones continue it.
    pub is_first: bool,
    /// Whether this is the last frame of the message.
    pub is_last: bool,
}

/// Returns the frames of a message in order, each of at most [`FRAGMENT_BYTES`]. A short
/// message has one frame, and so has an empty one.
pub fn fragments(message: Bytes) -> impl Iterator<Item = Fragment> {
    let mut left = Some(message);
    let mut is_first = true;
    std::iter::from_fn(move || {
        let mut bytes = left.take()?;
        if bytes.len() > FRAGMENT_BYTES {
            left = Some(bytes.split_off(FRAGMENT_BYTES));
        }
        Some(Fragment {
            bytes,
            is_first: std::mem::take(&mut is_first),
            is_last: left.is_none(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fragments_of_a_message_are_the_message() {
        for length in [
            0,
            1,
            FRAGMENT_BYTES,
            FRAGMENT_BYTES + 1,
            3 * FRAGMENT_BYTES,
            3 * FRAGMENT_BYTES + 7,
        ] {
            let message: Bytes = (0..=255).cycle().take(length).collect::<Vec<u8>>().into();

            let cut: Vec<Fragment> = fragments(message.clone()).collect();

            let whole: Vec<u8> = cut.iter().flat_map(|part| part.bytes.to_vec()).collect();
            assert_eq!(whole, message, "{length}");
            let firsts: Vec<bool> = cut.iter().map(|part| part.is_first).collect();
            let lasts: Vec<bool> = cut.iter().rev().map(|part| part.is_last).collect();
            assert_eq!(firsts, lasts, "{length}");
            assert!(firsts.first() == Some(&true) && !firsts.iter().skip(1).any(|first| *first));
            assert!(cut.iter().all(|part| part.bytes.len() <= FRAGMENT_BYTES));
        }
    }
}
