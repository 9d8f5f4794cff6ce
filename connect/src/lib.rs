//! Connects to other machines: TCP, directly or through a proxy, TLS, and HTTP over them.
//! It is shared by all parts that call a relay, Podio's API or a local service.
//!
//! - [`proxy`]: selects the proxy for a URL, from the environment variables that curl reads.
//! - [`connector`]: the connector. It tries every address of a name, none for long.
//! - [`connect_error`]: describes for people why a connection failed.
//! - [`tls`]: TLS, and whose certificates are trusted.
//! - [`client`]: the HTTP client over these.
//! - [`reason`]: describes errors in a few words.
//! - `tunnel`, `socks`: the exchange with each kind of proxy.

#![warn(missing_docs)]

pub mod client;
pub mod connect_error;
pub mod connector;
pub mod proxy;
pub mod reason;
mod socks;
pub mod tls;
mod tunnel;

pub use client::HttpClient;
pub use connect_error::ConnectError;
pub use connector::Connector;
pub use proxy::{InvalidProxy, Proxy, ProxyVariables};
pub use reason::io_words;
pub use tls::Trust;
