//! Header names on their way to the local service in the sender's letters.
//!
//! hyper writes names in lower case, unless a request carries the spelling that hyper itself keeps
//! of a request that it reads. That spelling is private to it, so it is made here by letting it
//! read a head with these names, in memory.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;

/// More names than any relay passes on: beyond it they go in lower case.
const MAX_NAMES: usize = 1024;

/// What makes a request go out under these names, each of which is a header's name.
pub(super) async fn spelling<'a>(names: impl Iterator<Item = &'a str>) -> Extensions {
    let mut head = b"GET / HTTP/1.1\r\n".to_vec();
    let mut is_needed = false;
    for name in names {
        is_needed |= name.bytes().any(|byte| byte.is_ascii_uppercase());
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": \r\n");
    }
    head.extend_from_slice(b"\r\n");
    if !is_needed {
        return Extensions::new();
    }
    let read = Arc::new(Mutex::new(Extensions::new()));
    let service = service_fn(|request: Request<Incoming>| {
        let extensions = request.into_parts().0.extensions;
        *read.lock().unwrap_or_else(PoisonError::into_inner) = extensions;
        async { Ok::<_, std::convert::Infallible>(Response::new(Empty::<Bytes>::new())) }
    });
    let connection = http1::Builder::new()
        .preserve_header_case(true)
        .keep_alive(false)
        .max_headers(MAX_NAMES)
        .serve_connection(Head(Bytes::from(head)), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "header names go out in lower case");
    }
    let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *read)
}

/// A connection on which a head comes in and nothing goes out.
struct Head(Bytes);

impl Read for Head {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let length = self.0.len().min(buffer.remaining());
        buffer.put_slice(&self.0.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl Write for Head {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_in_lower_case_need_no_spelling_and_others_get_one() {
        assert!(spelling(["host", "x-a"].into_iter()).await.is_empty());
        assert!(
            !spelling(["Host", "X-A", "x-a"].into_iter())
                .await
                .is_empty()
        );
        let many: Vec<String> = (0..300).map(|n| format!("X-{n}")).collect();
        assert!(!spelling(many.iter().map(String::as_str)).await.is_empty());
    }
}
