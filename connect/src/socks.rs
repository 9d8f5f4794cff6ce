//! Opens connections through a SOCKS proxy. hyper-util implements both versions.

use std::error::Error;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::proxy::{SocksV4, SocksV5};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::connect_error::ConnectError;

/// Opens a connection to `to` over `stream`, a connection to a SOCKS 4 proxy.
pub(crate) async fn open4(
    stream: TokioIo<TcpStream>,
    proxy: &Uri,
    to: &Uri,
) -> Result<TokioIo<TcpStream>, ConnectError> {
    let mut socks = SocksV4::new(proxy.clone(), ProxyStream(Some(stream)));
    socks
        .call(with_port(to))
        .await
        .map_err(|error| to_error(&error, to))
}

/// Opens a connection to `to` over `stream`, a connection to a SOCKS 5 proxy.
pub(crate) async fn open5(
    stream: TokioIo<TcpStream>,
    proxy: &Uri,
    user: Option<&(String, String)>,
    to: &Uri,
) -> Result<TokioIo<TcpStream>, ConnectError> {
    let mut socks = SocksV5::new(proxy.clone(), ProxyStream(Some(stream)));
    if let Some((user, password)) = user {
        socks = socks.with_auth(user.clone(), password.clone());
    }
    socks
        .call(with_port(to))
        .await
        .map_err(|error| to_error(&error, to))
}

/// Adds the port, because the library assumes the port of TLS for a URL without one.
fn with_port(to: &Uri) -> Uri {
    let host = to
        .host()
        .filter(|_| to.port().is_none() && to.scheme_str() == Some("http"));
    let Some(host) = host else { return to.clone() };
    let spelt_out = Uri::builder()
        .scheme("http")
        .authority(format!("{host}:80"))
        .path_and_query("/");
    spelt_out.build().unwrap_or_else(|_| to.clone())
}

fn to_error(error: &dyn Error, to: &Uri) -> ConnectError {
    let said = error.to_string();
    ConnectError::Socks {
        host: to.host().unwrap_or_default().to_owned(),
        reason: said
            .strip_prefix("SOCKS error: ")
            .unwrap_or(&said)
            .to_owned(),
    }
}

/// Passes the existing connection to the proxy to the library. The connection is opened
/// before, because this module reports errors of connecting better than the library.
struct ProxyStream(Option<TokioIo<TcpStream>>);

/// The library asked for a second connection.
#[derive(Debug, thiserror::Error)]
#[error("there is one connection only")]
struct AlreadyTaken;

impl Service<Uri> for ProxyStream {
    type Response = TokioIo<TcpStream>;
    type Error = AlreadyTaken;
    type Future = Ready<Result<Self::Response, AlreadyTaken>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), AlreadyTaken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or(AlreadyTaken))
    }
}
