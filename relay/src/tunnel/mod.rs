//! Tunnels and tokens: who may connect, and which URL belongs to whom (invariant 6).
//!
//! `registry` says what an engine keeps of them; `sqlite` is one. `tokens` is what the command line
//! uses, in a process of its own; `directory` is the running relay's view of the same registry,
//! kept in memory for ingest.

pub(crate) mod directory;
mod error;
mod info;
mod owner;
pub(crate) mod registry;
pub(crate) mod sqlite;
mod token;
mod tokens;

pub use error::TokenStoreError;
pub use info::{AgentConnection, RevokedCounts, RotatedKey, TokenInfo, TunnelInfo};
pub use token::{InvalidToken, Token};
pub(crate) use token::{TokenHash, TokenId};
pub use tokens::TokenStore;
