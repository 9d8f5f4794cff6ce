//! Tries each address of a name separately. An agent would stop
//! at the first one that works and not report that another fails.

use std::net::SocketAddr;
use std::time::Duration;

use podtap_agent::amount;
use podtap_connect::io_words;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// Maximum number of addresses that are tried.
const MAX_ADDRESSES: usize = 8;

/// Maximum time for each address.
const TRY_LIMIT: Duration = Duration::from_secs(3);

/// How long a connection stays open, to see whether the other side closes it at once.
const KEPT_FOR: Duration = Duration::from_millis(200);

/// An address and the result of connecting to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReachAttempt {
    pub(super) address: SocketAddr,
    /// The connection, or why it failed.
    pub(super) outcome: Result<Open, String>,
}

/// An open connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) took: Duration,
    /// Whether the other side closed it without sending a byte.
    pub(super) is_closed: bool,
}

/// Tries all addresses in parallel; the results are in the order of the addresses.
pub(super) async fn try_all(addresses: &[SocketAddr]) -> Vec<ReachAttempt> {
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

async fn try_one(address: SocketAddr) -> ReachAttempt {
    let began = Instant::now();
    let outcome = match timeout(TRY_LIMIT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => {
            let took = began.elapsed();
            let is_closed = timeout(KEPT_FOR, is_closed(&stream)).await.unwrap_or(false);
            Ok(Open { took, is_closed })
        }
        Ok(Err(error)) => Err(io_words(&error)),
        Err(_) => Err(format!("no answer within {}", amount::limit(TRY_LIMIT))),
    };
    ReachAttempt { address, outcome }
}

/// Waits until the other side closes the connection or sends something; returns whether it closed.
async fn is_closed(stream: &TcpStream) -> bool {
    matches!(stream.peek(&mut [0]).await, Ok(0) | Err(_))
}

/// Lists the failed addresses in one line.
pub(super) fn failures(tried: &[ReachAttempt]) -> String {
    let failed = tried.iter().filter_map(|tried| {
        let why = tried.outcome.as_ref().err()?;
        Some(format!("{}: {why}", tried.address))
    });
    failed.collect::<Vec<_>>().join(", ")
}
