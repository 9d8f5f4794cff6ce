//! Sends a request that upgrades its connection, as a websocket does. It uses hyper, which returns
//! a refusal's status and body.

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::disconnect::Disconnect;
use crate::reason;

/// Sends the request and, if `judge` accepts the answer, waits for the upgraded connection.
pub(super) async fn upgrade<S, B>(
    stream: S,
    request: Request<B>,
    judge: impl AsyncFnOnce(Response<Incoming>) -> Result<Response<Incoming>, Disconnect>,
) -> Result<Upgraded, Disconnect>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| http_disconnect(&error))?;
    let exchange = async {
        let response = sender.send_request(request).await;
        let response = judge(response.map_err(|error| http_disconnect(&error))?).await?;
        let upgraded = hyper::upgrade::on(response).await;
        upgraded.map_err(|error| http_disconnect(&error))
    };
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        // The exchange describes a failure better than the connection does.
        biased;
        upgraded = &mut exchange => upgraded,
        // The connection ends with the upgrade, and then the exchange has what it needs.
        ended = connection.with_upgrades() => {
            ended.map_err(|error| http_disconnect(&error))?;
            exchange.await
        }
    }
}

/// Describes an error of HTTP itself.
pub(super) fn http_disconnect(error: &hyper::Error) -> Disconnect {
    if error.is_parse() {
        return Disconnect::retry(
            "the server at this URL does not speak HTTP: is this the relay's URL?",
        );
    }
    if error.is_incomplete_message() {
        return Disconnect::retry("it closed the connection without an answer");
    }
    Disconnect::retry(reason::of_relay(error))
}
