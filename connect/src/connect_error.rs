//! Describes in text for people why a connection failed.

use std::error::Error;

use http::StatusCode;

/// Reason why a connection failed. An error of a proxy has no source: a caller that shows
/// the innermost cause thus shows that the proxy is the cause.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The host could not be reached directly.
    #[error("no connection to {host}")]
    Direct {
        /// Host of the request.
        host: String,
        /// Error of the operating system.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The proxy could not be reached.
    #[error("the proxy {proxy} cannot be reached: {reason}")]
    ProxyAway {
        /// Host and port of the proxy.
        proxy: String,
        /// Cause in a few words, such as `connection refused`.
        reason: String,
    },
    /// An HTTP proxy answered CONNECT with an error.
    #[error("the proxy {}", refusal(*status, host))]
    Refused {
        /// Status of the answer.
        status: StatusCode,
        /// Host to be reached.
        host: String,
    },
    /// A SOCKS proxy did not open the connection.
    #[error("the proxy cannot connect to {host}: {reason}")]
    Socks {
        /// Host to be reached.
        host: String,
        /// Cause in a few words, such as `connection refused`.
        reason: String,
    },
    /// The server at the proxy's address uses another protocol.
    #[error("the proxy {proxy} does not answer as a proxy: {reason}")]
    NoProxy {
        /// Host and port of the proxy.
        proxy: String,
        /// Cause in a few words.
        reason: String,
    },
}

/// Returns what a proxy's refusal means, and what to do.
fn refusal(status: StatusCode, host: &str) -> String {
    match status {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            "requires a user and a password (407): set them in the proxy's URL, \
             http://USER:PASSWORD@HOST:PORT"
                .to_owned()
        }
        StatusCode::FORBIDDEN => {
            format!("does not allow connections to {host} (403): ask the operator of the proxy")
        }
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            format!("cannot reach {host} ({})", status.as_u16())
        }
        _ => format!("answered {status}: is this the proxy's URL?"),
    }
}
