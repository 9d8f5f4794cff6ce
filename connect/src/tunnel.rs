//! Opens connections through an HTTP proxy with CONNECT. This uses hyper itself, because
//! the connector of hyper-util does not report the status of a refusal.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, Uri};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::connect_error::ConnectError;
use crate::proxy::Proxy;
use crate::reason;

/// Opens a connection to `to` over `stream`, a connection to the proxy.
pub(crate) async fn open(
    stream: TokioIo<TcpStream>,
    proxy: &Proxy,
    authorization: Option<&HeaderValue>,
    to: &Uri,
) -> Result<TokioIo<TcpStream>, ConnectError> {
    let odd = |reason: String| ConnectError::NoProxy {
        proxy: proxy.host(),
        reason,
    };
    let failed = |error: &hyper::Error| odd(words(error));
    let request = request(to, authorization).map_err(|error| odd(error.to_string()))?;
    let (mut sender, connection) = http1::handshake(stream)
        .await
        .map_err(|error| failed(&error))?;
    let exchange = async {
        let response = sender.send_request(request).await;
        let response = check_accepted(response.map_err(|error| failed(&error))?, to)?;
        let upgraded = hyper::upgrade::on(response).await;
        upgraded.map_err(|error| failed(&error))
    };
    let mut exchange = std::pin::pin!(exchange);
    let upgraded: Upgraded = tokio::select! {
        // The exchange reports a failure in more detail than the connection.
        biased;
        upgraded = &mut exchange => upgraded?,
        // The connection ends with the upgrade, when the exchange has everything it needs.
        ended = connection.with_upgrades() => {
            ended.map_err(|error| failed(&error))?;
            exchange.await?
        }
    };
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io),
        // A server waits for the client's first byte, so this data must be the proxy's.
        _ => Err(odd("it sent data before the connection was used".to_owned())),
    }
}

fn request(
    to: &Uri,
    authorization: Option<&HeaderValue>,
) -> Result<Request<Empty<Bytes>>, http::Error> {
    let authority = authority(to);
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(&authority)
        .header(header::HOST, &authority);
    if let Some(authorization) = authorization {
        request = request.header(header::PROXY_AUTHORIZATION, authorization.clone());
    }
    request.body(Empty::new())
}

/// Returns host and port. A proxy needs the port even if it is the default one.
fn authority(to: &Uri) -> String {
    let usual = if to.scheme_str() == Some("http") {
        80
    } else {
        443
    };
    let host = to.host().unwrap_or_default();
    format!("{host}:{}", to.port_u16().unwrap_or(usual))
}

fn check_accepted(
    response: Response<Incoming>,
    to: &Uri,
) -> Result<Response<Incoming>, ConnectError> {
    if response.status().is_success() {
        return Ok(response);
    }
    Err(ConnectError::Refused {
        status: response.status(),
        host: to.host().unwrap_or_default().to_owned(),
    })
}

fn words(error: &hyper::Error) -> String {
    if error.is_parse() {
        return "it does not speak HTTP".to_owned();
    }
    if error.is_incomplete_message() {
        return "it closed the connection without an answer".to_owned();
    }
    reason::words(error)
}
