//! The functions that receive bytes from outside, one for each kind. Any bytes are valid inputs:
//! a panic is a fault, and so is a value that changes when it is written and read again.
//!
//! `cargo fuzz` calls these functions (`fuzz_targets`). So does a test, for a bounded
//! time, with inputs that are random changes of `corpus` (`tests/bounded.rs`).

#![forbid(unsafe_code)]

use std::fmt::Debug;
use std::io::Cursor;

use bytes::Bytes;
use jiff::Timestamp;
use podtap_agent::draft::Draft;
use podtap_agent::history::{Filter, SavedFilters};
use podtap_agent::import::ArchiveImport;
use podtap_podio::decode;
use podtap_wire::{AgentFrame, DecodedFrame, EncodedFrame, RelayFrame};

/// The name of a target, and its function.
pub type FuzzTarget = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [FuzzTarget; 4] = [
    ("codec", codec),
    ("filter", filter),
    ("form", form),
    ("har", har),
];

/// Decodes a message of the wire protocol, both as the relay and as the agent do.
///
/// # Panics
/// If a decoded frame changes when it is encoded and decoded again.
pub fn codec(data: &[u8]) {
    let message = Bytes::copy_from_slice(data);
    if let Ok(DecodedFrame::Frame(frame)) = AgentFrame::decode_binary(&message) {
        same_again(&frame, frame.encode(), agent_frame);
    }
    if let Ok(DecodedFrame::Frame(frame)) = RelayFrame::decode_binary(&message) {
        same_again(&frame, frame.encode(), relay_frame);
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(DecodedFrame::Frame(frame)) = AgentFrame::decode_text(text) {
        same_again(&frame, frame.encode(), agent_frame);
    }
    if let Ok(DecodedFrame::Frame(frame)) = RelayFrame::decode_text(text) {
        same_again(&frame, frame.encode(), relay_frame);
    }
}

fn agent_frame(message: &EncodedFrame) -> Option<DecodedFrame<AgentFrame>> {
    match message {
        EncodedFrame::Text(text) => AgentFrame::decode_text(text).ok(),
        EncodedFrame::Binary(bytes) => AgentFrame::decode_binary(bytes).ok(),
    }
}

fn relay_frame(message: &EncodedFrame) -> Option<DecodedFrame<RelayFrame>> {
    match message {
        EncodedFrame::Text(text) => RelayFrame::decode_text(text).ok(),
        EncodedFrame::Binary(bytes) => RelayFrame::decode_binary(bytes).ok(),
    }
}

fn same_again<F: PartialEq + Debug, E: Debug>(
    frame: &F,
    encoded: Result<EncodedFrame, E>,
    read: impl Fn(&EncodedFrame) -> Option<DecodedFrame<F>>,
) {
    match encoded.map(|message| read(&message)) {
        Ok(Some(DecodedFrame::Frame(again))) => assert_eq!(*frame, again),
        other => panic!("{frame:?} was read, and cannot be written and read again: {other:?}"),
    }
}

/// Decodes the body of a webhook.
///
/// # Panics
/// If the decoded parameters change when they are encoded and decoded again.
pub fn form(data: &[u8]) {
    for content_type in [None, Some("application/x-www-form-urlencoded")] {
        if let Ok(event) = decode(content_type, data) {
            let again = Draft::of_params(event.params.clone()).podio;
            assert_eq!(Some(event.params), again.map(|again| again.params));
        }
    }
}

/// Parses a filter as typed by a person.
///
/// # Panics
/// If the error's position is outside the text.
pub fn filter(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Err(error) = Filter::parse(&text, Timestamp::UNIX_EPOCH, &SavedFilters::default()) {
        let end = text.chars().count() + 1;
        assert!((1..=end).contains(&error.column), "{text:?}: {error:?}");
    }
}

/// Reads an archive of any tool, without storing it.
///
/// # Panics
/// If the runtime cannot be created.
pub fn har(data: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let source = Cursor::new(data.to_vec());
    runtime.expect("a runtime").block_on(async {
        if let Ok(import) = ArchiveImport::open(source).await {
            // Errors in the archive are reported, so they are not faults.
            let _ = import.discard().await;
        }
    });
}
