//! Tunnels and tokens: who may connect, and which URL belongs to whom (invariant 6).
//!
//! `store` is what the command line uses, in a process of its own; `directory` is the running
//! relay's view of the same tables, kept in memory for ingest.

pub(crate) mod directory;
mod rows;
mod store;
mod token;

pub use store::{Error, TokenInfo, TokenStore, TunnelInfo};
pub(crate) use token::TokenId;
pub use token::{InvalidToken, Token};
