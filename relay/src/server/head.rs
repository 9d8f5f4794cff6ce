//! Records the bytes of request heads as they arrive, to limit unfinished heads and to
//! learn the original case of header names.
//!
//! hyper parses the heads. It keeps an unfinished head in its own buffer, and all header
//! names in lower case. So this module records what hyper reads.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use super::room::{ConnectionSpot, Room};

/// Size in bytes up to which an unfinished head is not counted. Nearly every webhook's head is
/// smaller, and one for each connection takes no more memory than the connection's other buffers.
const NEGLIGIBLE_BYTES: usize = 1024;

/// First bytes of an HTTP/2 connection, whose header names are in lower case anyway (RFC
/// 9113 §8.2.1).
const HTTP_2: &[u8] = b"PRI * HTTP/2.0\r\n";

/// All unfinished heads, which have a common size limit.
#[derive(Debug)]
pub(super) struct Heads {
    room: Arc<Room>,
    max_head_bytes: usize,
}

/// The head that one connection is sending.
#[derive(Debug)]
pub(super) struct HeadRecord {
    heads: Arc<Heads>,
    close: Arc<Notify>,
    state: Mutex<HeadState>,
}

#[derive(Debug)]
struct HeadState {
    reading: HeadReading,
    /// Bytes of the head that have arrived.
    bytes: Vec<u8>,
    /// Its share of the common limit, once the head is large enough to count.
    spot: Option<ConnectionSpot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeadReading {
    /// Bytes that are read belong to a head.
    Head,
    /// Bytes that are read belong to a body, until the request is answered.
    Body,
    /// Bytes that are read need not be recorded any more.
    Nothing,
}

/// Stream of a connection whose reads are recorded.
#[derive(Debug)]
pub(super) struct RecordedStream<S> {
    stream: S,
    record: Arc<HeadRecord>,
}

impl Heads {
    pub(super) fn new(max_bytes: usize, max_head_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            room: Room::new(max_bytes),
            max_head_bytes,
        })
    }
}

impl HeadRecord {
    /// Creates the record of a connection, which closes when `close` is notified.
    pub(super) fn new(heads: Arc<Heads>, close: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            heads,
            close,
            state: Mutex::new(HeadState {
                reading: HeadReading::Head,
                bytes: Vec::new(),
                spot: None,
            }),
        })
    }

    /// Returns the head of the request that has begun. It is empty if it is not known, for example
    /// if it was read together with the previous request. Bytes read from now on are the body.
    pub(super) fn take(&self) -> Vec<u8> {
        self.turn_to(HeadReading::Body)
    }

    /// Notes that the request is over: bytes read from now on are another head.
    pub(super) fn expect_head(&self) {
        self.turn_to(HeadReading::Head);
    }

    /// Notes that bytes read from now on are not HTTP.
    pub(super) fn stop(&self) {
        self.turn_to(HeadReading::Nothing);
    }

    fn turn_to(&self, reading: HeadReading) -> Vec<u8> {
        let mut state = self.lock();
        if state.reading != HeadReading::Nothing {
            state.reading = reading;
        }
        state.spot = None;
        std::mem::take(&mut state.bytes)
    }

    fn read(&self, bytes: &[u8]) {
        let mut state = self.lock();
        if state.reading != HeadReading::Head {
            return;
        }
        let HeadState { bytes: head, .. } = &mut *state;
        // hyper rejects longer heads.
        let room = self.heads.max_head_bytes.saturating_sub(head.len());
        head.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        if head.starts_with(HTTP_2) {
            drop(state);
            self.stop();
        } else if head.len() > NEGLIGIBLE_BYTES {
            let grown = head.len();
            let enter = || self.heads.room.enter(&self.close);
            state.spot.get_or_insert_with(enter).take(grown);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HeadState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HeadRecord {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<S> RecordedStream<S> {
    pub(super) fn new(stream: S, record: Arc<HeadRecord>) -> Self {
        Self { stream, record }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for RecordedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if let Some(new) = buffer.filled().get(before..).filter(|new| !new.is_empty()) {
            this.record.read(new);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for RecordedStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn record(heads: &Arc<Heads>) -> Arc<HeadRecord> {
        HeadRecord::new(Arc::clone(heads), Arc::default())
    }

    fn is_told(record: &HeadRecord) -> bool {
        record.close.notified().now_or_never().is_some()
    }

    #[test]
    fn a_head_is_what_was_read_between_two_requests() {
        let record = record(&Heads::new(9999, 9999));
        record.read(b"POST / HTTP/1.1\r\n");
        record.read(b"Host: h\r\n\r\nbody");
        assert_eq!(record.take(), b"POST / HTTP/1.1\r\nHost: h\r\n\r\nbody");
        record.read(b"more body");
        record.expect_head();
        record.read(b"GET");
        assert_eq!(record.take(), b"GET");
        record.stop();
        record.expect_head();
        record.read(b"a websocket's frame");
        assert_eq!(record.take(), b"");
    }

    #[test]
    fn http_2_is_not_recorded() {
        let record = record(&Heads::new(9999, 9999));
        record.read(b"PRI * HTTP/");
        record.read(b"2.0\r\n\r\nSM\r\n\r\nframes");
        record.expect_head();
        record.read(b"more frames");
        assert_eq!(record.take(), b"");
    }

    #[test]
    fn the_oldest_unfinished_heads_make_room_and_none_is_recorded_beyond_its_limit() {
        let heads = Heads::new(10_000, 4000);
        let records: Vec<_> = (0..3).map(|_| record(&heads)).collect();
        for _ in 0..2 {
            records[0].read(&[b'a'; 1900]);
            records[1].read(&[b'a'; 1900]);
        }
        assert!(!is_told(&records[0]));
        records[2].read(&[b'a'; 9000]);
        assert!(is_told(&records[0]) && !is_told(&records[1]) && !is_told(&records[2]));
        assert_eq!(records[2].take().len(), 4000);
        drop(records);
        assert_eq!(heads.room.usage(), (0, 0));
    }

    #[test]
    fn small_heads_are_not_counted() {
        let heads = Heads::new(0, 4000);
        let record = record(&heads);
        record.read(&[b'a'; NEGLIGIBLE_BYTES]);
        assert!(!is_told(&record) && heads.room.usage() == (0, 0));
    }
}
