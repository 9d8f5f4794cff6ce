//! What takes bytes from outside, one function for each kind. Any bytes will do: a panic is a fault,
//! and so is a value that does not survive its own way out and back in.
//!
//! `cargo fuzz` calls these functions (`fuzz_targets`), and so does a test with inputs made of
//! `corpus` by chance, for a bounded time (`tests/bounded.rs`).

#![forbid(unsafe_code)]

use std::fmt::Debug;
use std::io::Cursor;

use bytes::Bytes;
use jiff::Timestamp;
use podtap_agent::draft::Draft;
use podtap_agent::history::{Filter, Saved};
use podtap_agent::import::ArchiveImport;
use podtap_podio::decode;
use podtap_wire::{AgentFrame, Decoded, Encoded, RelayFrame};

/// A kind: its name, and its function.
pub type FuzzTarget = (&'static str, fn(&[u8]));

/// Every kind.
pub const TARGETS: [FuzzTarget; 4] = [
    ("codec", codec),
    ("filter", filter),
    ("form", form),
    ("har", har),
];

/// A message of the wire protocol, as the relay and as the agent read it.
///
/// # Panics
/// When a frame that was read is another after it was written and read again.
pub fn codec(data: &[u8]) {
    let message = Bytes::copy_from_slice(data);
    if let Ok(Decoded::Frame(frame)) = AgentFrame::decode_binary(&message) {
        same_again(&frame, frame.encode(), agent_frame);
    }
    if let Ok(Decoded::Frame(frame)) = RelayFrame::decode_binary(&message) {
        same_again(&frame, frame.encode(), relay_frame);
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(Decoded::Frame(frame)) = AgentFrame::decode_text(text) {
        same_again(&frame, frame.encode(), agent_frame);
    }
    if let Ok(Decoded::Frame(frame)) = RelayFrame::decode_text(text) {
        same_again(&frame, frame.encode(), relay_frame);
    }
}

fn agent_frame(message: &Encoded) -> Option<Decoded<AgentFrame>> {
    match message {
        Encoded::Text(text) => AgentFrame::decode_text(text).ok(),
        Encoded::Binary(bytes) => AgentFrame::decode_binary(bytes).ok(),
    }
}

fn relay_frame(message: &Encoded) -> Option<Decoded<RelayFrame>> {
    match message {
        Encoded::Text(text) => RelayFrame::decode_text(text).ok(),
        Encoded::Binary(bytes) => RelayFrame::decode_binary(bytes).ok(),
    }
}

fn same_again<F: PartialEq + Debug, E: Debug>(
    frame: &F,
    encoded: Result<Encoded, E>,
    read: impl Fn(&Encoded) -> Option<Decoded<F>>,
) {
    match encoded.map(|message| read(&message)) {
        Ok(Some(Decoded::Frame(again))) => assert_eq!(*frame, again),
        other => panic!("{frame:?} was read, and cannot be written and read again: {other:?}"),
    }
}

/// The body of a webhook.
///
/// # Panics
/// When the parameters that were read are others after they were written and read again.
pub fn form(data: &[u8]) {
    for content_type in [None, Some("application/x-www-form-urlencoded")] {
        if let Ok(event) = decode(content_type, data) {
            let again = Draft::of_params(event.params.clone()).podio;
            assert_eq!(Some(event.params), again.map(|again| again.params));
        }
    }
}

/// A filter as a person types it.
///
/// # Panics
/// When a mistake is pointed out where there is no text.
pub fn filter(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(error) = Filter::parse(&text, Timestamp::UNIX_EPOCH, &Saved::default()) {
        let end = text.chars().count() + 1;
        assert!((1..=end).contains(&error.column), "{text:?}: {error:?}");
    }
}

/// An archive of any tool; nothing of it goes anywhere.
///
/// # Panics
/// When there is no memory for a thread.
pub fn har(data: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let source = Cursor::new(data.to_vec());
    runtime.expect("a runtime").block_on(async {
        if let Ok(import) = ArchiveImport::open(source).await {
            // What is wrong in it is told, and no fault.
            let _ = import.discard().await;
        }
    });
}
