//! The answer to a connection for which there is no place: 503 before anything is read.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::metrics::Metrics;

/// Connections that are being answered at one moment. More are answered and closed without
/// waiting for the other side, whose system may then throw the answer away.
pub(crate) const MAX_LINGERING: usize = 64;

/// How long what the other side still sends is read, so that the answer is not lost to a reset
/// (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_millis(500);

/// Fits into the buffer of a fresh socket, always.
const HTTP_ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    retry-after: 5\r\n\
    connection: close\r\n\
    content-length: 52\r\n\
    \r\n\
    the relay has too many connections, try again later\n";

/// The same where TLS is expected: a fatal alert, `internal_error` (RFC 8446, section 6).
const TLS_ANSWER: &[u8] = &[21, 3, 3, 0, 2, 2, 80];

/// What one that finds no place hears.
pub(super) fn answer(is_tls: bool) -> &'static [u8] {
    if is_tls { TLS_ANSWER } else { HTTP_ANSWER }
}

/// Ends a connection after its answer: what the other side still sends is read for a moment.
pub(super) async fn linger(stream: &mut TcpStream) {
    let linger = async {
        stream.shutdown().await?;
        let mut scrap = [0; 1024];
        while stream.read(&mut scrap).await? > 0 {}
        std::io::Result::Ok(())
    };
    // What goes wrong from here on is the other side's.
    let _ = timeout(LINGER, linger).await;
}

/// Answers those who find no place.
#[derive(Debug)]
pub(super) struct Crowd {
    tasks: TaskTracker,
    lingering: Arc<Semaphore>,
    answer: &'static [u8],
    metrics: Arc<Metrics>,
}

impl Crowd {
    /// Answers in tasks that `tasks` waits for; in the way of TLS where that is expected.
    pub(super) fn new(tasks: TaskTracker, is_tls: bool, metrics: Arc<Metrics>) -> Self {
        Self {
            tasks,
            metrics,
            answer: answer(is_tls),
            lingering: Arc::new(Semaphore::new(MAX_LINGERING)),
        }
    }

    /// Answers and closes; `full` is what there is no place among.
    pub(super) fn refuse(&self, mut stream: TcpStream, full: &'static str) {
        self.refuse_at_once(&stream, full);
        if let Ok(permit) = Arc::clone(&self.lingering).try_acquire_owned() {
            self.tasks.spawn(async move {
                let _permit = permit;
                linger(&mut stream).await;
            });
        }
    }

    /// Answers, and leaves the closing to the caller.
    pub(super) fn refuse_at_once(&self, stream: &TcpStream, full: &'static str) {
        self.metrics.connection_refused(full);
        let _ = stream.try_write(self.answer);
    }
}
