//! Tunnels and tokens: who may connect, and which URL belongs to whom (invariant 6).
//!
//! `store` is what the command line uses, in a process of its own; `directory` is the running
//! relay's view of the same tables, kept in memory for ingest. Both change tunnels through the
//! statements of `change`.

mod change;
pub(crate) mod directory;
mod owner;
mod rows;
mod store;
mod token;

pub use change::{Connected, Rotated, TunnelInfo};
pub use store::{Error, Revoked, TokenInfo, TokenStore};
pub(crate) use token::TokenId;
pub use token::{InvalidToken, Token};
