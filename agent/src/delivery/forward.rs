//! Sends one request to the local service over kept-alive connections, or runs the command that
//! replaces it, and returns the result. It does not decide whether there is another attempt.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::uri::{PathAndQuery, Uri};
use http::{Method, Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use podtap_connect::client::{HttpClient, PoolLimits, client};
use podtap_connect::reason::words;
use podtap_wire::HeaderList;
use tower_service::Service as _;

use super::exchange::{DeliveryFailure, Dispatch, ServiceAnswer};
use super::header_case::Spellings;
use super::kept::KeptBody;
use super::{headers, program};
use crate::answers::Allowance;
use crate::config::{DeliveryConfig, HostHeader};
use crate::connection::{CountedStream, ReadMeter, ServiceConnector};
use crate::reason;
use crate::target::Target;

/// Idle time after which a connection is not reused: servers of Node close theirs after 5 s, and a
/// request that arrives at that moment is lost.
const IDLE_LIMIT: Duration = Duration::from_secs(4);

/// Maximum time for one probe: a service on this machine accepts within less than a millisecond.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The error for a service that accepts connections and drops requests.
const LOST: &str = "it closed the connection without an answer";

type ServiceClient = HttpClient<ServiceConnector>;

#[derive(Debug)]
struct Clients {
    /// Reuses connections.
    kept_alive: ServiceClient,
    /// Opens a new connection for each request.
    fresh: ServiceClient,
    connector: ServiceConnector,
    /// The local service that did not speak TLS at the last check, so that the check is not
    /// repeated after each loss.
    plain: Mutex<Option<Uri>>,
    spellings: Spellings,
}

/// Why one exchange failed.
struct ExchangeError {
    failure: DeliveryFailure,
    /// Whether the connection was reused and ended before the first byte of the answer.
    is_stale: bool,
}

impl From<DeliveryFailure> for ExchangeError {
    fn from(failure: DeliveryFailure) -> Self {
        Self {
            failure,
            is_stale: false,
        }
    }
}

/// Sends requests. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub(crate) struct Forwarder {
    clients: Arc<Clients>,
    timeout: Duration,
    host: HostHeader,
    keep_bytes: usize,
    /// Environment variables that a command does not get.
    hidden_variables: Arc<[String]>,
    /// The memory for whole answers that go back to the sender, if they do.
    answers: Option<Allowance>,
}

impl Forwarder {
    /// Creates a forwarder that keeps as much of an answer's body as the history stores, and the
    /// whole body if it goes back to the sender and `answers` has room.
    pub(crate) fn new(
        config: &DeliveryConfig,
        connector: ServiceConnector,
        answers: Option<Allowance>,
    ) -> Self {
        let pool = |per_host| PoolLimits {
            idle_limit: IDLE_LIMIT,
            per_host,
        };
        Self {
            clients: Arc::new(Clients {
                kept_alive: client(connector.clone(), pool(config.concurrency)),
                fresh: client(connector.clone(), pool(0)),
                connector,
                plain: Mutex::default(),
                spellings: Spellings::default(),
            }),
            timeout: config.timeout,
            host: config.host.clone(),
            keep_bytes: config.max_response_bytes,
            hidden_variables: config.hidden_variables.as_slice().into(),
            answers,
        }
    }

    /// Sends one request and reads the whole answer, within the time for one attempt. If a
    /// kept-alive connection ends before the first byte of the answer, the local service has not
    /// answered: the request is sent once more, immediately, over a new connection.
    pub(crate) async fn send(
        &self,
        dispatch: Dispatch<'_>,
    ) -> Result<ServiceAnswer, DeliveryFailure> {
        if let Some(command) = dispatch.target.command() {
            let (timeout, hidden) = (self.timeout, &self.hidden_variables[..]);
            let limits = program::CommandLimits { timeout, hidden };
            let kept = [self.nothing_kept(), self.nothing_kept()];
            return program::run(command, &dispatch, limits, kept).await;
        }
        let names = headers::names(dispatch.headers);
        let spelling = self.clients.spellings.of(names).await;
        let request = || {
            let mut request = self.request(&dispatch).map_err(DeliveryFailure::Ended)?;
            *request.extensions_mut() = spelling.clone();
            Ok(request)
        };
        let first = request()?;
        let attempt = async {
            match self.exchange(&self.clients.kept_alive, first).await {
                Err(ExchangeError { is_stale: true, .. }) => {
                    self.exchange(&self.clients.fresh, request()?).await
                }
                exchanged => exchanged,
            }
        };
        match tokio::time::timeout(self.timeout, attempt).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(broken)) => {
                if let DeliveryFailure::Unreachable(_) = broken.failure {
                    // After the outage, another service may be at this address.
                    *self.plain() = None;
                }
                Err(self.explain_failure(&dispatch, broken.failure).await)
            }
            Err(_) => Err(DeliveryFailure::Ended(format!(
                "no answer within {:?}",
                self.timeout
            ))),
        }
    }

    fn plain(&self) -> MutexGuard<'_, Option<Uri>> {
        let plain = self.clients.plain.lock();
        plain.unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks, after an answer that is not HTTP, whether the local service expects TLS: then it has
    /// not received the request.
    async fn explain_failure(
        &self,
        dispatch: &Dispatch<'_>,
        failure: DeliveryFailure,
    ) -> DeliveryFailure {
        let is_plain = dispatch.target.scheme() == Some("http");
        let (DeliveryFailure::Lost(_) | DeliveryFailure::Garbled(_), true) = (&failure, is_plain)
        else {
            return failure;
        };
        let uri = uri(dispatch.target, "/");
        let Some(uri) = uri.filter(|uri| self.plain().as_ref() != Some(uri)) else {
            return failure;
        };
        let speaks_tls = self.clients.connector.speaks_tls(&uri);
        if let Ok(true) = tokio::time::timeout(PROBE_TIMEOUT, speaks_tls).await {
            let words = "the server expects https; use https:// instead of http://";
            return DeliveryFailure::Unreachable(words.to_owned());
        }
        *self.plain() = Some(uri);
        failure
    }

    /// Returns a connection to the local service, with TLS
    /// if its URL requires it; `None` if there is none.
    pub(super) async fn connect(&self, target: &Target) -> Option<CountedStream> {
        let connecting = self.clients.connector.clone().call(uri(target, "/")?);
        let connected = tokio::time::timeout(PROBE_TIMEOUT, connecting).await;
        Some(connected.ok()?.ok()?.into_inner())
    }

    async fn exchange(
        &self,
        client: &ServiceClient,
        request: Request<Full<Bytes>>,
    ) -> Result<ServiceAnswer, ExchangeError> {
        let response = client.request(request).await.map_err(|error| {
            let reason = reason::of_local_service(&error);
            let reading = error.connect_info().and_then(ReadMeter::of);
            let has_begun = reading.as_ref().is_some_and(ReadMeter::has_begun);
            ExchangeError {
                failure: match (error.is_connect(), has_begun) {
                    (true, _) => DeliveryFailure::Unreachable(reason),
                    (false, false) => DeliveryFailure::Lost(LOST.to_owned()),
                    (false, true) => {
                        DeliveryFailure::Garbled(format!("its answer is not HTTP: {reason}"))
                    }
                },
                is_stale: reading.is_some_and(|reading| reading.is_stale()),
            }
        })?;
        Ok(self.read(response).await?)
    }

    fn request(&self, dispatch: &Dispatch<'_>) -> Result<Request<Full<Bytes>>, String> {
        let unsendable = |what: &str| format!("this {what} cannot be sent over HTTP");
        let uri = uri(dispatch.target, dispatch.path).ok_or_else(|| unsendable("path"))?;
        let method =
            Method::from_bytes(dispatch.method.as_bytes()).map_err(|_| unsendable("method"))?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let own = HeaderValue::from_str(authority).map_err(|_| unsendable("host"))?;
        let host = match &self.host {
            HostHeader::Service => Some(&own),
            HostHeader::Sender => None,
            HostHeader::Fixed(fixed) => Some(fixed),
        };
        let mut headers =
            headers::outgoing(dispatch.headers, dispatch.origin, host, dispatch.marks);
        if dispatch.body.is_empty() && matches!(method, Method::POST | Method::PUT | Method::PATCH)
        {
            // hyper omits it, and some servers require it (RFC 9110 §8.6: SHOULD).
            headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
        }
        let mut request = Request::new(Full::new(dispatch.body.clone()));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = headers;
        Ok(request)
    }

    async fn read(&self, response: Response<Incoming>) -> Result<ServiceAnswer, DeliveryFailure> {
        let (parts, mut incoming) = response.into_parts();
        let mut kept = self.nothing_kept();
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|error| {
                let (bytes, reason) = (kept.bytes(), words(&error));
                DeliveryFailure::Ended(format!("the answer ended after {bytes} bytes: {reason}"))
            })?;
            if let Ok(data) = frame.into_data() {
                kept.add(&data);
            }
        }
        Ok(kept.answer(parts.status.as_u16(), HeaderList::from(&parts.headers)))
    }

    /// Returns an empty buffer for the body of an answer.
    fn nothing_kept(&self) -> KeptBody {
        KeptBody::new(self.keep_bytes, self.answers.as_ref().map(Allowance::room))
    }
}

/// Returns the URL of a request, byte for byte; `None` if it cannot be sent.
fn uri(target: &Target, path: &str) -> Option<Uri> {
    let url = target.url()?;
    let host = url.host_str()?;
    let authority = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let all = target.with_path(path);
    let (_, rest) = all.split_once("://")?;
    let path = rest.strip_prefix(&authority)?;
    Uri::builder()
        .scheme(url.scheme())
        .authority(authority)
        .path_and_query(PathAndQuery::try_from(path).ok()?)
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_appended_byte_for_byte() {
        for (target, path, expected) in [
            (
                "3000",
                "/a%2Fb//c/../d?x=%20&y=",
                "http://localhost:3000/a%2Fb//c/../d?x=%20&y=",
            ),
            ("http://[::1]:8/base/", "/", "http://[::1]:8/base/"),
            ("https://dev.test", "/a", "https://dev.test/a"),
            ("3000", "//", "http://localhost:3000//"),
        ] {
            let uri = uri(&target.parse().unwrap(), path).unwrap();
            assert_eq!(uri.to_string(), expected);
        }
        assert_eq!(uri(&"3000".parse().unwrap(), "/a b"), None);
    }
}
