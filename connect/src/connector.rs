//! Connects to a host, either directly to one of its addresses or through a proxy.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::GaiResolver;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

use crate::connect_error::ConnectError;
use crate::proxy::{Proxy, ProxyKind};
use crate::{reason, socks, tunnel};

/// Opens connections. Cheap to clone.
///
/// The addresses of a name are tried one after the other, each for a share of the time.
/// Those of the other IP version are tried in parallel if the first does not answer within
/// a moment (RFC 8305). So a dead address takes little of the available time.
#[derive(Debug, Clone)]
pub struct Connector<R = GaiResolver> {
    direct: HttpConnector<R>,
    proxy: Option<Proxy>,
    limit: Duration,
}

impl Connector {
    /// Creates a connector that uses this proxy, or connects directly. `limit` is the maximum
    /// time to connect to all addresses of one IP version, and again the maximum time for the
    /// exchange with the proxy.
    pub fn new(proxy: Option<Proxy>, limit: Duration) -> Self {
        Self::with_resolver(GaiResolver::new(), proxy, limit)
    }
}

impl<R> Connector<R> {
    /// Creates the same connector with another resolver of names.
    pub fn with_resolver(resolver: R, proxy: Option<Proxy>, limit: Duration) -> Self {
        let mut direct = HttpConnector::new_with_resolver(resolver);
        direct.enforce_http(false);
        direct.set_nodelay(true);
        direct.set_connect_timeout(Some(limit));
        Self {
            direct,
            proxy,
            limit,
        }
    }

    /// Returns whether it uses a proxy.
    pub const fn has_proxy(&self) -> bool {
        self.proxy.is_some()
    }
}

impl<R> Connector<R>
where
    HttpConnector<R>: Service<
            Uri,
            Response = TokioIo<TcpStream>,
            Error: Into<Box<dyn Error + Send + Sync>>,
            Future: Send,
        >,
{
    /// Connects to the host of a URL.
    ///
    /// # Errors
    /// With the reason why the connection failed.
    pub async fn connect(mut self, to: Uri) -> Result<TokioIo<TcpStream>, ConnectError> {
        let Some(proxy) = self.proxy else {
            let stream = self.direct.call(to.clone()).await;
            return stream.map_err(|error| ConnectError::Direct {
                host: to.host().unwrap_or_default().to_owned(),
                source: error.into(),
            });
        };
        let stream = self.direct.call(proxy.address.clone()).await;
        let stream = stream.map_err(|error| ConnectError::ProxyAway {
            proxy: proxy.host(),
            reason: reason::words(&*error.into()),
        })?;
        let handshake = async {
            match &proxy.kind {
                ProxyKind::Http(authorization) => {
                    tunnel::open(stream, &proxy, authorization.as_ref(), &to).await
                }
                ProxyKind::Socks4 => socks::open4(stream, &proxy.address, &to).await,
                ProxyKind::Socks5(user) => {
                    socks::open5(stream, &proxy.address, user.as_ref(), &to).await
                }
            }
        };
        let in_time = timeout(self.limit, handshake).await;
        in_time.unwrap_or_else(|_| {
            Err(ConnectError::NoProxy {
                proxy: proxy.host(),
                reason: format!("no answer within {} s", self.limit.as_secs_f32()),
            })
        })
    }
}

impl<R> Service<Uri> for Connector<R>
where
    R: Clone + Send + 'static,
    HttpConnector<R>: Service<
            Uri,
            Response = TokioIo<TcpStream>,
            Error: Into<Box<dyn Error + Send + Sync>>,
            Future: Send,
        >,
{
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    /// Always ready, because each call opens a new connection.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(self.clone().connect(to))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
    use std::vec;

    use hyper_util::client::legacy::connect::dns::Name;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpSocket};
    use tokio::task::JoinSet;
    use tokio::time::Instant;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    /// Resolver that returns the same addresses for every name.
    #[derive(Clone)]
    struct FixedAddresses(Vec<SocketAddr>);

    impl Service<Name> for FixedAddresses {
        type Response = vec::IntoIter<SocketAddr>;
        type Error = std::io::Error;
        type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Name) -> Self::Future {
            std::future::ready(Ok(self.0.clone().into_iter()))
        }
    }

    /// Returns an address that neither accepts nor refuses connections, because its queue is full.
    async fn dead(address: SocketAddr) -> Option<(SocketAddr, Vec<TcpStream>, TcpListener)> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        };
        let socket = socket.ok()?;
        socket.bind(address).ok()?;
        let listener = socket.listen(1).ok()?;
        let address = listener.local_addr().ok()?;
        let mut queued = Vec::new();
        loop {
            match timeout(Duration::from_secs(3), TcpStream::connect(address)).await {
                Ok(stream) => queued.push(stream.unwrap()),
                Err(_) => return Some((address, queued, listener)),
            }
        }
    }

    async fn connect_past_dead(ip: SocketAddr) -> Option<Duration> {
        let (dead, _queued, _listener) = dead(ip).await?;
        let good = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addresses = vec![dead, good.local_addr().unwrap()];
        let connector = Connector::with_resolver(FixedAddresses(addresses), None, LIMIT);
        let began = Instant::now();
        // The URL has no port, so that those of the addresses are used.
        let stream = connector
            .connect(Uri::from_static("http://hooks.test/"))
            .await;
        assert_eq!(
            stream.unwrap().inner().peer_addr().unwrap(),
            good.local_addr().unwrap()
        );
        Some(began.elapsed())
    }

    #[tokio::test]
    async fn a_dead_address_does_not_take_the_whole_time() {
        let took = connect_past_dead((Ipv4Addr::LOCALHOST, 0).into())
            .await
            .unwrap();
        assert!(took >= Duration::from_secs(1), "it was dead: {took:?}");
        // Skipped if this machine has no IPv6.
        connect_past_dead((Ipv6Addr::LOCALHOST, 0).into()).await;
    }

    /// Starts a proxy that reads once before each of its answers. The task returns what it read.
    async fn proxy(answers: Vec<&'static [u8]>) -> (SocketAddr, JoinSet<Vec<Vec<u8>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut asked = JoinSet::new();
        asked.spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            for answer in answers {
                let mut bytes = vec![0; 1_024];
                let length = stream.read(&mut bytes).await.unwrap();
                bytes.truncate(length);
                asked.push(bytes);
                stream.write_all(answer).await.unwrap();
            }
            asked
        });
        (address, asked)
    }

    async fn through(proxy: &str, to: &'static str) -> Result<TokioIo<TcpStream>, ConnectError> {
        let connector = Connector::new(Some(proxy.parse().unwrap()), LIMIT);
        connector.connect(Uri::from_static(to)).await
    }

    #[tokio::test]
    async fn an_http_proxy_is_asked_with_its_password() {
        let (address, mut asked) = proxy(vec![b"HTTP/1.1 200 yes\r\n\r\n"]).await;
        let stream = through(
            &format!("http://ada:p%40ss@{address}"),
            "https://hooks.test/x",
        )
        .await;
        assert_eq!(stream.unwrap().inner().peer_addr().unwrap(), address);
        let asked = String::from_utf8(asked.join_next().await.unwrap().unwrap().remove(0)).unwrap();
        assert!(
            asked.starts_with("CONNECT hooks.test:443 HTTP/1.1\r\n"),
            "{asked}"
        );
        assert!(asked.contains("Basic YWRhOnBAc3M="), "{asked}");
    }

    #[tokio::test]
    async fn a_socks_proxy_is_told_the_name_and_given_the_password() {
        // RFC 1928 and 1929: method selected, password accepted, connection opened.
        let answers: Vec<&[u8]> = vec![&[5, 2], &[1, 0], &[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]];
        let (address, mut asked) = proxy(answers).await;
        let stream = through(
            &format!("socks5://ada:p%40ss@{address}"),
            "https://hooks.test/",
        )
        .await;
        stream.unwrap();
        let asked = asked.join_next().await.unwrap().unwrap();
        assert_eq!(asked[0], [5, 1, 2]);
        assert_eq!(asked[1], b"\x01\x03ada\x04p@ss");
        assert_eq!(asked[2], b"\x05\x01\x00\x03\x0ahooks.test\x01\xbb");

        let (address, mut asked) = proxy(vec![&[5, 0], &[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]]).await;
        through(&format!("socks5h://{address}"), "http://hooks.test/")
            .await
            .unwrap();
        assert!(
            asked.join_next().await.unwrap().unwrap()[1].ends_with(&[0, 80]),
            "the port of http"
        );
        let (address, mut asked) = proxy(vec![&[0, 90, 0, 80, 0, 0, 0, 0]]).await;
        through(&format!("socks4a://{address}"), "http://hooks.test/")
            .await
            .unwrap();
        let asked = asked.join_next().await.unwrap().unwrap().remove(0);
        assert!(asked.starts_with(&[4, 1, 0, 80]), "{asked:?}");
        assert!(asked.ends_with(b"hooks.test\0"), "{asked:?}");
    }

    #[tokio::test]
    async fn a_refusal_says_what_the_proxy_did_and_what_helps() {
        for (kind, answer, said) in [
            (
                "http",
                &b"HTTP/1.1 403 no\r\n\r\n"[..],
                "the proxy does not allow connections to hooks.test (403)",
            ),
            (
                "http",
                b"HTTP/1.1 407 who\r\n\r\n",
                "the proxy requires a user and a password",
            ),
            (
                "http",
                b"HTTP/1.1 502 bad\r\n\r\n",
                "the proxy cannot reach hooks.test (502)",
            ),
            (
                "http",
                b"HTTP/1.1 404 what\r\n\r\n",
                "answered 404 Not Found: is this the proxy's URL?",
            ),
            (
                "http",
                b"SSH-2.0-OpenSSH\r\n",
                "does not answer as a proxy: it does not speak HTTP",
            ),
            ("http", b"", "it closed the connection without an answer"),
            (
                "http",
                b"HTTP/1.1 200 yes\r\n\r\nhello",
                "it sent data before the connection was used",
            ),
            (
                "socks5",
                &[5, 255],
                "the proxy cannot connect to hooks.test",
            ),
            (
                "socks5",
                b"HTTP/1.1 400 no\r\n\r\n",
                "the proxy cannot connect to hooks.test",
            ),
        ] {
            let (address, _asked) = proxy(vec![answer]).await;
            let refused = through(&format!("{kind}://{address}"), "https://hooks.test/").await;
            let told = refused.unwrap_err().to_string();
            assert!(told.contains(said), "{told}");
        }
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("socks5://{}", silent.local_addr().unwrap());
        let brief = Duration::from_millis(500);
        let connector = Connector::new(Some(proxy.parse().unwrap()), brief);
        let hung = connector.connect(Uri::from_static("https://hooks.test/"));
        let told = hung.await.unwrap_err().to_string();
        assert!(
            told.ends_with("does not answer as a proxy: no answer within 0.5 s"),
            "{told}"
        );

        // Bound, so that no other test gets the port, but not listening.
        let gone = TcpSocket::new_v4().unwrap();
        gone.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = gone.local_addr().unwrap();
        let away = through(&format!("http://{address}"), "https://hooks.test/").await;
        assert_eq!(
            away.unwrap_err().to_string(),
            format!("the proxy {address} cannot be reached: connection refused")
        );
    }
}
