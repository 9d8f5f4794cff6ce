//! The statements behind the directory: rows of tokens and tunnels in, plain values out.

use std::collections::HashSet;

use jiff::Timestamp;
use podtap_wire::{TunnelKey, TunnelName};
use rusqlite::{Connection, OptionalExtension as _};

use super::store;
use super::token::{TokenHash, TokenId};
use crate::queue::TunnelId;

/// Counts the changes that other processes made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Revision(i64);

pub(super) struct KnownToken {
    pub(super) owner: String,
    pub(super) hash: TokenHash,
    pub(super) last_used_at: Option<Timestamp>,
}

pub(super) struct Snapshot {
    pub(super) revision: Revision,
    pub(super) tokens: HashSet<TokenId>,
    pub(super) tunnels: Vec<(TunnelId, TunnelKey, TunnelName)>,
}

pub(super) fn find_token(
    connection: &Connection,
    id: &TokenId,
) -> rusqlite::Result<Option<KnownToken>> {
    connection
        .prepare_cached(
            "SELECT owner, hash, last_used_at FROM tokens WHERE id = ?1 AND revoked_at IS NULL",
        )?
        .query_row([&id.0], |row| {
            let last_used_at: Option<i64> = row.get(2)?;
            Ok(KnownToken {
                owner: row.get(0)?,
                hash: TokenHash(row.get(1)?),
                last_used_at: last_used_at.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            })
        })
        .optional()
}

pub(super) fn mark_used(
    connection: &Connection,
    id: &TokenId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE tokens SET last_used_at = ?2 WHERE id = ?1")?
        .execute((&id.0, now.as_millisecond()))?;
    Ok(())
}

pub(super) fn find_or_make_tunnel(
    connection: &Connection,
    owner: &str,
    name: &TunnelName,
    fresh: TunnelKey,
) -> rusqlite::Result<(TunnelId, TunnelKey)> {
    let find = || {
        connection
            .prepare_cached("SELECT id, key FROM tunnels WHERE owner = ?1 AND name = ?2")?
            .query_row((owner, name.as_str()), |row| {
                Ok((TunnelId(row.get(0)?), TunnelKey::from_bytes(row.get(1)?)))
            })
            .optional()
    };
    if let Some(found) = find()? {
        return Ok(found);
    }
    connection.execute(
        "INSERT INTO tunnels (owner, name, key, created_at) VALUES (?1, ?2, ?3, ?4)",
        (
            owner,
            name.as_str(),
            fresh.to_bytes(),
            Timestamp::now().as_millisecond(),
        ),
    )?;
    Ok((TunnelId(connection.last_insert_rowid()), fresh))
}

pub(super) fn changes(
    connection: &Connection,
    seen: Revision,
) -> rusqlite::Result<Option<Snapshot>> {
    // One snapshot for all three.
    let connection = connection.unchecked_transaction()?;
    let revision = connection
        .prepare_cached("SELECT number FROM revision")?
        .query_row((), |row| row.get(0).map(Revision))?;
    if revision == seen {
        return Ok(None);
    }
    let tokens = connection
        .prepare_cached("SELECT id FROM tokens WHERE revoked_at IS NULL")?
        .query_map((), |row| row.get(0).map(TokenId))?
        .collect::<Result<_, _>>()?;
    let tunnels = connection
        .prepare_cached("SELECT id, key, name FROM tunnels")?
        .query_map((), |row| {
            let key = TunnelKey::from_bytes(row.get(1)?);
            Ok((TunnelId(row.get(0)?), key, store::name(row, 2)?))
        })?
        .collect::<Result<_, _>>()?;
    Ok(Some(Snapshot {
        revision,
        tokens,
        tunnels,
    }))
}
