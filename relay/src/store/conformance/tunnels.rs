//! Tests which URL belongs to which tunnel.

use std::time::Duration;

use jiff::Timestamp;
use podtap_wire::{EventId, HeaderList, Seq, WebhookRequest};

use super::{StoreBench, name, request, tokens_of, want};
use crate::queue::conformance::NOBODY;
use crate::queue::{QueueError, TunnelId};
use crate::store::Store;
use crate::tunnel::registry::{RegistryRevision, Snapshot, TunnelGrant};

const DAY: Duration = Duration::from_hours(24);

async fn store_event(store: &Store, tunnel: TunnelId) -> Seq {
    let received_at = Timestamp::from_millisecond(1_764_000_000_123).unwrap();
    let request = WebhookRequest {
        received_at,
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: HeaderList::default(),
        peer: None,
        body: "type=item.update".into(),
    };
    let id = EventId::generate(received_at).unwrap();
    store.queue.append(tunnel, id, request).await.unwrap()
}

async fn changes(store: &Store, seen: RegistryRevision) -> Option<Snapshot> {
    store.registry.changes(seen, DAY).await.unwrap()
}

pub(crate) async fn a_tunnel_is_made_once_and_keeps_its_key<B: StoreBench>() {
    let bench = B::new().await;
    let store = bench.store();
    let (id, key, _) = want(store, request("ada", "crm", None)).await;

    let (again, same, _) = want(store, request("ada", "crm", None)).await;
    let (others, other, _) = want(store, request("bob", "crm", None)).await;

    assert_eq!((again, same), (id, key));
    assert!(others != id && other != key);
    // Two agents may ask for the same new tunnel at the same moment.
    let both = [request("eve", "x", None), request("eve", "x", None)];
    let both = both.map(|request| want(store, request));
    let both = futures_util::future::join_all(both).await;
    assert_eq!((both[0].0, both[0].1), (both[1].0, both[1].1));
    assert_ne!(both[0].2, both[1].2, "each has an epoch of its own");
}

pub(crate) async fn an_owner_has_as_many_tunnels_as_the_limit_says<B: StoreBench>() {
    let bench = B::new().await;
    let store = bench.store();
    for tunnel in ["a", "b", "c"] {
        want(store, request("ada", tunnel, None)).await;
    }

    let beyond = store.registry.want_tunnel(request("ada", "d", None)).await;

    assert_eq!(beyond.unwrap(), TunnelGrant::TooMany);
    want(store, request("ada", "a", None)).await;
    want(store, request("bob", "d", None)).await;
}

pub(crate) async fn an_epoch_is_given_once_to_the_newest<B: StoreBench>() {
    let bench = B::new().await;
    let epoch = async |had| want(bench.store(), request("ada", "crm", had)).await.2;
    assert_eq!(epoch(None).await, 1);
    assert_eq!(epoch(None).await, 2);
    assert_eq!(epoch(Some(1)).await, 1, "it comes back");
    assert_eq!(epoch(Some(9)).await, 3, "nobody gave it that one");
    assert_eq!(epoch(Some(0)).await, 4);
}

pub(crate) async fn changes_are_told_once<B: StoreBench>() {
    let bench = B::new().await;
    let (store, tokens) = (bench.store(), tokens_of(bench.store()));
    let first = changes(store, RegistryRevision::default()).await.unwrap();
    assert!(changes(store, first.revision).await.is_none());

    let token = tokens.create("ada").await.unwrap();
    let (id, key, _) = want(store, request("ada", "crm", None)).await;
    let second = changes(store, first.revision).await.unwrap();
    assert!(second.tokens.iter().any(|known| known.0 == token.id()));
    let known: Vec<_> = second.tunnels.iter().map(|it| (it.id, it.key)).collect();
    assert_eq!(known, [(id, key)]);
    assert_eq!(second.tunnels[0].name, name("crm"));
    assert_eq!(second.tunnels[0].until, None);
    assert!(changes(store, second.revision).await.is_none());

    tokens.revoke("ada", false).await.unwrap();
    let third = changes(store, second.revision).await.unwrap();
    assert!(third.tokens.is_empty());
    tokens.delete("ada", &name("crm")).await.unwrap();
    let fourth = changes(store, third.revision).await.unwrap();
    assert!(fourth.tunnels.is_empty());
}

pub(crate) async fn a_tunnel_closes_after_the_last_token_is_revoked<B: StoreBench>() {
    let bench = B::new().await;
    let (store, tokens) = (bench.store(), tokens_of(bench.store()));
    tokens.create("ada").await.unwrap();
    let second = tokens.create("ada").await.unwrap();
    want(store, request("ada", "crm", None)).await;
    let until = async || {
        let snapshot = changes(store, RegistryRevision::default()).await.unwrap();
        snapshot.tunnels[0].until
    };
    tokens.revoke(second.id(), false).await.unwrap();
    assert_eq!(until().await, None);

    let before = Timestamp::now();
    tokens.revoke("ada", false).await.unwrap();

    let closes = until().await.unwrap();
    let about = closes.duration_since(before).as_secs();
    assert!((86_300..=86_500).contains(&about), "{about}");
    tokens.create("ada").await.unwrap();
    assert_eq!(until().await, None, "a new token opens it again");
}

pub(crate) async fn a_rotated_key_leads_on_for_its_grace_and_no_longer<B: StoreBench>() {
    let bench = B::new().await;
    let (store, tokens) = (bench.store(), tokens_of(bench.store()));
    let (id, first, _) = want(store, request("ada", "crm", None)).await;
    let crm = name("crm");

    let rotated = tokens.rotate("ada", &crm, DAY).await.unwrap().unwrap();

    let seen = changes(store, RegistryRevision::default()).await.unwrap();
    assert_eq!(seen.tunnels[0].key, rotated.key);
    assert_ne!(rotated.key, first);
    let old: Vec<_> = seen.old_keys.iter().map(|it| (it.0, it.1)).collect();
    assert_eq!(old, [(first, id)]);
    let listed = tokens.tunnels(Some("ada")).await.unwrap();
    let until = listed[0].old_key_until.unwrap();
    assert_eq!(
        until.as_millisecond(),
        rotated.old_key_until.unwrap().as_millisecond()
    );

    let anew = tokens.rotate("ada", &crm, Duration::ZERO).await.unwrap();
    assert_eq!(anew.unwrap().old_key_until, None);
    let seen = changes(store, RegistryRevision::default()).await.unwrap();
    assert!(seen.old_keys.is_empty(), "a leaked key ends at once");
    let nobodys = tokens.rotate("bob", &crm, DAY).await.unwrap();
    assert_eq!(nobodys, None);
}

pub(crate) async fn a_deleted_tunnel_is_gone_with_what_waits<B: StoreBench>() {
    let bench = B::new().await;
    let (store, tokens) = (bench.store(), tokens_of(bench.store()));
    let (id, key, _) = want(store, request("ada", "crm", None)).await;
    store_event(store, id).await;

    assert!(!tokens.delete("bob", &name("crm")).await.unwrap());
    assert!(tokens.delete("ada", &name("crm")).await.unwrap());
    assert!(!tokens.delete("ada", &name("crm")).await.unwrap());

    let totals = store.queue.totals().await.unwrap();
    assert_eq!(totals.events, 0);
    let gone = store.queue.acknowledge(id, NOBODY, Seq(1));
    assert_eq!(gone.await, Err(QueueError::UnknownTunnel));
    let (new, fresh, epoch) = want(store, request("ada", "crm", Some(1))).await;
    assert!(new != id && fresh != key && epoch == 1);
    assert_eq!(store_event(store, new).await, Seq(1));
}

pub(crate) async fn a_list_says_what_waits<B: StoreBench>() {
    let bench = B::new().await;
    let (store, tokens) = (bench.store(), tokens_of(bench.store()));
    let (id, key, _) = want(store, request("ada", "shop", None)).await;
    want(store, request("ada", "crm", None)).await;
    want(store, request("bob", "a", None)).await;
    store_event(store, id).await;
    store_event(store, id).await;

    let all = tokens.tunnels(None).await.unwrap();
    let names: Vec<_> = all.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["crm", "shop", "a"], "by owner and name");
    let mine = tokens.tunnels(Some("ada")).await.unwrap();
    assert_eq!(mine.len(), 2);
    let shop = &mine[1];
    assert_eq!((shop.id, shop.key, shop.backlog), (id, key, 2));
    assert!(shop.backlog_bytes > 0 && shop.last_event_at.is_some());
    assert_eq!(shop.connected, None);
    assert_eq!(mine[0].last_event_at, None);
}

pub(crate) async fn tunnels_and_tokens_outlive_a_restart<B: StoreBench>() {
    let bench = B::new().await;
    let tokens = tokens_of(bench.store());
    tokens.create("ada").await.unwrap();
    want(bench.store(), request("ada", "crm", None)).await;
    let url = "https://hooks.example.com/".to_owned();
    let told = bench.store().registry.tell_public_url(url.clone());
    told.await.unwrap();
    let before = (
        tokens.list().await.unwrap(),
        tokens.tunnels(None).await.unwrap(),
    );
    drop(tokens);

    let bench = bench.restart().await;

    let tokens = tokens_of(bench.store());
    let after = (
        tokens.list().await.unwrap(),
        tokens.tunnels(None).await.unwrap(),
    );
    assert_eq!(after, before);
    assert_eq!(tokens.public_url().await.unwrap(), Some(url));
    let epoch = want(bench.store(), request("ada", "crm", Some(1))).await.2;
    assert_eq!(epoch, 1, "an agent that comes back keeps its epoch");
}
