//! Checks the HTTP upgrade to a websocket, then the agent's hello. An invalid request is
//! refused with its reason.

use std::time::Duration;

use futures_util::StreamExt as _;
use http::header::{self, HeaderMap, HeaderName};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use podtap_wire::{AgentFrame, ConnectRefusal, DecodedFrame, Hello, RefusalKind, version};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::end::End;
use super::socket::SessionSocket;
use crate::answer::{HttpAnswer, full};

/// Content of a valid upgrade request.
#[derive(Debug)]
pub(super) struct Upgrade {
    pub(super) token: String,
    accept_key: String,
    protocol: &'static str,
}

impl Upgrade {
    /// Checks everything that needs no database.
    pub(super) fn parse<B>(request: &Request<B>) -> Result<Self, ConnectRefusal> {
        let headers = request.headers();
        let key = headers.get(header::SEC_WEBSOCKET_KEY);
        let is_upgrade = request.method() == Method::GET
            && has_token(headers, &header::CONNECTION, "upgrade")
            && has_token(headers, &header::UPGRADE, "websocket")
            && has_token(headers, &header::SEC_WEBSOCKET_VERSION, "13");
        let Some(key) = key.filter(|_| is_upgrade) else {
            return Err(malformed_refusal(
                "this URL is for agents: it expects a websocket upgrade",
            ));
        };
        let offered = headers
            .get(header::SEC_WEBSOCKET_PROTOCOL)
            .map(HeaderValue::to_str);
        let offered = offered.and_then(Result::ok).unwrap_or_default();
        let protocol = version::choose(offered).map_err(|error| ConnectRefusal {
            kind: RefusalKind::Version,
            message: error.to_string(),
        })?;
        Ok(Self {
            token: bearer(headers)
                .ok_or_else(|| refused_token("a token is required to connect"))?,
            accept_key: derive_accept_key(key.as_bytes()),
            protocol,
        })
    }

    /// Returns the 101 that opens the websocket.
    pub(super) fn accept(&self) -> Response<HttpAnswer> {
        let mut answer = Response::new(HttpAnswer::default());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = answer.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(
            header::SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(self.protocol),
        );
        if let Ok(accept) = HeaderValue::from_str(&self.accept_key) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        answer
    }
}

/// Reads the first frame of an agent.
pub(super) async fn hello(socket: &mut SessionSocket, limit: Duration) -> Result<Hello, End> {
    let first = timeout(limit, async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return other,
            }
        }
    });
    match first.await {
        Err(_) => Err(End::Protocol("no hello in time".to_owned())),
        Ok(Some(Ok(Message::Text(text)))) => match AgentFrame::decode_text(&text) {
            Ok(DecodedFrame::Frame(AgentFrame::Hello(hello))) => Ok(hello),
            Ok(_) => Err(End::Protocol("the first frame is not a hello".to_owned())),
            Err(error) => Err(End::Protocol(format!("the hello cannot be read: {error}"))),
        },
        Ok(Some(Ok(Message::Binary(_)))) => {
            Err(End::Protocol("the first frame is not a hello".to_owned()))
        }
        Ok(_) => Err(End::Gone),
    }
}

/// Returns the bearer token of a request, valid or not.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| token.trim().to_owned())
}

/// Converts a refusal to its HTTP answer.
pub(crate) fn refuse(refusal: &ConnectRefusal) -> Response<HttpAnswer> {
    let body = serde_json::to_vec(refusal).unwrap_or_default();
    let mut answer = Response::new(full(body.into()));
    *answer.status_mut() =
        StatusCode::from_u16(refusal.kind.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    match refusal.kind {
        RefusalKind::Token => {
            let scheme = HeaderValue::from_static("Bearer");
            answer
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        RefusalKind::Unavailable => {
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        _ => {}
    }
    answer
}

pub(crate) fn refused_token(message: &str) -> ConnectRefusal {
    ConnectRefusal {
        kind: RefusalKind::Token,
        message: message.to_owned(),
    }
}

pub(crate) fn unavailable(message: &str) -> ConnectRefusal {
    ConnectRefusal {
        kind: RefusalKind::Unavailable,
        message: message.to_owned(),
    }
}

fn malformed_refusal(message: &str) -> ConnectRefusal {
    ConnectRefusal {
        kind: RefusalKind::Malformed,
        message: message.to_owned(),
    }
}

/// Returns whether the header's comma-separated list contains this token.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(change: impl FnOnce(&mut HeaderMap)) -> Result<Upgrade, ConnectRefusal> {
        let mut request = Request::builder()
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "WebSocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-protocol", "podtap.v1")
            .header("authorization", "bearer pt_x")
            .body(())
            .unwrap();
        change(request.headers_mut());
        Upgrade::parse(&request)
    }

    #[test]
    fn a_whole_upgrade_is_accepted_with_the_key_of_rfc_6455() {
        let upgrade = request(|_| {}).unwrap();
        assert_eq!(upgrade.token, "pt_x");
        let answer = upgrade.accept();
        assert_eq!(
            answer.headers()["sec-websocket-accept"],
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        assert_eq!(answer.headers()["sec-websocket-protocol"], "podtap.v1");
    }

    #[test]
    fn each_missing_part_is_refused_by_its_kind() {
        for (name, kind) in [
            ("connection", RefusalKind::Malformed),
            ("upgrade", RefusalKind::Malformed),
            ("sec-websocket-key", RefusalKind::Malformed),
            ("sec-websocket-version", RefusalKind::Malformed),
            ("sec-websocket-protocol", RefusalKind::Version),
            ("authorization", RefusalKind::Token),
        ] {
            let refusal = request(|headers| drop(headers.remove(name))).unwrap_err();
            assert_eq!(refusal.kind, kind, "{name}");
            assert_eq!(refuse(&refusal).status(), kind.status());
        }
    }
}
