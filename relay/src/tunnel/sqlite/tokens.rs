//! Creates, lists and revokes tokens.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};

use super::change::immediate;
use crate::tunnel::error::TokenStoreError;
use crate::tunnel::info::{RevokedCounts, TokenInfo};
use crate::tunnel::registry::{TokenTarget, time};
use crate::tunnel::token::Token;

pub(super) fn add(connection: &Connection, token: &Token, owner: &str) -> rusqlite::Result<()> {
    let now = Timestamp::now().as_millisecond();
    connection.execute(
        "INSERT INTO tokens (id, owner, hash, created_at) VALUES (?1, ?2, ?3, ?4)",
        (token.id(), owner, token.hash().0, now),
    )?;
    Ok(())
}

/// Returns all tokens, oldest first.
pub(super) fn list(connection: &Connection) -> rusqlite::Result<Vec<TokenInfo>> {
    connection
        .prepare(
            "SELECT id, owner, created_at, last_used_at, revoked_at FROM tokens
             ORDER BY created_at, id",
        )?
        .query_map((), |row| {
            Ok(TokenInfo {
                id: row.get("id")?,
                owner: row.get("owner")?,
                created_at: time(row.get("created_at")?),
                last_used_at: row.get::<_, Option<i64>>("last_used_at")?.map(time),
                revoked_at: row.get::<_, Option<i64>>("revoked_at")?.map(time),
            })
        })?
        .collect()
}

/// Revokes tokens and deletes the tunnels of an owner who has no token left.
pub(super) fn revoke(
    connection: &Connection,
    owner_or_id: &str,
    with_tunnels: bool,
) -> rusqlite::Result<Result<RevokedCounts, TokenStoreError>> {
    let connection = immediate(connection)?;
    let target = match target(&connection, owner_or_id)? {
        Ok(Some(target)) => target,
        Ok(None) => return Ok(Ok(RevokedCounts::default())),
        Err(error) => return Ok(Err(error)),
    };
    let (column, value) = match &target {
        TokenTarget::Owner(owner) => ("owner", owner),
        TokenTarget::Token { id, .. } => ("id", id),
    };
    let tokens = connection.execute(
        &format!("UPDATE tokens SET revoked_at = ?2 WHERE {column} = ?1 AND revoked_at IS NULL"),
        (value, Timestamp::now().as_millisecond()),
    )?;
    let mut tunnels = 0;
    if with_tunnels {
        let owner = target.owner();
        let left: u64 = connection.query_row(
            "SELECT count(*) FROM tokens WHERE owner = ?1 AND revoked_at IS NULL",
            [owner],
            |row| row.get(0),
        )?;
        if left > 0 {
            let owner = owner.to_owned();
            return Ok(Err(TokenStoreError::StillInUse { owner }));
        }
        tunnels = connection.execute("DELETE FROM tunnels WHERE owner = ?1", [owner])?;
    }
    connection.commit()?;
    Ok(Ok(RevokedCounts { tokens, tunnels }))
}

fn target(
    connection: &Connection,
    text: &str,
) -> rusqlite::Result<Result<Option<TokenTarget>, TokenStoreError>> {
    let owner_of_id = connection
        .query_row(
            "SELECT owner FROM tokens WHERE id = ?1",
            [TokenTarget::id_in(text)],
            |row| row.get::<_, String>(0),
        )
        .optional()?;
    let is_owner = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM tokens WHERE owner = ?1)",
        [text],
        |row| row.get(0),
    )?;
    Ok(TokenTarget::of(text, owner_of_id, is_owner))
}
