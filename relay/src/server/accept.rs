//! Taking connections from the system, also when it has no file descriptor left for one.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use super::crowd::Crowd;
use super::places::Places;

/// The pause after an accept that failed for a lack of something: it may pass.
const PAUSE: Duration = Duration::from_millis(50);

/// How often a lack is worth a line in the log.
const WARN_PERIOD: Duration = Duration::from_mins(1);

/// A listener, and a descriptor kept for the moment in which there is no other.
#[derive(Debug)]
pub(super) struct Acceptor {
    listener: TcpListener,
    address: SocketAddr,
    spare: Option<File>,
    failures: u64,
    warned_at: Option<Instant>,
}

impl Acceptor {
    pub(super) fn new(listener: TcpListener, address: SocketAddr) -> Self {
        Self {
            listener,
            address,
            spare: spare(),
            failures: 0,
            warned_at: None,
        }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection. One for which there is no descriptor is answered by `crowd`, and the
    /// connection that has been quiet for longest closes.
    ///
    /// # Cancel safety
    /// Safe: a connection not returned was not taken, or was answered.
    pub(super) async fn accept(
        &mut self,
        places: &Places,
        crowd: &Crowd,
    ) -> (TcpStream, SocketAddr) {
        loop {
            let error = match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => error,
            };
            if is_of_one_connection(&error) {
                continue;
            }
            self.warn(&error);
            places.close_one();
            // With the spare one gone there is a descriptor for a connection that waits.
            if self.spare.take().is_some()
                && let Some(Ok((stream, _))) = self.listener.accept().now_or_never()
            {
                crowd.refuse_at_once(&stream, "descriptors");
            }
            self.spare = spare();
            sleep(PAUSE).await;
        }
    }

    /// One line a minute, however many connections it is for.
    fn warn(&mut self, error: &io::Error) {
        self.failures += 1;
        let now = Instant::now();
        let is_due = self.warned_at.is_none_or(|at| now - at >= WARN_PERIOD);
        if is_due {
            let (address, failures) = (self.address, std::mem::take(&mut self.failures));
            tracing::warn!(%address, %error, failures, "cannot accept connections");
            self.warned_at = Some(now);
        }
    }
}

/// Whether another connection may well be accepted: this one was gone before it was taken.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    )
}

fn spare() -> Option<File> {
    let path = if cfg!(windows) { "NUL" } else { "/dev/null" };
    File::open(path).ok()
}
