//! Tests which agents may connect.

use jiff::Timestamp;

use super::{StoreBench, request, tokens_of, want};
use crate::tunnel::{RevokedCounts, TokenId, TokenStoreError};

pub(crate) async fn a_token_is_found_until_it_is_revoked<B: StoreBench>() {
    let bench = B::new().await;
    let (registry, tokens) = (&bench.store().registry, tokens_of(bench.store()));
    let token = tokens.create("ada").await.unwrap();
    let find = async || registry.find_token(TokenId::of(token.id())).await.unwrap();

    let known = find().await.unwrap();
    assert_eq!(known.owner, "ada");
    assert!(known.hash.matches(&token.hash()));
    assert_eq!(known.last_used_at, None);
    let other = registry.find_token(TokenId::of("zzzzzz")).await.unwrap();
    assert!(other.is_none());

    let revoked = tokens.revoke("ada", false).await.unwrap();
    let one = RevokedCounts {
        tokens: 1,
        tunnels: 0,
    };
    assert_eq!(revoked, one);
    assert!(find().await.is_none());
}

pub(crate) async fn tokens_are_listed_and_revoked_by_owner_or_id<B: StoreBench>() {
    let bench = B::new().await;
    let tokens = tokens_of(bench.store());
    let first = tokens.create("müller").await.unwrap();
    tokens.create("müller").await.unwrap();
    tokens.create("bob").await.unwrap();

    let revoke = async |who: &str| tokens.revoke(who, false).await.unwrap().tokens;
    assert_eq!(revoke(&format!("pt_{}…", first.id())).await, 1);
    assert_eq!(revoke("müller").await, 1, "the other one");
    assert_eq!(revoke("nobody").await, 0);

    let list = tokens.list().await.unwrap();
    let is_oldest_first = list.is_sorted_by_key(|token| token.created_at);
    assert!(list.len() == 3 && is_oldest_first, "{list:?}");
    let active = list.iter().filter(|token| token.revoked_at.is_none());
    let active: Vec<_> = active.map(|token| token.owner.as_str()).collect();
    assert_eq!(active, ["bob"]);
}

pub(crate) async fn a_name_that_is_also_another_owners_token_id_revokes_nothing<B: StoreBench>() {
    let bench = B::new().await;
    let tokens = tokens_of(bench.store());
    let bobs = tokens.create("bob").await.unwrap();
    tokens.create(bobs.id()).await.unwrap();

    let both = tokens.revoke(bobs.id(), false).await;

    assert!(
        matches!(both, Err(TokenStoreError::Ambiguous(_))),
        "{both:?}"
    );
    let list = tokens.list().await.unwrap();
    assert!(list.iter().all(|token| token.revoked_at.is_none()));
    let id = format!("pt_{}", bobs.id());
    assert_eq!(tokens.revoke(&id, false).await.unwrap().tokens, 1);
    let again = tokens.revoke("bob", false).await.unwrap();
    assert_eq!(again.tokens, 0, "it was bob's");
}

pub(crate) async fn an_owners_tunnels_go_with_the_last_token<B: StoreBench>() {
    let bench = B::new().await;
    let tokens = tokens_of(bench.store());
    let first = tokens.create("ada").await.unwrap();
    tokens.create("ada").await.unwrap();
    want(bench.store(), request("ada", "crm", None)).await;
    want(bench.store(), request("ada", "shop", None)).await;
    want(bench.store(), request("bob", "crm", None)).await;

    let refused = tokens.revoke(first.id(), true).await;
    assert!(
        matches!(refused, Err(TokenStoreError::StillInUse { .. })),
        "{refused:?}"
    );
    let list = tokens.list().await.unwrap();
    let active = list.iter().filter(|token| token.revoked_at.is_none());
    assert_eq!(active.count(), 2, "nothing was revoked");

    let revoked = tokens.revoke("ada", true).await.unwrap();
    assert_eq!((revoked.tokens, revoked.tunnels), (2, 2));
    let left = tokens.tunnels(None).await.unwrap();
    let owners: Vec<_> = left.iter().map(|tunnel| tunnel.owner.as_str()).collect();
    assert_eq!(owners, ["bob"]);
}

pub(crate) async fn the_use_of_a_token_is_kept<B: StoreBench>() {
    let bench = B::new().await;
    let (registry, tokens) = (&bench.store().registry, tokens_of(bench.store()));
    let token = tokens.create("ada").await.unwrap();
    let at = Timestamp::from_millisecond(1_764_000_000_123).unwrap();

    let used = registry.mark_used(TokenId::of(token.id()), at);
    used.await.unwrap();

    let list = tokens.list().await.unwrap();
    assert_eq!(list[0].last_used_at, Some(at));
}
