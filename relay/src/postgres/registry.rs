//! Manages tunnels and tokens, for a relay and for the command line on any machine.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use podtap_wire::{TunnelKey, TunnelName};
use tokio_postgres::Row;

use super::tunnels::{self, name, tunnel_key};
use super::{from_sql, revoke, to_sql};
use crate::database::postgres::{Postgres, PostgresError};
use crate::queue::TunnelId;
use crate::tunnel::registry::{
    KnownToken, KnownTunnel, Registry, RegistryRevision, Snapshot, TunnelGrant, TunnelRequest, time,
};
use crate::tunnel::{
    AgentConnection, RevokedCounts, RotatedKey, Token, TokenHash, TokenId, TokenInfo,
    TokenStoreError, TunnelInfo,
};

/// Key under which a relay stores the URL at which it is reached from outside.
const PUBLIC_URL: &str = "public-url";

/// First key of the advisory lock that is held while a tunnel of an owner is created. The
/// second is the hash of the owner's name.
const OWNER_LOCK: i32 = 0x706f;

/// Tunnels and tokens in a database.
#[derive(Debug)]
pub(crate) struct PgRegistry {
    database: Postgres,
}

impl PgRegistry {
    pub(crate) fn new(database: Postgres) -> Self {
        Self { database }
    }

    async fn try_want(&self, request: TunnelRequest) -> Result<TunnelGrant, PostgresError> {
        let failed = self.database.on_error("find or make a tunnel");
        let mut client = self.database.client().await?;
        let transaction = client.transaction().await.map_err(&failed)?;
        // Two agents may ask for a new tunnel at the same time, and the number of tunnels per
        // owner is limited.
        transaction
            .execute(
                "SELECT pg_advisory_xact_lock($1, hashtext($2))",
                &[&OWNER_LOCK, &request.owner],
            )
            .await
            .map_err(&failed)?;
        let found = transaction
            .query_opt(
                "SELECT id, key, epoch FROM podtap_tunnels WHERE owner = $1 AND name = $2",
                &[&request.owner, &request.name.as_str()],
            )
            .await
            .map_err(&failed)?;
        let (id, key, newest) = if let Some(row) = found {
            let key = tunnel_key(&row, "key");
            (row.get("id"), key, from_sql(row.get("epoch")))
        } else {
            let has = transaction
                .query_one(
                    "SELECT count(*) FROM podtap_tunnels WHERE owner = $1",
                    &[&request.owner],
                )
                .await;
            let has: i64 = has.map_err(&failed)?.get(0);
            if from_sql(has) >= request.max_tunnels {
                return Ok(TunnelGrant::TooMany);
            }
            let made = transaction
                .query_one(
                    "INSERT INTO podtap_tunnels (owner, name, key, created_at)
                 VALUES ($1, $2, $3, $4) RETURNING id",
                    &[
                        &request.owner,
                        &request.name.as_str(),
                        &request.fresh.to_bytes().to_vec(),
                        &Timestamp::now().as_millisecond(),
                    ],
                )
                .await;
            (made.map_err(&failed)?.get(0), request.fresh, 0)
        };
        let epoch = match request.epoch {
            Some(known) if (1..=newest).contains(&known) => known,
            _ => {
                let given = transaction
                    .execute(
                        "UPDATE podtap_tunnels SET epoch = $2 WHERE id = $1",
                        &[&id, &to_sql(newest + 1)],
                    )
                    .await;
                given.map_err(&failed)?;
                newest + 1
            }
        };
        transaction.commit().await.map_err(&failed)?;
        Ok(TunnelGrant::Found {
            id: TunnelId(id),
            key,
            epoch,
        })
    }

    async fn try_changes(
        &self,
        seen: RegistryRevision,
        max_age: Duration,
    ) -> Result<Option<Snapshot>, PostgresError> {
        let failed = self.database.on_error("look for changes");
        let mut client = self.database.client().await?;
        let now = client
            .query_one("SELECT number FROM podtap_revision", &[])
            .await;
        if RegistryRevision(now.map_err(&failed)?.get(0)) == seen {
            return Ok(None);
        }
        // All queries must see the same snapshot.
        let transaction = client
            .build_transaction()
            .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
            .read_only(true);
        let transaction = transaction.start().await.map_err(&failed)?;
        let revision = transaction
            .query_one("SELECT number FROM podtap_revision", &[])
            .await;
        let revision = RegistryRevision(revision.map_err(&failed)?.get(0));
        let tokens = transaction
            .query("SELECT id FROM podtap_tokens WHERE revoked_at IS NULL", &[])
            .await;
        let tokens = tokens.map_err(&failed)?;
        let max_age = SignedDuration::try_from(max_age).unwrap_or(SignedDuration::MAX);
        let rows = transaction
            .query(
                "SELECT id, key, name,
                        (SELECT CASE WHEN count(*) = count(revoked_at) THEN max(revoked_at) END
                         FROM podtap_tokens AS k WHERE k.owner = t.owner) AS revoked_at
                 FROM podtap_tunnels AS t",
                &[],
            )
            .await
            .map_err(&failed)?;
        let tunnels = rows.iter().filter_map(|row| {
            let revoked_at: Option<i64> = row.get("revoked_at");
            let until = revoked_at.map(time);
            Some(KnownTunnel {
                id: TunnelId(row.get("id")),
                key: tunnel_key(row, "key"),
                name: name(row)?,
                until: until.map(|at| at.checked_add(max_age).unwrap_or(Timestamp::MAX)),
            })
        });
        let old_keys = transaction
            .query("SELECT key, tunnel, until FROM podtap_old_keys", &[])
            .await;
        let old_keys = old_keys.map_err(&failed)?;
        let old_key = |row: &Row| {
            let tunnel = TunnelId(row.get("tunnel"));
            (tunnel_key(row, "key"), tunnel, time(row.get("until")))
        };
        Ok(Some(Snapshot {
            revision,
            tokens: tokens
                .iter()
                .map(|row| TokenId(row.get("id")))
                .collect::<HashSet<_>>(),
            tunnels: tunnels.collect(),
            old_keys: old_keys.iter().map(old_key).collect(),
        }))
    }
}

impl Registry for PgRegistry {
    fn find_token(
        &self,
        id: TokenId,
    ) -> BoxFuture<'_, Result<Option<KnownToken>, TokenStoreError>> {
        async move {
            let client = self.database.client().await?;
            let failed = self.database.on_error("find a token");
            let row = client
                .query_opt(
                    "SELECT owner, hash, last_used_at FROM podtap_tokens
                 WHERE id = $1 AND revoked_at IS NULL",
                    &[&id.0],
                )
                .await;
            let row = row.map_err(failed)?;
            Ok(row.and_then(|row| {
                let hash: &[u8] = row.get("hash");
                let last_used_at: Option<i64> = row.get("last_used_at");
                Some(KnownToken {
                    owner: row.get("owner"),
                    hash: TokenHash(hash.try_into().ok()?),
                    last_used_at: last_used_at.map(time),
                })
            }))
        }
        .boxed()
    }

    fn mark_used(&self, id: TokenId, now: Timestamp) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        async move {
            let client = self.database.client().await?;
            let marked = client
                .execute(
                    "UPDATE podtap_tokens SET last_used_at = $2 WHERE id = $1",
                    &[&id.0, &now.as_millisecond()],
                )
                .await;
            let failed = self.database.on_error("note the use of a token");
            marked.map_err(failed)?;
            Ok(())
        }
        .boxed()
    }

    fn want_tunnel(
        &self,
        request: TunnelRequest,
    ) -> BoxFuture<'_, Result<TunnelGrant, TokenStoreError>> {
        async move { Ok(self.try_want(request).await?) }.boxed()
    }

    fn changes(
        &self,
        seen: RegistryRevision,
        max_age: Duration,
    ) -> BoxFuture<'_, Result<Option<Snapshot>, TokenStoreError>> {
        async move { Ok(self.try_changes(seen, max_age).await?) }.boxed()
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn tell_sessions(
        &self,
        _: Vec<(TunnelId, AgentConnection)>,
    ) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        // The roster contains the sessions of all relays.
        async { Ok(()) }.boxed()
    }

    fn tell_public_url(&self, url: String) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        async move {
            let client = self.database.client().await?;
            let told = client
                .execute(
                    "INSERT INTO podtap_facts VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    &[&PUBLIC_URL, &url],
                )
                .await;
            told.map_err(self.database.on_error("tell the public URL"))?;
            Ok(())
        }
        .boxed()
    }

    fn public_url(&self) -> BoxFuture<'_, Result<Option<String>, TokenStoreError>> {
        async move {
            let client = self.database.client().await?;
            let fact = client
                .query_opt(
                    "SELECT value FROM podtap_facts WHERE name = $1",
                    &[&PUBLIC_URL],
                )
                .await;
            let failed = self.database.on_error("read the public URL");
            Ok(fact.map_err(failed)?.map(|row| row.get(0)))
        }
        .boxed()
    }

    fn tunnels(
        &self,
        owner: Option<String>,
    ) -> BoxFuture<'_, Result<Vec<TunnelInfo>, TokenStoreError>> {
        async move { Ok(tunnels::list(&self.database, owner).await?) }.boxed()
    }

    fn rotate(
        &self,
        owner: String,
        name: TunnelName,
        fresh: TunnelKey,
        grace: Duration,
    ) -> BoxFuture<'_, Result<Option<RotatedKey>, TokenStoreError>> {
        async move { Ok(tunnels::rotate(&self.database, &owner, &name, fresh, grace).await?) }
            .boxed()
    }

    fn delete(
        &self,
        owner: String,
        name: TunnelName,
    ) -> BoxFuture<'_, Result<bool, TokenStoreError>> {
        async move {
            let client = self.database.client().await?;
            let deleted = client
                .execute(
                    "DELETE FROM podtap_tunnels WHERE owner = $1 AND name = $2",
                    &[&owner, &name.as_str()],
                )
                .await;
            Ok(deleted.map_err(self.database.on_error("delete a tunnel"))? > 0)
        }
        .boxed()
    }

    fn add_token(&self, token: Token, owner: String) -> BoxFuture<'_, Result<(), TokenStoreError>> {
        async move {
            let client = self.database.client().await?;
            let added = client.execute(
                "INSERT INTO podtap_tokens (id, owner, hash, created_at) VALUES ($1, $2, $3, $4)",
                &[
                    &token.id(),
                    &owner,
                    &token.hash().0.to_vec(),
                    &Timestamp::now().as_millisecond(),
                ],
            ).await;
            added.map_err(self.database.on_error("store a token"))?;
            Ok(())
        }
        .boxed()
    }

    fn tokens(&self) -> BoxFuture<'_, Result<Vec<TokenInfo>, TokenStoreError>> {
        async move {
            let client = self.database.client().await?;
            let rows = client
                .query(
                    "SELECT id, owner, created_at, last_used_at, revoked_at FROM podtap_tokens
                 ORDER BY created_at, id",
                    &[],
                )
                .await;
            let rows = rows.map_err(self.database.on_error("list the tokens"))?;
            let info = |row: &Row| TokenInfo {
                id: row.get("id"),
                owner: row.get("owner"),
                created_at: time(row.get("created_at")),
                last_used_at: row.get::<_, Option<i64>>("last_used_at").map(time),
                revoked_at: row.get::<_, Option<i64>>("revoked_at").map(time),
            };
            Ok(rows.iter().map(info).collect())
        }
        .boxed()
    }

    fn revoke(
        &self,
        owner_or_id: String,
        with_tunnels: bool,
    ) -> BoxFuture<'_, Result<RevokedCounts, TokenStoreError>> {
        async move { revoke::revoke(&self.database, &owner_or_id, with_tunnels).await }.boxed()
    }
}
