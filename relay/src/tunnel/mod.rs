//! Manages tunnels and tokens: which agents may connect, and to whom each URL belongs
//! (invariant 6).
//!
//! `registry` defines what an engine stores of them; `sqlite` is one engine. The command
//! line uses `tokens`, in a separate process. `directory` is the running relay's view of
//! the same registry, in memory for ingest.

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
