//! A bad network: forwards bytes between an agent and its relay, and on request
//! ends connections after a random number of bytes or holds all bytes back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Maximum number of bytes after which a connection is cut while the line is bad.
const MOST_BYTES: u64 = 60_000;

#[derive(Default)]
struct State {
    is_bad: AtomicBool,
    holds: AtomicBool,
    random: AtomicU64,
}

/// A running line; it ends when it is dropped.
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    cuts: watch::Sender<u64>,
    _serving: JoinSet<()>,
}

impl Line {
    pub(crate) async fn to(relay: String, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        state.random.store(seed | 1, Ordering::Relaxed);
        let cuts = watch::Sender::new(0);
        let mut serving = JoinSet::new();
        let (shared, told) = (Arc::clone(&state), cuts.clone());
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let (shared, cut, relay) = (Arc::clone(&shared), told.subscribe(), relay.clone());
                connections.spawn(async move {
                    if let Ok(far) = TcpStream::connect(&relay).await {
                        pass_on(near, far, &shared, cut).await;
                    }
                });
            }
        });
        Self {
            address,
            state,
            cuts,
            _serving: serving,
        }
    }

    /// Ends all connections, and sets whether new ones end after some bytes.
    pub(crate) fn is_bad(&self, bad: bool) {
        self.state.is_bad.store(bad, Ordering::Relaxed);
        self.cut_connections();
    }

    /// Ends all connections.
    pub(crate) fn cut_connections(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Forwards nothing for a while, without closing connections.
    pub(crate) async fn hold(&self, time: Duration) {
        self.state.holds.store(true, Ordering::Relaxed);
        tokio::time::sleep(time).await;
        self.state.holds.store(false, Ordering::Relaxed);
    }
}

async fn pass_on(
    mut near: TcpStream,
    mut far: TcpStream,
    state: &State,
    mut cut: watch::Receiver<u64>,
) {
    let step = |random: u64| {
        random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1)
    };
    let before = state
        .random
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |r| Some(step(r)));
    let mut left = if state.is_bad.load(Ordering::Relaxed) {
        (before.unwrap_or(1) >> 33) % MOST_BYTES
    } else {
        u64::MAX
    };
    cut.mark_unchanged();
    let (mut up, mut down) = (vec![0; 4096], vec![0; 4096]);
    loop {
        let passed = tokio::select! {
            _ = cut.changed() => return,
            read = near.read(&mut up) => pass(read, &up, &mut far, left, state).await,
            read = far.read(&mut down) => pass(read, &down, &mut near, left, state).await,
        };
        match passed {
            Some(bytes) if bytes < left => left -= bytes,
            _ => return,
        }
    }
}

/// Returns the number of forwarded bytes; `None` at the end.
async fn pass(
    read: std::io::Result<usize>,
    bytes: &[u8],
    to: &mut TcpStream,
    left: u64,
    state: &State,
) -> Option<u64> {
    let count = read.ok().filter(|count| *count > 0)?;
    while state.holds.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
    to.write_all(&bytes[..count]).await.ok()?;
    Some(count as u64)
}
