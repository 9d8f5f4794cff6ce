//! A local service that stores every request exactly and responds as the test wants.

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

/// A request as the local service received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) method: String,
    /// Path and query, with their escapes.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, Bytes)>,
    pub(crate) body: Bytes,
}

impl Received {
    /// Returns all values of a header, in order.
    pub(crate) fn header(&self, name: &str) -> Vec<&[u8]> {
        let same = |(known, _): &&(String, Bytes)| known.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .filter(same)
            .map(|(_, value)| &value[..])
            .collect()
    }
}

/// A service on loopback; it ends when it is dropped.
pub(crate) struct Service {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    /// Whether it responds.
    speaks: watch::Sender<bool>,
    _server: JoinSet<()>,
}

type Answer = Arc<dyn Fn(&Received) -> Response<Full<Bytes>> + Send + Sync>;

impl Service {
    /// Starts a service on a free port that answers 200.
    pub(crate) async fn start() -> Self {
        Self::answering(|_| Response::new(Full::from("ok"))).await
    }

    /// Starts a service on a free port that responds with `answer`.
    pub(crate) async fn answering(
        answer: impl Fn(&Received) -> Response<Full<Bytes>> + Send + Sync + 'static,
    ) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), Arc::new(answer)).await
    }

    /// Starts a service that answers 200 at the address of an earlier one.
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

    /// Sets whether the service receives requests without
    /// responding. Unset, it responds to all of them.
    pub(crate) fn is_silent(&self, silent: bool) {
        self.speaks.send_replace(!silent);
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns all requests so far, in the order of their arrival.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Returns the number of requests so far.
    pub(crate) fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    /// Waits until there are this many requests, and returns all.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Received> {
        let enough = || (self.count() >= count).then(|| self.requests());
        eventually("the requests", enough, || {
            format!("{} of {count}", self.count())
        })
        .await
    }
}

/// An address without a service. The port stays bound, so no other
/// test's service can start on it, and connections are refused.
pub(crate) struct GoneService {
    address: SocketAddr,
    _bound: TcpSocket,
}

impl GoneService {
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
            // Broken connections are part of many tests.
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
