//! The listener of the page: a limited number of connections, each served
//! until it or the page ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use podtap_agent::history::SavedFilters;
use secrecy::SecretString;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::access::PageSecrets;
use crate::guard::PageGuard;
use crate::route::Site;
use crate::tunnels::PageTunnels;

/// Maximum number of connections: some browser tabs, six connections each.
/// Further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 64;

/// Maximum size of a request's head.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Maximum time for a request's head, and for a connection without requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum time for running answers when the page ends.
const GRACE: Duration = Duration::from_secs(1);

/// Pause after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// The configuration of a page.
#[derive(Debug)]
pub struct PageConfig {
    pub address: SocketAddr,
    /// The password that opens the page in addition to the token. It is required if
    /// other machines can reach the address.
    pub password: Option<SecretString>,
    /// The filters that a person has saved.
    pub saved: SavedFilters,
}

/// Why the page cannot start.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Other machines can reach the address, and there is no password.
    #[error("{0} can be reached from other machines, and there is no password")]
    Unprotected(SocketAddr),
    /// The address cannot be used.
    #[error("cannot listen on {address}")]
    Address {
        address: SocketAddr,
        source: std::io::Error,
    },
    /// The system returned no random bytes.
    #[error("the system gives no random bytes for a token")]
    Random(#[source] getrandom::Error),
}

/// A page that listens and does not answer yet.
#[derive(Debug)]
pub struct BoundPage {
    listener: TcpListener,
    link: PageLink,
}

/// A link to a page. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PageLink {
    /// Scheme, host and port.
    origin: String,
    site: Arc<Site>,
}

impl BoundPage {
    /// Listens on the configured address. The page shows these tunnels, of
    /// which there must be at least one.
    pub async fn bind(config: PageConfig, tunnels: PageTunnels) -> Result<Self, PageError> {
        let PageConfig {
            address,
            password,
            saved,
        } = config;
        if !address.ip().is_loopback() && password.is_none() {
            return Err(PageError::Unprotected(address));
        }
        let failed = |source| PageError::Address { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let access = PageSecrets::new(password).map_err(PageError::Random)?;
        let guard = PageGuard::new(address);
        let link = PageLink {
            origin: format!("http://{}", reachable(address)),
            site: Arc::new(Site::new(tunnels, saved, access, guard)),
        };
        Ok(Self { listener, link })
    }

    /// Returns the link to the page.
    pub fn link(&self) -> PageLink {
        self.link.clone()
    }

    /// Answers requests until `token` is cancelled.
    pub async fn run(self, token: CancellationToken) {
        let mut connections = JoinSet::new();
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let accept = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, self.listener.accept().await)
            };
            tokio::select! {
                () = token.cancelled() => break,
                Some(_) = connections.join_next() => {}
                (place, accepted) = accept => match accepted {
                    Ok((stream, _)) => {
                        let (site, token) = (Arc::clone(&self.link.site), token.clone());
                        connections.spawn(async move {
                            let _place = place;
                            serve(stream, site, token).await;
                        });
                    }
                    Err(error) => {
                        tracing::debug!(%error, "the web page cannot accept a connection");
                        sleep(PAUSE).await;
                    }
                },
            }
        }
        let ended = async { while connections.join_next().await.is_some() {} };
        if timeout(GRACE, ended).await.is_err() {
            connections.shutdown().await;
        }
    }
}

impl PageLink {
    /// Returns the URL to open, with the token of this run. Like the
    /// history, it must be kept secret.
    pub fn url(&self) -> String {
        self.with_token(self.site.run_token(), None)
    }

    /// Returns the URL that opens one of several tunnels.
    pub fn url_of(&self, tunnel: &str) -> String {
        self.with_token(self.site.run_token(), Some(tunnel))
    }

    /// Returns a URL that opens the page of a tunnel once, within a minute,
    /// so that other programs may see it.
    ///
    /// # Errors
    /// If the system returns no random bytes.
    pub fn one_time_url(&self, tunnel: &str) -> Result<String, PageError> {
        let token = self.site.one_time_token().map_err(PageError::Random)?;
        let tunnel = Some(tunnel).filter(|_| self.site.has_several());
        Ok(self.with_token(&token, tunnel))
    }

    fn with_token(&self, token: &str, tunnel: Option<&str>) -> String {
        let page = format!("{}/?", self.origin);
        let query_at = page.len();
        let mut query = form_urlencoded::Serializer::for_suffix(page, query_at);
        query.append_pair("token", token);
        if let Some(tunnel) = tunnel {
            query.append_pair("tunnel", tunnel);
        }
        query.finish()
    }
}

async fn serve(stream: TcpStream, site: Arc<Site>, token: CancellationToken) {
    let ending = token.clone();
    let service = service_fn(move |request| {
        let (site, ending) = (Arc::clone(&site), ending.clone());
        async move { Ok::<_, Infallible>(site.answer(request, ending).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = token.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the web page ended early");
    }
}

/// Returns an address of this machine instead of an unspecified address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    address
}
