//! Which addresses take connections: each tried by itself, as an agent that finds one that works
//! would never say that another does not.

use std::net::SocketAddr;
use std::time::Duration;

use podtap_connect::io_words;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// Addresses of a name that are tried, at most.
const MAX_ADDRESSES: usize = 8;

/// The longest wait for one of them.
const TRY_LIMIT: Duration = Duration::from_secs(3);

/// How long a connection is kept open, to see whether the other side closes it at once.
const KEPT_FOR: Duration = Duration::from_millis(200);

/// An address, and what came of trying it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tried {
    pub(super) address: SocketAddr,
    /// Why there is no connection, in words.
    pub(super) outcome: Result<Open, String>,
}

/// A connection that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) took: Duration,
    /// The other side closed it without a byte.
    pub(super) is_closed: bool,
}

/// Tries all of them side by side; the answers are in the order of the addresses.
pub(super) async fn try_all(addresses: &[SocketAddr]) -> Vec<Tried> {
    let mut trying = JoinSet::new();
    for (place, &address) in addresses.iter().take(MAX_ADDRESSES).enumerate() {
        trying.spawn(async move { (place, try_one(address).await) });
    }
    let mut all = Vec::new();
    while let Some(tried) = trying.join_next().await {
        all.extend(tried);
    }
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, tried)| tried).collect()
}

async fn try_one(address: SocketAddr) -> Tried {
    let began = Instant::now();
    let outcome = match timeout(TRY_LIMIT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => {
            let took = began.elapsed();
            let is_closed = timeout(KEPT_FOR, is_closed(&stream)).await.unwrap_or(false);
            Ok(Open { took, is_closed })
        }
        Ok(Err(error)) => Err(io_words(&error)),
        Err(_) => Err(format!("no answer within {} s", TRY_LIMIT.as_secs())),
    };
    Tried { address, outcome }
}

/// Resolves when the other side closes the connection, or sends something.
async fn is_closed(stream: &TcpStream) -> bool {
    matches!(stream.peek(&mut [0]).await, Ok(0) | Err(_))
}

/// What did not work, for a line.
pub(super) fn failures(tried: &[Tried]) -> String {
    let failed = tried.iter().filter_map(|tried| {
        let why = tried.outcome.as_ref().err()?;
        Some(format!("{}: {why}", tried.address))
    });
    failed.collect::<Vec<_>>().join(", ")
}
