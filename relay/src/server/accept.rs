//! Accepts connections, even if no file descriptor is free for one.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use super::crowd::OverflowAnswers;
use super::places::Places;
use super::seldom::Seldom;

/// Pause after an accept that failed because a resource ran out, which may be temporary.
const PAUSE: Duration = Duration::from_millis(50);

/// A listener, and a spare descriptor to release when no other is free.
#[derive(Debug)]
pub(super) struct Acceptor {
    listener: TcpListener,
    address: SocketAddr,
    spare: Option<File>,
    failures: Seldom,
}

impl Acceptor {
    pub(super) fn new(listener: TcpListener, address: SocketAddr) -> Self {
        Self {
            listener,
            address,
            spare: spare(),
            failures: Seldom::default(),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the next connection. If no descriptor is free, `crowd` answers the new
    /// connection, and the connection that has been quiet for longest is closed.
    ///
    /// # Cancel safety
    /// Safe: a connection that is not returned was not accepted, or was answered.
    pub(super) async fn accept(
        &mut self,
        places: &Places,
        crowd: &OverflowAnswers,
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
            // Releasing the spare descriptor frees one for a connection that waits to be accepted.
            if self.spare.take().is_some()
                && let Some(Ok((stream, _))) = self.listener.accept().now_or_never()
            {
                crowd.refuse_at_once(&stream, "descriptors");
            }
            self.spare = spare();
            sleep(PAUSE).await;
        }
    }

    fn warn(&self, error: &io::Error) {
        if let Some(failures) = self.failures.count(Instant::now()) {
            let address = self.address;
            tracing::warn!(%address, %error, failures, "cannot accept connections");
        }
    }
}

/// Returns whether the error concerns one connection only, which was gone before it was accepted.
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

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::TcpStream;
    use std::process::Command;
    use std::sync::Arc;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use tokio::task::spawn_blocking;
    use tokio::time::timeout;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::metrics::Metrics;

    /// Environment variable that is set in the separate process in which the test runs.
    const ALONE: &str = "PODTAP_TEST_ALONE";

    const PATIENCE: Duration = Duration::from_mins(1);

    #[test]
    fn a_connection_without_a_descriptor_is_answered_and_the_next_one_taken() {
        if std::env::vars_os().any(|(name, _)| name == ALONE) {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            return runtime.block_on(without_descriptors());
        }
        // The test uses up all descriptors, and other tests of this process need some.
        let name = "server::accept::tests::\
                    a_connection_without_a_descriptor_is_answered_and_the_next_one_taken";
        let alone = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&alone.stdout);
        assert!(
            alone.status.success() && words.contains("1 passed"),
            "{words}"
        );
    }

    async fn without_descriptors() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut acceptor = Acceptor::new(listener, address);
        let crowd = OverflowAnswers::new(TaskTracker::new(), false, Arc::new(Metrics::new()));
        let places = Places::new(8, 8);
        let few = Rlimit {
            current: Some(64),
            ..getrlimit(Resource::Nofile)
        };
        setrlimit(Resource::Nofile, few).unwrap();
        let mut sender = TcpStream::connect(address).unwrap();
        let held: Vec<File> = std::iter::from_fn(spare).collect();
        assert!(TcpStream::connect(address).is_err(), "nothing is left");

        let answer = spawn_blocking(move || {
            sender.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut answer = String::new();
            sender.read_to_string(&mut answer).map(|_| answer)
        });
        let answer = tokio::select! {
            answer = answer => answer.unwrap().unwrap(),
            _ = acceptor.accept(&places, &crowd) => panic!("there was no descriptor for it"),
        };

        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer:?}");
        drop(held);
        let _next = TcpStream::connect(address).unwrap();
        let taken = timeout(PATIENCE, acceptor.accept(&places, &crowd)).await;
        assert!(taken.is_ok());
    }
}
