//! Builds the request that Podio would have sent for an event (podio.md 1.2). Pure.

use fastrand::Rng;
use jiff::Timestamp;
use podtap_wire::{EventId, WebhookRequest};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::expected::{ItemHook, MadeRevision};
use crate::draft::Draft;
use crate::history::{RepairedEvent, ReportedChange};
use crate::hooks::path_below_key;

/// Returns the rebuilt event; `None` for a hook whose URL is not a tunnel's.
pub(super) fn compose(
    hook: &ItemHook,
    made: &MadeRevision,
    item_id: u64,
    external_id: Option<&str>,
    now: Timestamp,
) -> Option<RepairedEvent> {
    let url = Url::parse(&hook.url).ok()?;
    let told = ReportedChange {
        hook_id: hook.hook_id,
        event: made.event,
        revision: made.revision,
    };
    let (id, seed) = identity(told, item_id, made.at);
    let mut params = vec![
        ("item_id".to_owned(), item_id.to_string()),
        ("item_revision_id".to_owned(), made.revision.to_string()),
        ("type".to_owned(), made.event.to_string()),
        ("hook_id".to_owned(), hook.hook_id.to_string()),
    ];
    params.extend(external_id.map(|id| ("external_id".to_owned(), id.to_owned())));
    // Podio's parameters have no fixed order; those that it takes from the URL come last.
    Rng::with_seed(seed).shuffle(&mut params);
    let query = url.query_pairs();
    params.extend(query.map(|(name, value)| (name.into_owned(), value.into_owned())));
    let request = WebhookRequest {
        received_at: now,
        path: path_below_key(&url)?.to_owned(),
        ..Draft::of_params(params).request
    };
    Some(RepairedEvent {
        id,
        item_id,
        told,
        request,
    })
}

/// Returns an id and a seed that are the same each time the same event is rebuilt.
fn identity(told: ReportedChange, item_id: u64, at: Timestamp) -> (EventId, u64) {
    let mut hash = Sha256::new();
    hash.update(b"repaired");
    for number in [told.hook_id, item_id, told.revision] {
        hash.update(number.to_be_bytes());
    }
    hash.update(told.event.as_str());
    let digest = hash.finalize();
    let number = digest.iter().take(16);
    let number = number.fold(0, |all, byte| (all << 8) | u128::from(*byte));
    let seed = digest.iter().skip(16).take(8);
    let seed = seed.fold(0, |all, byte| (all << 8) | u64::from(*byte));
    (EventId::from_parts(at, number), seed)
}

#[cfg(test)]
mod tests {
    use podtap_podio::{EventType, decode};

    use super::*;

    const KEY: &str = "k3v2m2p7q4w6x5z6t3r2s2abca";

    fn compose_one(url: &str, external_id: Option<&str>) -> Option<RepairedEvent> {
        let hook = ItemHook {
            hook_id: 7,
            event: EventType::ItemUpdate,
            app_id: 1,
            field_id: None,
            url: url.to_owned(),
            since: None,
        };
        let made = MadeRevision {
            revision: 3,
            event: EventType::ItemUpdate,
            at: Timestamp::from_second(1_800_000_000).unwrap(),
        };
        compose(&hook, &made, 4711, external_id, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn it_says_what_podio_would_and_goes_where_the_hook_leads() {
        let url = format!("https://relay.example/{KEY}/podio/hook?env=dev&x=a%20b");
        let event = compose_one(&url, Some("BUG 17")).unwrap();
        assert_eq!(
            (event.request.path.as_str(), event.request.method.as_str()),
            ("/podio/hook", "POST")
        );
        let podio = decode(None, &event.request.body).unwrap();
        assert_eq!(podio.kind.as_str(), "item.update");
        for (name, value) in [
            ("item_id", "4711"),
            ("item_revision_id", "3"),
            ("hook_id", "7"),
            ("external_id", "BUG 17"),
            ("env", "dev"),
            ("x", "a b"),
        ] {
            assert_eq!(podio.param(name), Some(value), "{name}");
        }
        let plain = compose_one(&url, None).unwrap();
        assert_eq!(
            decode(None, &plain.request.body)
                .unwrap()
                .param("external_id"),
            None
        );
        // The id depends on the event's identity, not on its parameters.
        assert_eq!(plain.id, event.id);
    }

    #[test]
    fn a_hook_that_leads_to_no_tunnel_sends_nothing_here() {
        assert!(compose_one("https://shop.example/podio", None).is_none());
        assert!(compose_one("gone", None).is_none());
    }
}
