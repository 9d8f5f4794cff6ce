//! A reader that keeps the text of the current entry, so that an unusable entry does not stop the
//! reading of the next ones.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use super::super::MAX_PIECE_BYTES;

/// Maximum number of bytes between two entries, or of an entry that is too large to keep.
const MAX_PASSED_BYTES: u64 = 4 * MAX_PIECE_BYTES;

/// The text of the current entry.
#[derive(Debug, Clone, Default)]
pub(super) struct EntryText(Rc<RefCell<EntryTextState>>);

#[derive(Debug, Default)]
struct EntryTextState {
    kept: Vec<u8>,
    is_on: bool,
    /// Number of bytes since the last entry.
    passed: u64,
}

impl EntryText {
    /// Starts to keep what is read.
    pub(super) fn begin(&self) {
        self.0.borrow_mut().is_on = true;
    }

    /// Stops keeping.
    pub(super) fn end(&self) {
        *self.0.borrow_mut() = EntryTextState::default();
    }

    /// Returns the text of the entry that ends here; `None` if it is too large.
    pub(super) fn take(&self) -> Option<Vec<u8>> {
        let state = &mut *self.0.borrow_mut();
        state.passed = 0;
        let kept = std::mem::take(&mut state.kept);
        if kept.len() as u64 > MAX_PIECE_BYTES {
            return None;
        }
        // The parser reads one byte beyond a number.
        let between = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',');
        let begin = kept.iter().position(|byte| !between(byte)).unwrap_or(0);
        let text = kept.get(begin..).unwrap_or_default();
        let is_number = text
            .first()
            .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
        Some(match text.split_last() {
            Some((_, number)) if is_number => number.to_vec(),
            _ => text.to_vec(),
        })
    }

    fn add(&self, bytes: &[u8]) -> io::Result<()> {
        let state = &mut *self.0.borrow_mut();
        state.passed += bytes.len() as u64;
        if state.passed > MAX_PASSED_BYTES {
            return Err(io::Error::other("a part of it is too large for an archive"));
        }
        if state.is_on && state.kept.len() as u64 <= MAX_PIECE_BYTES {
            state.kept.extend_from_slice(bytes);
        }
        Ok(())
    }
}

/// The reader. The parser reads it byte by byte, so that the kept text ends where an entry does.
pub(super) struct RecordingReader<R> {
    source: R,
    record: EntryText,
}

impl<R> RecordingReader<R> {
    pub(super) fn new(source: R, record: EntryText) -> Self {
        Self { source, record }
    }
}

impl<R: Read> Read for RecordingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.record.add(buffer.get(..count).unwrap_or_default())?;
        Ok(count)
    }
}
