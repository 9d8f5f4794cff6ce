//! A request that turns its connection into another: the websocket's upgrade. Done with hyper, which
//! hands over a refusal's status and body.

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::disconnect::Disconnect;
use crate::reason;

/// Sends the request and, where `judge` takes the answer, waits for the other connection.
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
        // What the exchange says of a failure is more than what the connection does.
        biased;
        upgraded = &mut exchange => upgraded,
        // It ends with the upgrade, and then the exchange has what it needs.
        ended = connection.with_upgrades() => {
            ended.map_err(|error| http_disconnect(&error))?;
            exchange.await
        }
    }
}

/// An error of HTTP itself, in words.
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
