//! Why tokens or tunnels cannot be read or changed.

use super::owner;
use crate::database;

/// The store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum TokenStoreError {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] database::DatabaseError),
    /// The database that relays share cannot be used.
    #[error(transparent)]
    Postgres(#[from] database::PostgresError),
    /// The relay of this process has ended, or its storage does not work at present.
    #[error("the relay's storage cannot be used at present")]
    Unavailable,
    /// The name would not be readable in a list, or reads like a token's id.
    #[error(
        "an owner's name has 1 to {} letters, digits, `-`, `_`, `.`, `@` or `+`, begins with a \
         letter or digit, and does not begin with `{}`",
        owner::MAX_CHARS,
        owner::ID_PREFIX
    )]
    InvalidOwner,
    /// One owner is called like a token of another.
    #[error("`{0}` is the name of an owner and the id of another owner's token")]
    Ambiguous(String),
    /// Others of the owner's tokens stay in use, and so do the tunnels.
    #[error("{owner} has another token in use, so the tunnels were not deleted")]
    StillInUse {
        /// Whose tunnels they are.
        owner: String,
    },
    /// The system has no random bytes to give.
    #[error("cannot make a secret")]
    Random(#[from] getrandom::Error),
}
