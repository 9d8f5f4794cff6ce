//! Sends one request to a relay and reads the whole answer, on a separate connection.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use podtap_connect::reason;
use tokio::io::{AsyncRead, AsyncWrite};

use super::disconnect::Disconnect;
use super::upgrade::http_disconnect;

/// Maximum size of an answer: far more than a hundred tunnels need.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// Sends one request on a separate connection and returns the whole answer.
pub(super) async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, Disconnect>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| http_disconnect(&error))?;
    let answer = async {
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| http_disconnect(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER_BYTES).collect();
        let body = body
            .await
            .map_err(|error| Disconnect::retry(reason::words(&*error)))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    };
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        // The rest of the answer has arrived.
        ended = connection => {
            ended.map_err(|error| http_disconnect(&error))?;
            answer.await
        }
    }
}
