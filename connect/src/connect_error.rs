//! Why there is no connection, as a person reads it.

use std::error::Error;

use http::StatusCode;

/// Why there is no connection. What a proxy did is told whole, without a source: a caller that shows
/// the innermost cause shows that it was the proxy.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The host itself could not be reached.
    #[error("no connection to {host}")]
    Direct {
        /// What was called.
        host: String,
        /// What the operating system said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The proxy could not be reached.
    #[error("the proxy {proxy} cannot be reached: {reason}")]
    ProxyAway {
        /// Its host and port.
        proxy: String,
        /// In a few words, such as `connection refused`.
        reason: String,
    },
    /// A proxy answered CONNECT with no success.
    #[error("the proxy {}", refusal(*status, host))]
    Refused {
        /// What it answered.
        status: StatusCode,
        /// What was to be reached.
        host: String,
    },
    /// A SOCKS proxy did not make the connection.
    #[error("the proxy cannot connect to {host}: {reason}")]
    Socks {
        /// What was to be reached.
        host: String,
        /// Its words.
        /// In a few words, such as `connection refused`.
        reason: String,
    },
    /// What answers at the proxy's address speaks another protocol.
    #[error("the proxy {proxy} does not answer as a proxy: {reason}")]
    NoProxy {
        /// Its host and port.
        proxy: String,
        /// What it did.
        /// In a few words, such as `connection refused`.
        reason: String,
    },
}

/// What a proxy's refusal means, and what to do.
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
