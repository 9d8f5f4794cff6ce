//! Connections to other machines: TCP, directly or through the proxy that a network asks for. What
//! the link to the relay and the client of Podio's API share.
//!
//! - [`proxy`]: which proxy leads to a URL, by the variables that curl reads.
//! - [`connector`]: the connector. It tries every address of a name, none for long.
//! - [`connect_error`]: why there is no connection, as a person reads it.
//! - `tunnel`, `socks`: what is said to each kind of proxy.

#![warn(missing_docs)]

pub mod connect_error;
pub mod connector;
pub mod proxy;
mod socks;
mod tunnel;

pub use connect_error::{ConnectError, io_words};
pub use connector::Connector;
pub use proxy::{InvalidProxy, Proxy, ProxyVariables};
