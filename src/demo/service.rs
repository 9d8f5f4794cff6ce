//! The local service of the demo. It responds to most webhooks with success, to
//! some slowly and to a few with an error, so that there is something to look at.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use podtap_podio::{EventKind, EventType, PodioEvent};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Maximum size of a request body, in bytes; Podio's are under 1 kB.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// The service, bound to its port.
pub(crate) struct SampleService {
    listener: TcpListener,
    address: SocketAddr,
}

impl SampleService {
    /// Binds a free port on loopback.
    pub(crate) async fn bind() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Returns the address of the service.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until cancelled. Then it drops its connections, which is enough for an example.
    pub(crate) async fn run(self, token: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = token.cancelled() => return,
                Some(_) = connections.join_next() => continue,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let connection = hyper::server::conn::http1::Builder::new()
                        .timer(TokioTimer::new())
                        .serve_connection(TokioIo::new(stream), service_fn(answer));
                    connections.spawn(async move {
                        if let Err(error) = connection.await {
                            tracing::debug!(%error, "a connection to the sample service broke");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the sample service cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let content_type = request.headers().get(http::header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let body = match Limited::new(request.into_body(), MAX_BODY_BYTES)
        .collect()
        .await
    {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            return Ok(respond(
                StatusCode::PAYLOAD_TOO_LARGE,
                r#"{"error":"too large"}"#,
            ));
        }
    };
    let Ok(event) = podtap_podio::decode(content_type.as_deref(), &body) else {
        return Ok(respond(
            StatusCode::BAD_REQUEST,
            r#"{"error":"not a Podio webhook"}"#,
        ));
    };
    let (took, status, text) = behaviour(&event);
    tokio::time::sleep(took).await;
    Ok(respond(status, text))
}

/// Returns the response to an event, as a real service
/// might give it. Pure, so a replay gets the same response.
fn behaviour(event: &PodioEvent) -> (Duration, StatusCode, &'static str) {
    let about = event.object().map_or(0, |object| object.id);
    let spread = Duration::from_millis(4 + (about * 7 + event.revision().unwrap_or(3) * 13) % 60);
    match event.kind {
        EventKind::Known(EventType::CommentCreate) if about.is_multiple_of(5) => (
            spread,
            StatusCode::INTERNAL_SERVER_ERROR,
            r#"{"error":"TypeError: Cannot read properties of undefined (reading 'author')"}"#,
        ),
        EventKind::Known(EventType::FileChange) => (
            spread * 8,
            StatusCode::OK,
            r#"{"ok":true,"thumbnail":"queued"}"#,
        ),
        EventKind::Known(EventType::ItemDelete) => (spread, StatusCode::NO_CONTENT, ""),
        EventKind::Other(_) => (
            spread,
            StatusCode::NOT_IMPLEMENTED,
            r#"{"error":"unknown event type"}"#,
        ),
        EventKind::Known(_) => (spread, StatusCode::OK, r#"{"ok":true}"#),
    }
}

fn respond(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, json);
    response
}
