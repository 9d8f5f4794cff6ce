//! The sender of the end-to-end benchmark: sends a known number of
//! webhooks, each until it is accepted.
//!
//! wrk and oha count answers. This program also knows which webhooks were accepted, so that the
//! sink can be checked for exactly those. With `--rate` the loop is open: the latency of a webhook
//! includes its wait for a free connection.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Parser;
use http::{Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use podtap_bench::mark::TimeMark;
use podtap_bench::{Histogram, now_ns};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep, sleep_until};

#[derive(Debug, Parser)]
#[command(about = "Sends webhooks, each until it is accepted")]
struct PostOptions {
    /// Target: the complete URL of a hook
    url: Uri,
    /// Number of webhooks
    #[arg(long, default_value_t = 1000)]
    events: u64,
    /// Kept-alive connections
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Webhooks per second over all connections; without it, as fast as they are answered
    #[arg(long)]
    rate: Option<f64>,
    /// Bytes of each body
    #[arg(long, default_value_t = 300)]
    body: usize,
    /// Distinct items among the events
    #[arg(long, default_value_t = u64::MAX)]
    objects: u64,
    /// Give up after this many seconds
    #[arg(long, default_value_t = 60)]
    limit_s: u64,
}

/// The state that the senders share. They all run on one thread.
#[derive(Debug)]
struct PostRun {
    options: PostOptions,
    start: Instant,
    next: Cell<u64>,
    refused: Cell<u64>,
    answered: RefCell<Histogram>,
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "the result, for the benchmark script")]
async fn main() -> anyhow::Result<()> {
    let options = PostOptions::parse();
    let limit = Duration::from_secs(options.limit_s);
    let run = Rc::new(PostRun {
        options,
        start: Instant::now(),
        next: Cell::new(0),
        refused: Cell::new(0),
        answered: RefCell::default(),
    });
    let all = LocalSet::new();
    tokio::time::timeout(limit, all.run_until(send_all(Rc::clone(&run))))
        .await
        .context("not all were accepted in time")??;
    println!(
        "{}",
        serde_json::json!({
            "accepted": run.options.events,
            "refused": run.refused.get(),
            "seconds": run.start.elapsed().as_secs_f64(),
            "answer": run.answered.borrow().to_json(),
        })
    );
    Ok(())
}

async fn send_all(run: Rc<PostRun>) -> anyhow::Result<()> {
    let mut senders = JoinSet::new();
    for _ in 0..run.options.connections {
        senders.spawn_local(send_some(Rc::clone(&run)));
    }
    while let Some(ended) = senders.join_next().await {
        ended??;
    }
    Ok(())
}

/// Runs one connection: sends the next number until there are none left.
async fn send_some(run: Rc<PostRun>) -> anyhow::Result<()> {
    let mut connection = PostConnection::open(&run.options.url).await?;
    loop {
        let number = run.next.get();
        if number >= run.options.events {
            return Ok(());
        }
        run.next.set(number + 1);
        let mark = TimeMark {
            number,
            sent_ns: run.wait_for_turn(number).await,
        };
        let body = Bytes::from(mark.body(run.options.objects, run.options.body));
        while !connection.post(&run.options.url, body.clone()).await? {
            run.refused.set(run.refused.get() + 1);
            sleep(Duration::from_millis(20)).await;
        }
        let took = now_ns().saturating_sub(mark.sent_ns);
        run.answered.borrow_mut().record(Duration::from_nanos(took));
    }
}

impl PostRun {
    /// Waits until a webhook is due, and returns when it was due. The delay of the
    /// timer is not part of the latency.
    async fn wait_for_turn(&self, number: u64) -> u64 {
        let Some(rate) = self.options.rate else {
            return now_ns();
        };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let due = self.start + Duration::from_secs_f64(number as f64 / rate);
        let late = due.elapsed();
        if late.is_zero() {
            sleep_until(due).await;
            return now_ns();
        }
        now_ns().saturating_sub(u64::try_from(late.as_nanos()).unwrap_or_default())
    }
}

struct PostConnection {
    sender: SendRequest<Full<Bytes>>,
    /// Aborts the task of the connection when it is dropped.
    _driver: JoinSet<()>,
}

impl PostConnection {
    async fn open(url: &Uri) -> anyhow::Result<Self> {
        let authority = url.authority().context("the URL has no host")?;
        let stream = TcpStream::connect(authority.as_str()).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn_local(async move {
            let _closed = connection.await;
        });
        Ok(Self {
            sender,
            _driver: driver,
        })
    }

    /// Returns whether the webhook was accepted. If not, for example after
    /// a 503, it must be sent again.
    async fn post(&mut self, url: &Uri, body: Bytes) -> anyhow::Result<bool> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(url.path())
            .header(header::HOST, url.authority().map_or("", |a| a.as_str()))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(body))?;
        if self.sender.ready().await.is_err() {
            *self = Self::open(url).await?;
        }
        let Ok(response) = self.sender.send_request(request).await else {
            return Ok(false);
        };
        let status = response.status();
        if response.into_body().collect().await.is_err() {
            return Ok(false);
        }
        if status.is_client_error() {
            bail!("answered {status}");
        }
        Ok(status.is_success())
    }
}
