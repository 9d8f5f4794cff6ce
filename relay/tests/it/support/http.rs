//! Implements HTTP/1.1 over a plain socket: the test decides every byte.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::within;

/// An answer as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection that stays open between requests.
pub(crate) struct Connection<S = TcpStream> {
    stream: S,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
            buffer: Vec::new(),
        }
    }

    /// Connects from another address of this machine, such as 127.0.0.2, which counts as
    /// another peer.
    pub(crate) async fn open_from(source: &str, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
        Self {
            stream: socket.connect(address).await.unwrap(),
            buffer: Vec::new(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Uses a stream that is already open.
    pub(crate) fn over(stream: S) -> Self {
        let buffer = Vec::new();
        Self { stream, buffer }
    }

    /// Closes the sending side only.
    pub(crate) async fn close_half(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends as much as the other side accepts.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Returns the next answer; `method` decides whether it may have a body.
    pub(crate) async fn reply(&mut self, method: &str) -> Reply {
        within("an answer", async {
            let end = loop {
                if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                    break at + 4;
                }
                assert!(
                    self.read_more().await > 0,
                    "closed before an answer: {:?}",
                    self.buffer
                );
            };
            let head = String::from_utf8(self.buffer.drain(..end).collect()).unwrap();
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            let mut reply = Reply {
                status,
                head,
                body: Vec::new(),
            };
            let length = reply
                .header("content-length")
                .map_or(0, |n| n.parse().unwrap());
            if method != "HEAD" && status >= 200 {
                while self.buffer.len() < length {
                    assert!(self.read_more().await > 0, "closed within an answer");
                }
                reply.body = self.buffer.drain(..length).collect();
            }
            reply
        })
        .await
    }

    /// Waits until the other side has closed, and returns the bytes that it sent before.
    pub(crate) async fn read_until_closed(&mut self) -> Vec<u8> {
        within("the end of a connection", async {
            while self.read_more().await > 0 {}
            std::mem::take(&mut self.buffer)
        })
        .await
    }

    async fn read_more(&mut self) -> usize {
        self.stream.read_buf(&mut self.buffer).await.unwrap_or(0)
    }
}

/// Sends a whole request on a new connection and returns the answer.
pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> Reply {
    let mut connection = Connection::open(address).await;
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: relay.test\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    connection.try_send([head.as_bytes(), body].concat()).await;
    connection.reply(method).await
}

pub(crate) async fn post(address: SocketAddr, path: &str, body: impl AsRef<[u8]>) -> Reply {
    request(address, "POST", path, "", body.as_ref()).await
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Reply {
    request(address, "GET", path, "", b"").await
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len())
        .position(|window| window == needle)
}
