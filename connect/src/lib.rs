//! Connections to other machines: TCP, directly or through the proxy that a network asks for, TLS, and
//! HTTP over them. What every part shares that calls a relay, Podio's API or a local service.
//!
//! - [`proxy`]: which proxy leads to a URL, by the variables that curl reads.
//! - [`connector`]: the connector. It tries every address of a name, none for long.
//! - [`connect_error`]: why there is no connection, as a person reads it.
//! - [`tls`]: TLS, and whose certificates are trusted.
//! - [`client`]: the HTTP client over these.
//! - [`reason`]: why something failed on the way, in a few words.
//! - `tunnel`, `socks`: what is said to each kind of proxy.

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
