//! Tokens and tunnels as the command line changes them, beside a running relay or without one.
//!
//! A relay that runs notices through the database itself; there is nothing to signal.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use podtap_wire::{TunnelKey, TunnelName};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::change::{self, Rotated, TunnelInfo, time};
use super::owner;
use super::rows;
use super::token::Token;
use crate::database::{self, Database, Lock};

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

/// What was made void.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revoked {
    /// Tokens that were in use until now.
    pub tokens: usize,
    /// Tunnels that were deleted with them.
    pub tunnels: usize,
}

/// The store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The name would not be readable in a list, or reads like a token's id.
    #[error(
        "an owner's name is 1 to {} letters and digits, with `-`, `_`, `.`, `@` and `+` after the first, \
         and does not begin with `{}`",
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

impl TokenStore {
    /// Opens the folder's database, making it where missing.
    pub fn open(data_dir: &Path) -> Result<Self, Error> {
        let database = Database::open(data_dir)?;
        Ok(Self {
            connection: database.writer()?,
            database,
        })
    }

    /// Opens the folder's database; `None` where there is none.
    pub fn existing(data_dir: &Path) -> Result<Option<Self>, Error> {
        if Database::is_at(data_dir) {
            Self::open(data_dir).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Whether a relay has ever run with this folder.
    pub fn was_used_by_a_relay(&self) -> bool {
        Lock::was_taken(self.database.folder())
    }

    /// How the world reaches the relay that runs with this folder, or ran with it last.
    pub fn public_url(&self) -> Result<Option<String>, Error> {
        self.connection
            .query_row(
                "SELECT value FROM facts WHERE name = ?1",
                [rows::PUBLIC_URL],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| self.database.failed("read the public URL")(error).into())
    }

    /// Makes a token. An owner may have several, so that one can replace another without a break.
    pub fn create(&self, owner: &str) -> Result<Token, Error> {
        if !owner::is_valid(owner) {
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
                    id: row.get("id")?,
                    owner: row.get("owner")?,
                    created_at: time(row.get("created_at")?),
                    last_used_at: row.get::<_, Option<i64>>("last_used_at")?.map(time),
                    revoked_at: row.get::<_, Option<i64>>("revoked_at")?.map(time),
                })
            },
        )
    }

    /// Makes an owner's tokens void, or the one with this id, which may have `pt_` before it.
    /// Agents connected with them are told and disconnected. With the tunnels, their URLs end at
    /// once and what waits in them is gone; else they end when the relay's age limit is over.
    pub fn revoke(&self, owner_or_id: &str, with_tunnels: bool) -> Result<Revoked, Error> {
        let connection = change::immediate(&self.connection).map_err(self.failed("revoke"))?;
        let Some(target) = target(&connection, owner_or_id).map_err(self.failed("find a token"))?
        else {
            return Ok(Revoked::default());
        };
        let (owner, column, value) = match target {
            Target::Both => return Err(Error::Ambiguous(owner_or_id.to_owned())),
            Target::Owner(owner) => (owner.clone(), "owner", owner),
            Target::Token { id, owner } => (owner, "id", id),
        };
        let tokens = connection
            .execute(
                &format!(
                    "UPDATE tokens SET revoked_at = ?2 WHERE {column} = ?1 AND revoked_at IS NULL"
                ),
                (&value, Timestamp::now().as_millisecond()),
            )
            .map_err(self.failed("revoke a token"))?;
        let mut tunnels = 0;
        if with_tunnels {
            let left: u64 = connection
                .query_row(
                    "SELECT count(*) FROM tokens WHERE owner = ?1 AND revoked_at IS NULL",
                    [&owner],
                    |row| row.get(0),
                )
                .map_err(self.failed("count the tokens"))?;
            if left > 0 {
                return Err(Error::StillInUse { owner });
            }
            tunnels = connection
                .execute("DELETE FROM tunnels WHERE owner = ?1", [&owner])
                .map_err(self.failed("delete tunnels"))?;
        }
        connection.commit().map_err(self.failed("revoke a token"))?;
        Ok(Revoked { tokens, tunnels })
    }

    /// The tunnels of an owner, or of all, by owner and name. Who is connected is what the
    /// running relay told last, about a second ago; nobody where none runs.
    pub fn tunnels(&self, owner: Option<&str>) -> Result<Vec<TunnelInfo>, Error> {
        let list = change::list(&self.connection, owner, Timestamp::now());
        let mut list = list.map_err(self.failed("list the tunnels"))?;
        if !Lock::is_taken(self.database.folder()) {
            for tunnel in &mut list {
                tunnel.connected = None;
            }
        }
        Ok(list)
    }

    /// Gives a tunnel a new key; the old URL is unknown after the time of grace. `None`: no such
    /// tunnel.
    pub fn rotate(
        &self,
        owner: &str,
        name: &TunnelName,
        grace: Duration,
    ) -> Result<Option<Rotated>, Error> {
        let fresh = TunnelKey::generate()?;
        let rotated = change::rotate(&self.connection, owner, name, fresh, grace);
        Ok(rotated.map_err(self.failed("give a tunnel a new key"))?)
    }

    /// Deletes a tunnel with everything that waits in it. Whether there was one.
    pub fn delete(&self, owner: &str, name: &TunnelName) -> Result<bool, Error> {
        let deleted = change::delete(&self.connection, owner, name);
        Ok(deleted.map_err(self.failed("delete a tunnel"))?)
    }

    fn failed(&self, attempt: &'static str) -> impl Fn(rusqlite::Error) -> database::Error + '_ {
        move |error| self.database.failed(attempt)(error)
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

/// Whose tokens are meant, or which.
enum Target {
    Owner(String),
    Token {
        id: String,
        owner: String,
    },
    /// An owner is called like a token of another.
    Both,
}

fn target(connection: &Connection, text: &str) -> rusqlite::Result<Option<Target>> {
    // As a list shows it, or copied with the dots behind it.
    let id = text.trim_end_matches('…');
    let id = id.strip_prefix(owner::ID_PREFIX).unwrap_or(id);
    let token = connection
        .query_row("SELECT owner FROM tokens WHERE id = ?1", [id], |row| {
            row.get::<_, String>(0)
        })
        .optional()?;
    let is_owner: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM tokens WHERE owner = ?1)",
        [text],
        |row| row.get(0),
    )?;
    Ok(match (token, is_owner) {
        (Some(owner), true) if owner != text => Some(Target::Both),
        (_, true) => Some(Target::Owner(text.to_owned())),
        (Some(owner), false) => Some(Target::Token {
            id: id.to_owned(),
            owner,
        }),
        (None, false) => None,
    })
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

        let revoke = |who: &str| store.revoke(who, false).unwrap().tokens;
        assert_eq!(revoke(&format!("pt_{}…", first.id())), 1);
        assert_eq!(revoke("ada"), 1, "the other one");
        assert_eq!(revoke("nobody"), 0);

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
        for bad in ["", "a b", "\u{1b}[31m", "a\u{202e}b", "pt_abcdef"] {
            assert!(
                matches!(store.create(bad), Err(Error::InvalidOwner)),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_name_that_is_also_another_owners_token_id_revokes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = TokenStore::open(folder.path()).unwrap();
        let bobs = store.create("bob").unwrap();
        store.create(bobs.id()).unwrap();

        let both = store.revoke(bobs.id(), false);

        assert!(matches!(both, Err(Error::Ambiguous(_))), "{both:?}");
        assert!(
            store
                .list()
                .unwrap()
                .iter()
                .all(|token| token.revoked_at.is_none())
        );
        let id = format!("pt_{}", bobs.id());
        assert_eq!(store.revoke(&id, false).unwrap().tokens, 1);
        assert_eq!(
            store.revoke("bob", false).unwrap().tokens,
            0,
            "it was bob's"
        );
    }
}
