//! Errors of reading or changing tokens and tunnels.

use super::owner;
use crate::database;

/// Reason why a request to the store failed.
#[derive(Debug, thiserror::Error)]
pub enum TokenStoreError {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] database::DatabaseError),
    /// The database that relays share cannot be used.
    #[error(transparent)]
    Postgres(#[from] database::PostgresError),
    /// The relay of this process has ended, or its storage does not work now.
    #[error("the relay's storage cannot be used at present")]
    Unavailable,
    /// The name would be unreadable in a list, or looks like a token's id.
    #[error(
        "an owner's name has 1 to {} letters, digits, `-`, `_`, `.`, `@` or `+`, begins with a \
         letter or digit, and does not begin with `{}`",
        owner::MAX_CHARS,
        owner::ID_PREFIX
    )]
    InvalidOwner,
    /// The text is the name of one owner and the id of a token of another.
    #[error("`{0}` is the name of an owner and the id of another owner's token")]
    Ambiguous(String),
    /// Other tokens of the owner stay in use, and so do the tunnels.
    #[error("{owner} has another token in use, so the tunnels were not deleted")]
    StillInUse {
        /// Owner of the tunnels.
        owner: String,
    },
    /// The operating system cannot provide random bytes.
    #[error("cannot make a secret")]
    Random(#[from] getrandom::Error),
}
