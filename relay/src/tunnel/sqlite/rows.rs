//! Contains the directory's statements, which convert rows of tokens and tunnels to plain values.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use podtap_wire::TunnelKey;
use rusqlite::{Connection, OptionalExtension as _};

use super::change::{self, immediate};
use crate::queue::TunnelId;
use crate::tunnel::info::AgentConnection;
use crate::tunnel::registry::{
    KnownToken, KnownTunnel, RegistryRevision, Snapshot, TunnelGrant, TunnelRequest, time,
};
use crate::tunnel::token::{TokenHash, TokenId};

/// Key under which a running relay stores the URL at which it is reached from outside.
pub(super) const PUBLIC_URL: &str = "public-url";

pub(super) fn find_token(
    connection: &Connection,
    id: &TokenId,
) -> rusqlite::Result<Option<KnownToken>> {
    connection
        .prepare_cached(
            "SELECT owner, hash, last_used_at FROM tokens WHERE id = ?1 AND revoked_at IS NULL",
        )?
        .query_row([&id.0], |row| {
            let last_used_at: Option<i64> = row.get("last_used_at")?;
            Ok(KnownToken {
                owner: row.get("owner")?,
                hash: TokenHash(row.get("hash")?),
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

/// Finds or creates the tunnel. An agent that reconnects keeps its epoch. Any other agent,
/// and one whose epoch this database never assigned, gets the next epoch.
pub(super) fn want_tunnel(
    connection: &Connection,
    request: &TunnelRequest,
) -> rusqlite::Result<TunnelGrant> {
    let TunnelRequest {
        owner, name, fresh, ..
    } = request;
    let connection = immediate(connection)?;
    let find = || {
        connection
            .prepare_cached("SELECT id, key, epoch FROM tunnels WHERE owner = ?1 AND name = ?2")?
            .query_row((owner, name.as_str()), |row| {
                let key = TunnelKey::from_bytes(row.get("key")?);
                Ok((TunnelId(row.get("id")?), key, row.get::<_, u64>("epoch")?))
            })
            .optional()
    };
    let (id, key, newest) = if let Some(found) = find()? {
        found
    } else {
        let has: u64 = connection
            .prepare_cached("SELECT count(*) FROM tunnels WHERE owner = ?1")?
            .query_row([owner], |row| row.get(0))?;
        if has >= request.max_tunnels {
            return Ok(TunnelGrant::TooMany);
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
        (TunnelId(connection.last_insert_rowid()), *fresh, 0)
    };
    let epoch = match request.epoch {
        Some(known) if (1..=newest).contains(&known) => known,
        _ => {
            connection
                .prepare_cached("UPDATE tunnels SET epoch = ?2 WHERE id = ?1")?
                .execute((id.0, newest + 1))?;
            newest + 1
        }
    };
    connection.commit()?;
    Ok(TunnelGrant::Found { id, key, epoch })
}

/// Returns all tunnels, keys and tokens, or `None` if they are at the revision that was
/// seen before.
pub(super) fn changes(
    connection: &Connection,
    seen: RegistryRevision,
    max_age: Duration,
) -> rusqlite::Result<Option<Snapshot>> {
    // All queries must see the same snapshot.
    let connection = connection.unchecked_transaction()?;
    let revision = connection
        .prepare_cached("SELECT number FROM revision")?
        .query_row((), |row| row.get(0).map(RegistryRevision))?;
    if revision == seen {
        return Ok(None);
    }
    let tokens = connection
        .prepare_cached("SELECT id FROM tokens WHERE revoked_at IS NULL")?
        .query_map((), |row| row.get(0).map(TokenId))?
        .collect::<Result<_, _>>()?;
    let max_age = SignedDuration::try_from(max_age).unwrap_or(SignedDuration::MAX);
    let tunnels = connection
        .prepare_cached(
            "SELECT id, key, name,
                    (SELECT CASE WHEN count(*) = count(revoked_at) THEN max(revoked_at) END
                     FROM tokens WHERE tokens.owner = tunnels.owner) AS revoked_at
             FROM tunnels",
        )?
        .query_map((), |row| {
            let revoked_at: Option<i64> = row.get("revoked_at")?;
            let until = revoked_at.map(time);
            Ok(KnownTunnel {
                id: TunnelId(row.get("id")?),
                key: TunnelKey::from_bytes(row.get("key")?),
                name: change::name(row)?,
                until: until.map(|at| at.checked_add(max_age).unwrap_or(Timestamp::MAX)),
            })
        })?
        .collect::<Result<_, _>>()?;
    let old_keys = connection
        .prepare_cached("SELECT key, tunnel, until FROM old_keys")?
        .query_map((), |row| {
            let key = TunnelKey::from_bytes(row.get("key")?);
            let until = time(row.get("until")?);
            Ok((key, TunnelId(row.get("tunnel")?), until))
        })?
        .collect::<Result<_, _>>()?;
    Ok(Some(Snapshot {
        revision,
        tokens,
        tunnels,
        old_keys,
    }))
}

/// Stores which agents are connected, for a command line beside the relay. Replaces the
/// previous list.
pub(super) fn tell_sessions(
    connection: &Connection,
    sessions: &[(TunnelId, AgentConnection)],
) -> rusqlite::Result<()> {
    let connection = immediate(connection)?;
    connection.execute("DELETE FROM sessions", ())?;
    {
        let mut insert = connection.prepare_cached(
            "INSERT INTO sessions (tunnel, since, host, peer) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for (tunnel, connected) in sessions {
            let since = connected.since.as_millisecond();
            insert.execute((tunnel.0, since, &connected.host, &connected.peer))?;
        }
    }
    connection.commit()
}

/// Stores a fact about the running relay for the command line.
pub(super) fn tell_fact(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO facts VALUES (?1, ?2)",
        (name, value),
    )?;
    Ok(())
}

/// Returns a fact that a relay stored.
pub(super) fn fact(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("SELECT value FROM facts WHERE name = ?1", [name], |row| {
            row.get(0)
        })
        .optional()
}
