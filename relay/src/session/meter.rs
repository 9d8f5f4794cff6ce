//! Counts the bytes of a message that has not ended yet, before it is decoded, because a
//! peer may send it slowly.
//!
//! A small message is free. A larger one needs memory of the owner's account before the
//! rest of it is read. So an agent that sends without end, or many such agents, fill their
//! own sockets and not the relay's memory.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use podtap_wire::limits::MAX_CONTROL_BYTES;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::budget::{BudgetGrant, OwnerShare};

/// Bytes of a message that need no grant: the largest message of most agents, the heads of
/// its frames, and the bytes that are read ahead.
const FREE_BYTES: usize = MAX_CONTROL_BYTES + 4 * 1024;

/// Factor by which each further grant lets a message grow.
const GROWTH: usize = 4;

/// Maximum time from the start of a large message to its end. Senders do not wait that long
/// for an answer.
const MESSAGE_LIMIT: Duration = Duration::from_mins(1);

/// Bytes of a control frame in addition to its payload: RFC 6455 §5.2, masked.
const CONTROL_HEAD: usize = 6;

/// State of the message that is being read.
#[derive(Debug)]
pub(super) struct Meter {
    state: Mutex<MeterState>,
}

#[derive(Debug)]
struct MeterState {
    /// Bytes read since the end of the last message.
    used: usize,
    /// Bytes that are free or granted.
    allowed: usize,
    /// Maximum size of a message.
    most: usize,
    grant: Option<BudgetGrant>,
    /// Time at which the message exceeded its free bytes.
    large_since: Option<Instant>,
    /// Time of the last read.
    moved: Instant,
    exceeded: bool,
}

/// A stream whose reads are metered.
pub(super) struct MeteredStream<S> {
    inner: S,
    meter: Arc<Meter>,
    share: OwnerShare,
    waiting: Option<BoxFuture<'static, BudgetGrant>>,
}

impl Meter {
    /// Creates a meter for messages of at most this size.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(MeterState {
                used: 0,
                allowed: FREE_BYTES,
                most,
                grant: None,
                large_since: None,
                moved: Instant::now(),
                exceeded: false,
            }),
        })
    }

    /// Sets the maximum size of further messages.
    pub(super) fn allow(&self, most: usize) {
        self.lock().most = most;
    }

    /// Notes that a message has ended. Returns its grant, if it needed one.
    pub(super) fn message_ended(&self) -> Option<BudgetGrant> {
        let mut state = self.lock();
        state.used = 0;
        state.allowed = FREE_BYTES;
        state.large_since = None;
        state.grant.take()
    }

    /// Notes a control frame, which may arrive in the middle of a message and does not count as
    /// part of it.
    pub(super) fn control_frame(&self, payload: usize) {
        let mut state = self.lock();
        state.used = state.used.saturating_sub(CONTROL_HEAD + payload);
    }

    /// Returns the time of the last read.
    pub(super) fn last_read_at(&self) -> Instant {
        self.lock().moved
    }

    /// Returns whether a large message takes too long.
    pub(super) fn is_overdue(&self) -> bool {
        let since = self.lock().large_since;
        since.is_some_and(|since| since.elapsed() > MESSAGE_LIMIT)
    }

    /// Returns the maximum size if a message exceeded it.
    pub(super) fn exceeding_size(&self) -> Option<usize> {
        let state = self.lock();
        state.exceeded.then_some(state.most)
    }

    fn lock(&self) -> MutexGuard<'_, MeterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MeterState {
    /// Returns how many bytes must be granted before the next read, or an error if the message
    /// is too large.
    fn bytes_needed(&mut self) -> io::Result<usize> {
        if self.used < self.allowed {
            return Ok(0);
        }
        // The free bytes beyond a control message are for data of the next message that was read
        // ahead.
        let most = self.most.max(MAX_CONTROL_BYTES) + FREE_BYTES - MAX_CONTROL_BYTES;
        if self.used >= most {
            self.exceeded = true;
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a message is too large",
            ));
        }
        self.large_since.get_or_insert_with(Instant::now);
        Ok((self.allowed * GROWTH).min(most) - self.allowed)
    }
}

impl<S> MeteredStream<S> {
    pub(super) fn new(inner: S, meter: Arc<Meter>, share: OwnerShare) -> Self {
        Self {
            inner,
            meter,
            share,
            waiting: None,
        }
    }

    /// Waits until the next bytes may be read.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let needed = self.meter.lock().bytes_needed()?;
            if needed == 0 {
                self.waiting = None;
                return Poll::Ready(Ok(()));
            }
            let share = &self.share;
            let waiting = self.waiting.get_or_insert_with(|| {
                let share = share.clone();
                async move { share.take(needed).await }.boxed()
            });
            let grant = ready!(waiting.poll_unpin(cx));
            self.waiting = None;
            let mut state = self.meter.lock();
            state.allowed += needed;
            match &mut state.grant {
                Some(held) => held.join(grant),
                none => *none = Some(grant),
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for MeteredStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_room(cx))?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(cx, buffer))?;
        let read = buffer.filled().len() - before;
        let mut state = this.meter.lock();
        state.used += read;
        if read > 0 {
            state.moved = Instant::now();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for MeteredStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::timeout;

    use super::super::budget::SessionBudget;
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[tokio::test(start_paused = true)]
    async fn a_small_message_is_free_and_one_beyond_the_limit_an_error() {
        let (mut near, far) = tokio::io::duplex(MIB);
        let meter = Meter::new(MAX_CONTROL_BYTES);
        let mut metered =
            MeteredStream::new(far, Arc::clone(&meter), SessionBudget::new(0, 0).share());
        let mut buffer = vec![0; 2048];
        for _ in 0..100 {
            near.write_all(&[0; 8 * 2048]).await.unwrap();
            for _ in 0..8 {
                metered.read_exact(&mut buffer).await.unwrap();
            }
            assert!(meter.message_ended().is_none());
        }
        near.write_all(&vec![0; 32 * 1024]).await.unwrap();
        let mut read = 0;
        let error = loop {
            match metered.read(&mut buffer).await {
                Ok(bytes) => read += bytes,
                Err(error) => break error,
            }
        };
        assert!(
            (MAX_CONTROL_BYTES..=FREE_BYTES + 2048).contains(&read),
            "{read}"
        );
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(meter.exceeding_size(), Some(MAX_CONTROL_BYTES));
    }

    #[tokio::test(start_paused = true)]
    async fn what_many_endless_messages_hold_is_bounded() {
        let budget = SessionBudget::new(8 * MIB, MIB);
        let share = budget.share();
        let mut total = 0;
        let mut held = Vec::new();
        for _ in 0..50 {
            let (mut near, far) = tokio::io::duplex(4 * MIB);
            let meter = Meter::new(4 * MIB);
            let mut metered = MeteredStream::new(far, Arc::clone(&meter), share.clone());
            near.write_all(&vec![0; 4 * MIB]).await.unwrap();
            let mut buffer = vec![0; 2048];
            while let Ok(Ok(bytes)) =
                timeout(Duration::from_secs(1), metered.read(&mut buffer)).await
            {
                total += bytes;
            }
            held.push((near, metered, meter));
        }
        assert!(total <= 2 * MIB + 50 * (FREE_BYTES + 2048), "{total}");
        tokio::time::advance(MESSAGE_LIMIT).await;
        assert!(held.iter().all(|(_, _, meter)| meter.is_overdue()));
    }

    #[tokio::test(start_paused = true)]
    async fn pings_are_no_part_of_a_message() {
        let (mut near, far) = tokio::io::duplex(MIB);
        let meter = Meter::new(MAX_CONTROL_BYTES);
        let mut metered =
            MeteredStream::new(far, Arc::clone(&meter), SessionBudget::new(0, 0).share());
        let mut frame = [0; CONTROL_HEAD + 8];
        for _ in 0..10_000 {
            near.write_all(&frame).await.unwrap();
            metered.read_exact(&mut frame).await.unwrap();
            meter.control_frame(8);
        }
        assert!(meter.exceeding_size().is_none() && meter.lock().large_since.is_none());
    }
}
