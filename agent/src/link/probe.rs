//! Tests the connection to a relay step by step, to show where it fails. It does not take a tunnel:
//! a websocket on which no hello is sent is not an agent's.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::Full;
use jiff::Timestamp;
use podtap_connect::tls::{self, Trust};
use podtap_wire::manage::{READY_PATH, RELAY_HEADER};
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::dial::{DialError, Dialer, LinkSocket, not_of_a_relay};
use super::disconnect::{Disconnect, Stop};
use crate::amount;
use crate::config::LinkConfig;

/// Maximum time for closing a websocket; its result does not matter.
const CLOSE_LIMIT: Duration = Duration::from_millis(500);

/// Tests the connection to one relay. Each step makes a new connection.
#[derive(Debug)]
pub struct RelayProbe {
    dialer: Dialer,
}

/// The result of the TLS handshake with a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsProbe {
    /// Number of certificates that the relay sent, its own included.
    pub chain: usize,
    /// End of the validity of the relay's own certificate, if it can be determined.
    pub valid_until: Option<Timestamp>,
}

/// What a relay reports about itself without a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Name and version; `None` for a relay before 0.2, which does not report them.
    pub server: Option<String>,
    /// Why the relay accepts no webhooks, in its words; `None` if it accepts them.
    pub not_ready: Option<String>,
    /// The relay's clock.
    pub date: Option<Timestamp>,
}

/// Why a websocket cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebsocketFault {
    /// The websocket was not opened.
    #[error("{0}")]
    Refused(String),
    /// The websocket was opened, but nothing comes through.
    #[error("a ping was not answered within {}", amount::limit(*.0))]
    Silent(Duration),
    /// The websocket was opened, and then ended.
    #[error("it ended after {}: {why}", amount::duration(*after))]
    Cut {
        /// How long it lasted.
        after: Duration,
        why: String,
    },
}

impl RelayProbe {
    /// Creates a probe for the relay of this link, with its proxy and its token.
    pub fn new(link: &LinkConfig, trust: &Trust) -> Result<Self, DialError> {
        let dialer = Dialer::trusting(link, trust)?;
        Ok(Self { dialer })
    }

    /// Connects with TLS; returns `None` for a relay without TLS.
    ///
    /// # Errors
    /// Returns the reason in words.
    pub async fn secure(&self) -> Result<Option<TlsProbe>, String> {
        let chain = self.dialer.chain().await.map_err(words)?;
        Ok(chain.map(|chain| TlsProbe {
            chain: chain.len(),
            valid_until: chain.first().and_then(valid_until),
        }))
    }

    /// Asks whether the relay accepts webhooks.
    ///
    /// # Errors
    /// Returns the reason in words, also if the server is not a relay.
    pub async fn ready(&self) -> Result<Readiness, String> {
        let path = self.dialer.path(READY_PATH);
        let request = self.dialer.head(Method::GET, &path);
        let request = request
            .header(header::CONNECTION, "close")
            .body(Full::new(Bytes::new()))
            .map_err(|error| error.to_string())?;
        let answer = self.dialer.ask(request).await.map_err(words)?;
        let (head, body) = answer.into_parts();
        readiness(head.status, &head.headers, &body)
    }

    /// Opens a websocket as an agent does, sends nothing on it during `silence`, and checks whether
    /// a ping is then answered within `limit`; returns the time until the answer.
    pub async fn websocket(
        &self,
        silence: Duration,
        limit: Duration,
    ) -> Result<Duration, WebsocketFault> {
        let mut socket = self
            .dialer
            .dial()
            .await
            .map_err(|end| WebsocketFault::Refused(words(end)))?;
        let began = Instant::now();
        let outcome = async {
            ping(&mut socket, began, limit).await?;
            quiet(&mut socket, began, silence).await?;
            ping(&mut socket, began, limit).await
        };
        let outcome = outcome.await;
        // Closes the websocket so that the relay does not wait for a hello.
        let _ = timeout(CLOSE_LIMIT, socket.close(None)).await;
        outcome
    }
}

/// Sends a ping and waits for its pong.
async fn ping(
    socket: &mut LinkSocket,
    began: Instant,
    limit: Duration,
) -> Result<Duration, WebsocketFault> {
    let sent = Instant::now();
    let cut = |why: String| WebsocketFault::Cut {
        after: began.elapsed(),
        why,
    };
    let answered = async {
        let ping = Message::Ping(Bytes::from_static(b"podtap"));
        socket
            .send(ping)
            .await
            .map_err(|error| cut(error.to_string()))?;
        loop {
            match socket.next().await {
                Some(Ok(Message::Pong(_))) => return Ok(sent.elapsed()),
                Some(Ok(message)) => end_of(&message).map_err(cut)?,
                Some(Err(error)) => return Err(cut(error.to_string())),
                None => return Err(cut("the connection was closed".to_owned())),
            }
        }
    };
    timeout(limit, answered)
        .await
        .unwrap_or(Err(WebsocketFault::Silent(limit)))
}

/// Sends nothing for a while, and reads whatever arrives.
async fn quiet(
    socket: &mut LinkSocket,
    began: Instant,
    silence: Duration,
) -> Result<(), WebsocketFault> {
    let until = Instant::now() + silence;
    let cut = |why: String| WebsocketFault::Cut {
        after: began.elapsed(),
        why,
    };
    loop {
        // Cancel-safe: reading a websocket loses nothing.
        tokio::select! {
            () = sleep_until(until) => return Ok(()),
            message = socket.next() => match message {
                Some(Ok(message)) => end_of(&message).map_err(cut)?,
                Some(Err(error)) => return Err(cut(error.to_string())),
                None => return Err(cut("the connection was closed".to_owned())),
            }
        }
    }
}

/// Returns an error for a close frame, and nothing for any other message.
fn end_of(message: &Message) -> Result<(), String> {
    let Message::Close(close) = message else {
        return Ok(());
    };
    Err(match close {
        Some(close) if !close.reason.is_empty() => format!("closed: {}", close.reason),
        _ => "it was closed".to_owned(),
    })
}

/// Returns what an answer shows about its server. Pure.
fn readiness(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<Readiness, String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let body = String::from_utf8_lossy(body);
    let says = body.trim();
    let server = text(RELAY_HEADER).map(str::to_owned);
    // A relay before 0.2, which does not name itself, answers with one word.
    let is_older = status.is_success() && says == "ready";
    if server.is_none() && !is_older {
        let is_page = headers.contains_key(header::LOCATION)
            || text("content-type").is_some_and(|media| media.starts_with("text/html"));
        return Err(not_of_a_relay(status, is_page));
    }
    let date = text("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    Ok(Readiness {
        server,
        not_ready: (!status.is_success()).then(|| says.to_owned()),
        date: date.map(|date| date.timestamp()),
    })
}

/// Returns until when a certificate is valid. The library that verifies certificates reports this
/// in its error for a time at which none is valid.
fn valid_until(certificate: &CertificateDer<'static>) -> Option<Timestamp> {
    tls::not_after(certificate).and_then(|seconds| Timestamp::from_second(seconds).ok())
}

/// Returns why a connection ended, in words.
fn words(end: Disconnect) -> String {
    match end {
        Disconnect::Retry { reason, .. } => reason,
        Disconnect::Stop(stop) => Stop::reason(&stop),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        let status = StatusCode::from_u16(status).unwrap();
        match readiness(status, &map, body.as_bytes()) {
            Ok(ready) => format!("{:?} {:?}", ready.server, ready.not_ready),
            Err(why) => why,
        }
    }

    #[test]
    fn a_relay_is_told_from_what_else_may_answer() {
        let named = [("podtap-relay", "podtap/9.9.9")];
        assert_eq!(
            answer(200, &named, "ready\n"),
            r#"Some("podtap/9.9.9") None"#
        );
        assert_eq!(
            answer(503, &named, "the disk is nearly full\n"),
            r#"Some("podtap/9.9.9") Some("the disk is nearly full")"#
        );
        assert_eq!(answer(200, &[], "ready\n"), "None None");
        for (status, headers, body, expected) in [
            (200, &[][..], "OK", "so it is not a relay"),
            (500, &[], "", "so it is not a relay"),
            (404, &[], "ready", "so it is not a relay"),
            (502, &[], "", "the proxy in front of the relay"),
            (
                200,
                &[("content-type", "text/html")],
                "<html>",
                "requires a login in the browser",
            ),
        ] {
            let told = answer(status, headers, body);
            assert!(told.contains(expected), "{status}: {told}");
        }
    }

    #[test]
    fn the_clock_of_a_relay_is_read_from_its_answer() {
        let mut headers = HeaderMap::new();
        let date = HeaderValue::from_static("Thu, 26 Nov 2026 08:49:37 GMT");
        headers.insert("date", date);
        let ready = readiness(StatusCode::OK, &headers, b"ready").unwrap();
        let date = ready.date.map(|date| date.to_string());
        assert_eq!(date.as_deref(), Some("2026-11-26T08:49:37Z"));
    }
}
