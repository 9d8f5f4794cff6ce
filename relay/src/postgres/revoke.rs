//! Revokes tokens.

use jiff::Timestamp;
use tokio_postgres::Transaction;

use crate::database::postgres::Postgres;
use crate::tunnel::registry::TokenTarget;
use crate::tunnel::{RevokedCounts, TokenStoreError};

/// Revokes tokens and deletes the tunnels of an owner who has no token left.
pub(super) async fn revoke(
    database: &Postgres,
    owner_or_id: &str,
    with_tunnels: bool,
) -> Result<RevokedCounts, TokenStoreError> {
    let failed = database.on_error("revoke a token");
    let mut client = database.client().await?;
    let transaction = client.transaction().await.map_err(&failed)?;
    let Some(target) = target(&transaction, owner_or_id).await.map_err(&failed)?? else {
        return Ok(RevokedCounts::default());
    };
    let (column, value) = match &target {
        TokenTarget::Owner(owner) => ("owner", owner),
        TokenTarget::Token { id, .. } => ("id", id),
    };
    let revoked = format!(
        "UPDATE podtap_tokens SET revoked_at = $2 WHERE {column} = $1 AND revoked_at IS NULL"
    );
    let now = Timestamp::now().as_millisecond();
    let tokens = transaction.execute(&revoked, &[value, &now]).await;
    let tokens = count(tokens.map_err(&failed)?);
    let mut tunnels = 0;
    if with_tunnels {
        let owner = target.owner();
        let left = transaction
            .query_one(
                "SELECT count(*) FROM podtap_tokens WHERE owner = $1 AND revoked_at IS NULL",
                &[&owner],
            )
            .await;
        if left.map_err(&failed)?.get::<_, i64>(0) > 0 {
            let owner = owner.to_owned();
            return Err(TokenStoreError::StillInUse { owner });
        }
        let deleted = transaction
            .execute("DELETE FROM podtap_tunnels WHERE owner = $1", &[&owner])
            .await;
        tunnels = count(deleted.map_err(&failed)?);
    }
    transaction.commit().await.map_err(&failed)?;
    Ok(RevokedCounts { tokens, tunnels })
}

fn count(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

async fn target(
    transaction: &Transaction<'_>,
    text: &str,
) -> Result<Result<Option<TokenTarget>, TokenStoreError>, tokio_postgres::Error> {
    let owner_of_id = transaction
        .query_opt(
            "SELECT owner FROM podtap_tokens WHERE id = $1",
            &[&TokenTarget::id_in(text)],
        )
        .await?;
    let is_owner = transaction
        .query_one(
            "SELECT EXISTS (SELECT 1 FROM podtap_tokens WHERE owner = $1)",
            &[&text],
        )
        .await?;
    let owner_of_id = owner_of_id.map(|row| row.get(0));
    Ok(TokenTarget::of(text, owner_of_id, is_owner.get(0)))
}
