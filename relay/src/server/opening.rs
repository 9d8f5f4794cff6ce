//! What comes before HTTP on a connection: the handshake of TLS, bounded in time and number.
//!
//! The time is that of the first head, which begins with the connection. Beyond the number, the
//! handshake that has taken longest makes way for a new one.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, last_call};
use super::handler::Handler;
use super::room::Room;
use crate::tls::Tls;

/// Handshakes in progress. Each may hold 64 KiB, which is what rustls reads of one at most.
pub(super) const MAX_HANDSHAKES: usize = 1024;

/// To a sender that speaks HTTP where TLS is expected.
const PLAIN_ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    connection: close\r\n\
    content-length: 47\r\n\
    \r\n\
    this port expects TLS: use https:// in the URL\n";

/// A connection that was accepted.
pub(super) struct Opening<H> {
    pub(super) connection: Connection<H>,
    /// `None` for HTTP in the clear.
    pub(super) tls: Option<Tls>,
    pub(super) handshakes: Arc<Room>,
}

/// Why a handshake led to nothing.
#[derive(Debug)]
enum Failed {
    /// Nothing was said, as by a load balancer that looks whether the port is open.
    Silent,
    /// The other side spoke HTTP.
    PlainText,
    /// TLS came to no agreement, or broke off.
    Tls(io::Error),
}

impl<H: Handler> Opening<H> {
    pub(super) async fn serve(self, stream: TcpStream, draining: CancellationToken) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delays");
        }
        let Self {
            connection,
            tls,
            handshakes,
        } = self;
        let Some(tls) = tls else {
            return connection.serve(stream, draining).await;
        };
        let (activity, metrics) = (&connection.activity, &connection.metrics);
        let close = activity.close();
        let mut spot = handshakes.enter(&close);
        spot.take(1);
        let shaken = tokio::select! {
            shaken = Box::pin(shake(&tls, stream)) => shaken,
            () = activity.overdue() => return metrics.handshake_failed("timeout"),
            () = close.notified() => return metrics.handshake_failed("room"),
            () = last_call(&draining, activity) => return,
        };
        drop(spot);
        match shaken {
            Ok(stream) => Box::pin(connection.serve(stream, draining)).await,
            Err(Failed::Silent) => {}
            Err(Failed::PlainText) => metrics.handshake_failed("plain-text"),
            Err(Failed::Tls(error)) => {
                tracing::debug!(peer = %connection.peer, %error, "a handshake failed");
                metrics.handshake_failed("tls");
            }
        }
    }
}

async fn shake(tls: &Tls, mut stream: TcpStream) -> Result<TlsStream<TcpStream>, Failed> {
    let mut first = [0];
    if stream.peek(&mut first).await.map_err(Failed::Tls)? == 0 {
        return Err(Failed::Silent);
    }
    // A record of TLS never begins with a letter, a method always does.
    if first.iter().all(u8::is_ascii_alphabetic) {
        // Whether it still listens is up to the sender.
        let _ = stream.write_all(PLAIN_ANSWER).await;
        let _ = stream.shutdown().await;
        return Err(Failed::PlainText);
    }
    let accepting = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
    let hello = accepting.await.map_err(Failed::Tls)?;
    let config = Arc::clone(&tls.config);
    hello.into_stream(config).await.map_err(Failed::Tls)
}
