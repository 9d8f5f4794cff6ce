//! Serves the API on a socket: connections, limits, faults. It knows nothing about Podio's
//! behaviour.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::{AnswerBody, ApiAnswer, ApiRequest, ErrorAnswer};
use super::api;
use super::fault::Fault;
use super::guard::ApiGuard;
use super::observe::Observation;
use super::shared::SharedSandbox;
use super::world::World;

/// Maximum number of connections at once.
const MAX_CONNECTIONS: usize = 512;
/// Maximum size of a request body in bytes, with room for file uploads.
const MAX_BODY: usize = 32 * 1024 * 1024;
/// Maximum time to read a request's head, and its body.
const READ_LIMIT: Duration = Duration::from_secs(30);
/// Maximum time to wait for open connections at shutdown.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);
/// Pause after an accept that failed, for example because no file descriptor was free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `token` is cancelled and the open requests are answered.
pub(super) async fn serve(
    listener: TcpListener,
    shared: Arc<SharedSandbox>,
    token: CancellationToken,
) {
    let connections = TaskTracker::new();
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let accept = async {
        loop {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                return;
            };
            let Ok((stream, _)) = listener.accept().await else {
                sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let connection = converse(stream, Arc::clone(&shared), token.clone());
            connections.spawn(async move {
                connection.await;
                drop(permit);
            });
        }
    };
    token.run_until_cancelled(accept).await;
    connections.close();
    // Connections that are still open end with the runtime.
    let _ = timeout(DRAIN_LIMIT, connections.wait()).await;
}

async fn converse(stream: TcpStream, shared: Arc<SharedSandbox>, token: CancellationToken) {
    // If this fails, answers are only delayed.
    let _ = stream.set_nodelay(true);
    let guard = Arc::new(ApiGuard::new(stream.local_addr().ok(), shared.hosts()));
    let stopping = token.clone();
    let service = service_fn(move |request| {
        let (shared, token) = (Arc::clone(&shared), token.clone());
        let guard = Arc::clone(&guard);
        async move { Ok::<_, Infallible>(respond(request, &guard, &shared, &token).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // Errors at the end of a connection concern the caller only.
        _ = connection.as_mut() => {}
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn respond(
    request: http::Request<Incoming>,
    guard: &ApiGuard,
    shared: &SharedSandbox,
    token: &CancellationToken,
) -> Response<Full<Bytes>> {
    let mut fault = shared.fault();
    token
        .run_until_cancelled(fault.wait_for(|fault| *fault != Some(Fault::Hang)))
        .await;
    let fault = *fault.borrow();

    let (head, body) = request.into_parts();
    let body = match guard.check(&head.uri, &head.headers) {
        Ok(()) => read(body).await,
        Err(refused) => Err(refused),
    };
    let known = body.as_ref().cloned().unwrap_or_default();
    let request = ApiRequest::new(head.method, &head.uri, head.headers, known);
    let answer = match (fault, body) {
        (_, Err(refused)) => refused.into_answer(&request),
        (Some(Fault::Status(status)), _) => {
            ErrorAnswer::new(status, "unexpected", "The sandbox was told to fail")
                .into_answer(&request)
        }
        (_, Ok(_)) => {
            let answer = |world: &mut World| api::answer(world, &request);
            shared.change(answer).await
        }
    };
    shared.observe(Observation::Call {
        method: request.method.to_string(),
        path: request.path,
        status: answer.status,
    });
    encode(answer, fault == Some(Fault::Truncated))
}

async fn read(body: Incoming) -> Result<Bytes, ErrorAnswer> {
    let too_late = |_| ErrorAnswer::new(408, "timeout", "The body did not come");
    let broken = |_| ErrorAnswer::new(413, "too_large", "The body is too large or was cut off");
    let body = timeout(READ_LIMIT, Limited::new(body, MAX_BODY).collect()).await;
    Ok(body.map_err(too_late)?.map_err(broken)?.to_bytes())
}

fn encode(answer: ApiAnswer, truncated: bool) -> Response<Full<Bytes>> {
    let json = "application/json; charset=utf-8";
    let (media_type, mut body) = match answer.body {
        AnswerBody::Empty => (json.to_owned(), Bytes::new()),
        AnswerBody::Json(body) => (json.to_owned(), Bytes::from(body.to_string())),
        AnswerBody::Bytes(media_type, bytes) => (media_type, bytes),
    };
    if truncated {
        body.truncate(body.len() / 2);
    }
    let mut response = Response::new(Full::new(body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [("content-type", media_type)].into_iter();
    for (name, value) in headers.chain(answer.headers) {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
