//! A local service that remembers every request exactly and answers as told.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::eventually;

/// One request as the local service saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) method: String,
    /// Path and query, escapes untouched.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, Bytes)>,
    pub(crate) body: Bytes,
}

impl Received {
    /// All values of a header, in order.
    pub(crate) fn header(&self, name: &str) -> Vec<&[u8]> {
        let same = |(known, _): &&(String, Bytes)| known.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .filter(same)
            .map(|(_, value)| &value[..])
            .collect()
    }
}

/// A service on loopback; ends when dropped.
pub(crate) struct Service {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    /// Whether it answers.
    speaks: watch::Sender<bool>,
    _server: JoinSet<()>,
}

type Answer = Arc<dyn Fn(&Received) -> Response<Full<Bytes>> + Send + Sync>;

impl Service {
    /// One that answers 200 on a free port.
    pub(crate) async fn start() -> Self {
        Self::answering(|_| Response::new(Full::from("ok"))).await
    }

    /// One with these answers on a free port.
    pub(crate) async fn answering(
        answer: impl Fn(&Received) -> Response<Full<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), Arc::new(answer)).await
    }

    /// One that answers 200 where another one was before.
    pub(crate) async fn back_at(address: SocketAddr) -> Self {
        Self::at(address, Arc::new(|_| Response::new(Full::from("ok")))).await
    }

    async fn at(address: SocketAddr, answer: Answer) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let mut server = JoinSet::new();
        let speaks = watch::Sender::new(true);
        let may_speak = speaks.subscribe();
        server.spawn(serve(listener, Arc::clone(&received), answer, may_speak));
        Self {
            address,
            received,
            speaks,
            _server: server,
        }
    }

    /// Takes requests and does not answer, or answers them all.
    pub(crate) fn is_silent(&self, silent: bool) {
        self.speaks.send_replace(!silent);
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything so far, in order of arrival.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// How many requests so far.
    pub(crate) fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    /// All requests, once there are this many.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let enough = || (self.count() >= count).then(|| self.received());
        eventually("the requests", enough, || {
            format!("{} of {count}", self.count())
        })
        .await
    }
}

/// A place where no service is. The port stays taken, so that no other test's service can start on
/// it; who connects is refused.
pub(crate) struct Gone {
    address: SocketAddr,
    _bound: TcpSocket,
}

impl Gone {
    pub(crate) fn new() -> Self {
        let bound = TcpSocket::new_v4().unwrap();
        bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = bound.local_addr().unwrap();
        Self {
            address,
            _bound: bound,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(
    listener: TcpListener,
    received: Arc<Mutex<Vec<Received>>>,
    answer: Answer,
    speaks: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (received, answer) = (Arc::clone(&received), Arc::clone(&answer));
        let speaks = speaks.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (received, answer) = (Arc::clone(&received), Arc::clone(&answer));
            let mut speaks = speaks.clone();
            async move {
                let seen = remember(request).await;
                let response = answer(&seen);
                received.lock().unwrap().push(seen);
                speaks.wait_for(|speaks| *speaks).await.ok();
                Ok::<_, Infallible>(response)
            }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .max_headers(1_000)
            .serve_connection(TokioIo::new(stream), service);
        connections.spawn(async move {
            // A connection that breaks is part of many tests.
            connection.await.ok();
        });
    }
}

async fn remember(request: Request<Incoming>) -> Received {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter().map(|(name, value)| {
        (
            name.as_str().to_owned(),
            Bytes::copy_from_slice(value.as_bytes()),
        )
    });
    Received {
        method: head.method.as_str().to_owned(),
        path: head.uri.path_and_query().unwrap().as_str().to_owned(),
        headers: headers.collect(),
        body: body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default(),
    }
}
