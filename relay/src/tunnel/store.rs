//! Tokens and tunnels as the command line changes them, beside a running relay or without one.
//!
//! A relay that runs notices through the database itself; there is nothing to signal.

use std::path::Path;

use jiff::Timestamp;
use podtap_wire::{TunnelKey, TunnelName};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::token::Token;
use crate::database::{self, Database};

/// The tokens and tunnels of a data folder.
#[derive(Debug)]
pub struct TokenStore {
    database: Database,
    connection: Connection,
}

/// What may be shown of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenInfo {
    /// The token's public part.
    pub id: String,
    /// Whose tunnels it opens.
    pub owner: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When an agent last connected with it, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Since when it is void.
    pub revoked_at: Option<Timestamp>,
}

/// A tunnel of an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TunnelInfo {
    /// Its name, unique for the owner.
    pub name: TunnelName,
    /// The secret part of its URL.
    pub key: TunnelKey,
    /// When an agent first asked for it.
    pub created_at: Timestamp,
    /// Events that wait for an agent.
    pub backlog: u64,
}

/// The store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The name would not be readable in a list.
    #[error("an owner's name is 1 to 64 printable characters")]
    InvalidOwner,
    /// The system has no random bytes to give.
    #[error("cannot make a secret")]
    Random(#[from] getrandom::Error),
}

impl TokenStore {
    /// Opens the folder's database, making it where missing.
    pub fn open(data_dir: &Path) -> Result<Self, Error> {
        let database = Database::open(data_dir)?;
        Ok(Self {
            connection: database.writer()?,
            database,
        })
    }

    /// Makes a token. An owner may have several, so that one can replace another without a break.
    pub fn create(&self, owner: &str) -> Result<Token, Error> {
        let printable = owner.chars().all(|c| !c.is_control());
        if owner.trim().is_empty() || owner.chars().count() > 64 || !printable {
            return Err(Error::InvalidOwner);
        }
        let token = Token::generate()?;
        self.connection
            .execute(
                "INSERT INTO tokens (id, owner, hash, created_at) VALUES (?1, ?2, ?3, ?4)",
                (
                    token.id(),
                    owner,
                    token.hash().0,
                    Timestamp::now().as_millisecond(),
                ),
            )
            .map_err(self.database.failed("store a token"))?;
        Ok(token)
    }

    /// All tokens, revoked ones included, oldest first.
    pub fn list(&self) -> Result<Vec<TokenInfo>, Error> {
        self.query(
            "list the tokens",
            "SELECT id, owner, created_at, last_used_at, revoked_at FROM tokens
             ORDER BY created_at, id",
            (),
            |row| {
                Ok(TokenInfo {
                    id: row.get(0)?,
                    owner: row.get(1)?,
                    created_at: time(row.get(2)?),
                    last_used_at: row.get::<_, Option<i64>>(3)?.map(time),
                    revoked_at: row.get::<_, Option<i64>>(4)?.map(time),
                })
            },
        )
    }

    /// Makes an owner's tokens void, or the one with this id. Answers how many there were; agents
    /// connected with them are told and disconnected.
    pub fn revoke(&self, owner_or_id: &str) -> Result<usize, Error> {
        self.connection
            .execute(
                "UPDATE tokens SET revoked_at = ?2
                 WHERE (owner = ?1 OR id = ?1) AND revoked_at IS NULL",
                (owner_or_id, Timestamp::now().as_millisecond()),
            )
            .map_err(|error| self.database.failed("revoke a token")(error).into())
    }

    /// The tunnels of an owner, by name.
    pub fn tunnels(&self, owner: &str) -> Result<Vec<TunnelInfo>, Error> {
        self.query(
            "list the tunnels",
            "SELECT name, key, created_at, last_seq - removed_seq
             FROM tunnels JOIN queues ON queues.tunnel = tunnels.id
             WHERE owner = ?1 ORDER BY name",
            [owner],
            |row| {
                Ok(TunnelInfo {
                    name: name(row, 0)?,
                    key: TunnelKey::from_bytes(row.get(1)?),
                    created_at: time(row.get(2)?),
                    backlog: row.get(3)?,
                })
            },
        )
    }

    /// Gives a tunnel a new key; the old URL is unknown from then on. `None`: no such tunnel.
    pub fn rotate(&self, owner: &str, name: &TunnelName) -> Result<Option<TunnelKey>, Error> {
        let key = TunnelKey::generate()?;
        let changed = self
            .connection
            .execute(
                "UPDATE tunnels SET key = ?3 WHERE owner = ?1 AND name = ?2",
                (owner, name.as_str(), key.to_bytes()),
            )
            .map_err(self.database.failed("give a tunnel a new key"))?;
        Ok((changed > 0).then_some(key))
    }

    /// Deletes a tunnel with everything that waits in it. Whether there was one.
    pub fn delete(&self, owner: &str, name: &TunnelName) -> Result<bool, Error> {
        let deleted = self
            .connection
            .query_row(
                "DELETE FROM tunnels WHERE owner = ?1 AND name = ?2 RETURNING id",
                (owner, name.as_str()),
                |row| row.get::<_, i64>(0),
            )
            .optional()
            .map_err(self.database.failed("delete a tunnel"))?;
        Ok(deleted.is_some())
    }

    fn query<T>(
        &self,
        attempt: &'static str,
        sql: &str,
        parameters: impl rusqlite::Params,
        row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let read = || -> rusqlite::Result<Vec<T>> {
            self.connection
                .prepare(sql)?
                .query_map(parameters, row)?
                .collect()
        };
        read().map_err(|error| self.database.failed(attempt)(error).into())
    }
}

pub(super) fn name(row: &Row<'_>, column: usize) -> rusqlite::Result<TunnelName> {
    row.get::<_, String>(column)?.parse().map_err(|error| {
        let text = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, text, Box::new(error))
    })
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_listed_by_owner_and_revoked_by_owner_or_id() {
        let folder = tempfile::tempdir().unwrap();
        let store = TokenStore::open(folder.path()).unwrap();
        let first = store.create("ada").unwrap();
        store.create("ada").unwrap();
        store.create("bob").unwrap();

        assert_eq!(store.revoke(first.id()).unwrap(), 1);
        assert_eq!(store.revoke("ada").unwrap(), 1, "the other one");
        assert_eq!(store.revoke("nobody").unwrap(), 0);

        let list = TokenStore::open(folder.path()).unwrap().list().unwrap();
        let active: Vec<_> = list
            .iter()
            .filter(|token| token.revoked_at.is_none())
            .collect();
        assert_eq!((list.len(), active.len()), (3, 1));
        assert_eq!(active[0].owner, "bob");
    }

    #[test]
    fn an_owner_that_cannot_be_read_in_a_list_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = TokenStore::open(folder.path()).unwrap();
        for bad in ["", " ", "a\nb", "\u{1b}[31m", &"x".repeat(65)] {
            assert!(
                matches!(store.create(bad), Err(Error::InvalidOwner)),
                "{bad:?}"
            );
        }
    }
}
