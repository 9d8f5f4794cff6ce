//! Keeps the upper and lower case of header names as the sender wrote them.
//!
//! hyper writes names in lower case, unless a request carries the spelling that hyper itself stores
//! for a request that it reads. The type of that spelling is private, so it is created here by
//! letting hyper read a head with these names, in memory.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;

/// Maximum number of names, more than any relay passes on; beyond it, names are sent in lower case.
const MAX_NAMES: usize = 1024;

/// Number of stored spellings: a sender writes the same
/// names each time, and few senders use one tunnel.
const KEPT: usize = 4;

/// The spellings of the heads that were sent last.
#[derive(Debug, Default)]
pub(super) struct Spellings(Mutex<VecDeque<(Bytes, Extensions)>>);

impl Spellings {
    /// Returns the extensions with which hyper writes these names. Each must be a valid header name.
    pub(super) async fn of<'a>(&self, names: impl Iterator<Item = &'a str>) -> Extensions {
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
        let known = self.lock().iter().find(|kept| kept.0 == head).cloned();
        if let Some((_, spelling)) = known {
            return spelling;
        }
        let head = Bytes::from(head);
        let spelling = read(head.clone()).await;
        let mut kept = self.lock();
        kept.truncate(KEPT - 1);
        kept.push_front((head, spelling.clone()));
        spelling
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Bytes, Extensions)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns what hyper stores about the names of this head.
async fn read(head: Bytes) -> Extensions {
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
        .serve_connection(HeadReader(head), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "header names go out in lower case");
    }
    let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *read)
}

/// A connection that yields a head and discards all output.
struct HeadReader(Bytes);

impl Read for HeadReader {
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

impl Write for HeadReader {
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
        let spellings = Spellings::default();
        let spelling = async |names: &[&str]| spellings.of(names.iter().copied()).await;
        assert!(spelling(&["host", "x-a"]).await.is_empty());
        assert!(!spelling(&["Host", "X-A", "x-a"]).await.is_empty());
        let many: Vec<String> = (0..300).map(|n| format!("X-{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(!spelling(&many).await.is_empty());
    }

    #[tokio::test]
    async fn the_last_few_spellings_are_kept() {
        let spellings = Spellings::default();
        for name in (0..2 * KEPT).map(|n| format!("X-{n}")) {
            spellings.of([name.as_str(), "Host"].into_iter()).await;
            spellings.of([name.as_str(), "Host"].into_iter()).await;
        }

        let kept = spellings.lock();
        assert_eq!(kept.len(), KEPT);
        let heads: Vec<_> = kept.iter().map(|(head, _)| &head[16..20]).collect();
        assert_eq!(heads, [b"X-7:", b"X-6:", b"X-5:", b"X-4:"]);
    }
}
