//! Answers connections for which there is no place: 503 before anything is read.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::metrics::Metrics;

/// Maximum number of connections that are being answered at once. Further ones are answered
/// and closed without waiting for the peer, whose system may then discard the answer.
pub(crate) const MAX_LINGERING: usize = 64;

/// Maximum time to read what the peer still sends, so that a reset does not discard the
/// answer (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_millis(500);

/// Short enough to fit into the buffer of a new socket.
const HTTP_ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    retry-after: 5\r\n\
    connection: close\r\n\
    content-length: 52\r\n\
    \r\n\
    the relay has too many connections, try again later\n";

/// Answer on a port that expects TLS: a fatal alert, `internal_error` (RFC 8446, section 6).
const TLS_ANSWER: &[u8] = &[21, 3, 3, 0, 2, 2, 80];

/// Returns the answer to a connection for which there is no place.
pub(super) fn answer(is_tls: bool) -> &'static [u8] {
    if is_tls { TLS_ANSWER } else { HTTP_ANSWER }
}

/// Ends a connection after its answer, and reads what the peer still sends for at most [`LINGER`].
pub(super) async fn linger(stream: &mut TcpStream) {
    let linger = async {
        stream.shutdown().await?;
        let mut scrap = [0; 1024];
        while stream.read(&mut scrap).await? > 0 {}
        std::io::Result::Ok(())
    };
    // Errors from here on are the peer's and change nothing.
    let _ = timeout(LINGER, linger).await;
}

/// Answers connections for which there is no place.
#[derive(Debug)]
pub(super) struct OverflowAnswers {
    tasks: TaskTracker,
    lingering: Arc<Semaphore>,
    answer: &'static [u8],
    metrics: Arc<Metrics>,
}

impl OverflowAnswers {
    /// Creates a value that answers in tasks of `tasks`, with a TLS alert if `is_tls`.
    pub(super) fn new(tasks: TaskTracker, is_tls: bool, metrics: Arc<Metrics>) -> Self {
        Self {
            tasks,
            metrics,
            answer: answer(is_tls),
            lingering: Arc::new(Semaphore::new(MAX_LINGERING)),
        }
    }

    /// Answers and closes the connection. `full` names the limit that was reached, for the metrics.
    pub(super) fn refuse(&self, mut stream: TcpStream, full: &'static str) {
        self.refuse_at_once(&stream, full);
        if let Ok(permit) = Arc::clone(&self.lingering).try_acquire_owned() {
            self.tasks.spawn(async move {
                let _permit = permit;
                linger(&mut stream).await;
            });
        }
    }

    /// Answers the connection. The caller closes it.
    pub(super) fn refuse_at_once(&self, stream: &TcpStream, full: &'static str) {
        self.metrics.connection_refused(full);
        let _ = stream.try_write(self.answer);
    }
}
