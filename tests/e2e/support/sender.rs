//! Sends exact bytes, since a client library would correct what a test sends wrong on purpose.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::DEADLINE;

/// An HTTP/1.1 response.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Returns the first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// Sends these bytes over a new connection and reads the
/// response. The request must ask for `connection: close`.
pub(crate) async fn send(authority: &str, request: &[u8]) -> Answer {
    let exchange = async {
        let mut stream = TcpStream::connect(authority).await.unwrap();
        // The relay may refuse a large request and close before all of it is written.
        stream.write_all(request).await.ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok();
        parse(&answer)
    };
    tokio::time::timeout(DEADLINE, exchange)
        .await
        .expect("no answer to a request")
}

/// Posts a body to an absolute URL with Podio's content type.
pub(crate) async fn form_post(url: &str, body: &[u8]) -> Answer {
    post(
        url,
        &[("content-type", "application/x-www-form-urlencoded")],
        body,
    )
    .await
}

/// Posts a body to an absolute URL with scheme `http`.
pub(crate) async fn post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let (authority, path) = split_url(url);
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    send(authority, &[request.as_bytes(), body].concat()).await
}

/// Requests a path.
pub(crate) async fn get(authority: &str, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n");
    send(authority, request.as_bytes()).await
}

/// Splits a URL with scheme `http` into authority and path.
pub(crate) fn split_url(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").expect("an http URL");
    rest.split_at(rest.find('/').expect("a path"))
}

fn parse(answer: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(answer);
    let (mut head, mut body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    // An interim response (100 Continue) precedes the final one.
    while head.starts_with("HTTP/1.1 1") {
        (head, body) = body.split_once("\r\n\r\n").unwrap_or((body, ""));
    }
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no answer, but {text:?}"));
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// Pauses, for tests about time itself.
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
