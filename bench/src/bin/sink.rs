//! The local service of the benchmarks: answers 200 to every request and counts the requests.
//!
//! `GET /count` returns the number of POSTs, `GET /report` a JSON object: `posts`, `distinct`
//! (bodies with different [`TimeMark`]s) and the time from sending to arrival. `GET /reset`
//! resets all counts. The program has one thread, so that it uses little of the machine that it
//! shares with the measured programs.

use std::cell::RefCell;
use std::collections::HashSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use clap::Parser;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use podtap_bench::mark::TimeMark;
use podtap_bench::{Histogram, now_ns};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinSet, LocalSet};

#[derive(Debug, Parser)]
#[command(about = "A local service that counts what reaches it")]
struct SinkOptions {
    /// Address to listen on
    listen: SocketAddr,
}

#[derive(Debug, Default)]
struct SinkCounts {
    posts: u64,
    numbers: HashSet<u64>,
    latency: Histogram,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = SinkOptions::parse();
    let listener = TcpListener::bind(options.listen).await?;
    LocalSet::new().run_until(accept(listener)).await
}

async fn accept(listener: TcpListener) -> anyhow::Result<()> {
    let seen = Rc::<RefCell<SinkCounts>>::default();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn_local(serve(stream, Rc::clone(&seen)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves a connection. An error on it is ignored, because only complete requests are counted.
async fn serve(stream: TcpStream, seen: Rc<RefCell<SinkCounts>>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(|request| answer(request, Rc::clone(&seen)));
    let _closed = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    seen: Rc<RefCell<SinkCounts>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let is_post = request.method() == Method::POST;
    let path = request.uri().path().to_owned();
    // Nothing is borrowed from `seen` across this await, so that connections can share it.
    let Ok(body) = request.into_body().collect().await else {
        return Ok(Response::default());
    };
    let mut seen = seen.borrow_mut();
    let text = match path.as_str() {
        _ if is_post => {
            seen.record(&body.to_bytes());
            String::new()
        }
        "/count" => seen.posts.to_string(),
        "/report" => seen.report(),
        "/reset" => {
            *seen = SinkCounts::default();
            String::new()
        }
        _ => String::new(),
    };
    Ok(Response::new(Full::from(text)))
}

impl SinkCounts {
    fn record(&mut self, body: &[u8]) {
        self.posts += 1;
        if let Some(mark) = TimeMark::find(body)
            && self.numbers.insert(mark.number)
        {
            let late = now_ns().saturating_sub(mark.sent_ns);
            self.latency.record(Duration::from_nanos(late));
        }
    }

    fn report(&self) -> String {
        serde_json::json!({
            "posts": self.posts,
            "distinct": self.numbers.len(),
            "latency": self.latency.to_json(),
        })
        .to_string()
    }
}
