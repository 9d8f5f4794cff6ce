//! The way through a proxy (CONNECT), and what its refusals mean to a person.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service as _;
use url::Url;

use super::disconnect::Disconnect;
use super::upgrade::upgraded;
use crate::reason;

/// A proxy of the network.
pub(super) struct Proxy {
    address: Uri,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    /// `None` where the URL is not one of a proxy that is known here.
    pub(super) fn new(url: &Url) -> Option<Self> {
        if url.scheme() != "http" {
            return None;
        }
        let authority = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
        let address = Uri::builder()
            .scheme("http")
            .authority(authority)
            .path_and_query("/")
            .build()
            .ok()?;
        let authorization = if url.username().is_empty() {
            None
        } else {
            Some(basic(url)?)
        };
        Some(Self {
            address,
            authorization,
        })
    }

    /// A connection to the endpoint, through the proxy.
    pub(super) async fn connect(
        &self,
        mut connector: HttpConnector,
        endpoint: &Uri,
    ) -> Result<TcpStream, Disconnect> {
        let stream = connector
            .call(self.address.clone())
            .await
            .map_err(|error| Disconnect::retry(format!("the proxy: {}", reason::words(&error))))?;
        let request = self.request(endpoint);
        let request = request.map_err(|error| Disconnect::retry(error.to_string()))?;
        let tunnel = upgraded(stream.into_inner(), request, judge)
            .await
            .map_err(|end| end.about("the proxy"))?;
        match tunnel.downcast::<TokioIo<TcpStream>>() {
            Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
            // A relay waits for the agent's first byte.
            _ => Err(Disconnect::retry(
                "the proxy: it sent something of its own into the connection",
            )),
        }
    }

    fn request(&self, endpoint: &Uri) -> Result<Request<Empty<Bytes>>, http::Error> {
        let authority = endpoint
            .authority()
            .map_or("", |authority| authority.as_str());
        let mut request = Request::builder()
            .method(Method::CONNECT)
            .uri(authority)
            .header(header::HOST, authority);
        if let Some(authorization) = &self.authorization {
            request = request.header(header::PROXY_AUTHORIZATION, authorization.clone());
        }
        request.body(Empty::new())
    }
}

/// Whether a proxy let the agent through.
async fn judge(response: Response<Incoming>) -> Result<Response<Incoming>, Disconnect> {
    let status = response.status();
    let words = match status {
        _ if status.is_success() => return Ok(response),
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            "it wants a user and a password, or others (407): give them in the proxy's URL, \
             http://USER:PASSWORD@HOST:PORT"
                .to_owned()
        }
        StatusCode::FORBIDDEN => {
            "it does not let this machine reach the relay (403): ask who runs the proxy".to_owned()
        }
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            format!("it cannot reach the relay ({})", status.as_u16())
        }
        _ => format!("it answered {status}: is it the proxy's URL?"),
    };
    Err(Disconnect::retry(words))
}

fn basic(url: &Url) -> Option<HeaderValue> {
    let user = percent_decoded(url.username());
    let password = percent_decoded(url.password().unwrap_or_default());
    let credentials = STANDARD.encode([&user[..], b":", &password[..]].concat());
    let mut basic = HeaderValue::try_from(format!("Basic {credentials}")).ok()?;
    basic.set_sensitive(true);
    Some(basic)
}

/// A URL's user and password as they were meant.
fn percent_decoded(text: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(text).collect()
}
