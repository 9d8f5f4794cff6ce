//! Tests that a repair finds what a sandbox lost in an outage: for any sequence of changes, with
//! the other events in any order, and nothing twice.

mod world;

use std::collections::BTreeSet;
use std::time::Duration;

use podtap_podio::EventType;
use podtap_sandbox::{CallRates, SendOutcome, SentWebhook};
use proptest::collection::vec;
use proptest::prelude::*;

use super::RepairReport;
use world::{ORDERS, Said, World};

/// A change or an outage in Podio.
#[derive(Debug, Clone)]
enum Happening {
    Create,
    Title(prop::sample::Index),
    Amount(prop::sample::Index),
    Comment(prop::sample::Index),
    Delete(prop::sample::Index),
    Outage(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    let item = any::<prop::sample::Index>;
    prop_oneof![
        2 => Just(Happening::Create),
        4 => item().prop_map(Happening::Title),
        3 => item().prop_map(Happening::Amount),
        1 => item().prop_map(Happening::Comment),
        1 => item().prop_map(Happening::Delete),
        3 => any::<bool>().prop_map(Happening::Outage),
    ]
}

fn said_of(sent: &SentWebhook) -> Said {
    let number = |name: &str| {
        let pair = sent.params.iter().find(|(known, _)| known == name);
        pair.unwrap().1.parse().unwrap()
    };
    (
        sent.hook_id,
        sent.event.to_string(),
        number("item_id"),
        number("item_revision_id"),
    )
}

/// Returns which lost events can be found: not the deletions, and nothing about a deleted item.
fn lost_events(sent: &[SentWebhook], left: &BTreeSet<u64>) -> BTreeSet<Said> {
    let swallowed = sent
        .iter()
        .filter(|sent| sent.outcome == SendOutcome::Swallowed);
    let swallowed = swallowed.filter(|sent| sent.event != EventType::ItemDelete);
    swallowed
        .map(said_of)
        .filter(|(_, _, item, _)| left.contains(item))
        .collect()
}

fn found_events(repaired: &RepairReport) -> BTreeSet<Said> {
    let lost = repaired.lost.iter();
    lost.map(|lost| {
        (
            lost.hook_id,
            lost.event.to_string(),
            lost.item_id,
            lost.revision,
        )
    })
    .collect()
}

async fn what_was_swallowed_is_repaired(happenings: Vec<Happening>, seed: u64) {
    let mut world = World::start(CallRates::default()).await;
    let (mut sent, left) = world.live(&happenings).await;
    let lost = lost_events(&sent, &left);
    fastrand::Rng::with_seed(seed).shuffle(&mut sent);
    world.arrive(&sent).await;

    let looked = world.repair(true).await;
    assert_eq!(
        (found_events(&looked), looked.lost.len()),
        (lost.clone(), lost.len())
    );
    assert!(
        world.repaired_events().await.is_empty(),
        "a dry run adds nothing"
    );
    let repaired = world.repair(false).await;
    assert_eq!(repaired.unfinished, Vec::<String>::new());
    assert_eq!(repaired.hooks, 4);
    assert_eq!(
        (found_events(&repaired), repaired.lost.len()),
        (lost.clone(), lost.len())
    );
    assert!(
        repaired.lost.iter().all(|lost| lost.by_hand),
        "{repaired:?}"
    );
    let kept = world.repaired_events().await;
    assert_eq!(kept.len(), lost.len());
    assert_eq!(kept.into_iter().collect::<BTreeSet<_>>(), lost);
    assert_eq!(world.repair(false).await.lost, []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_swallowed_is_repaired_once(
        mut happenings in vec(happening(), 1..40),
        begins in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        // Without an outage nothing is lost.
        happenings.insert(begins.index(happenings.len()), Happening::Outage(true));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(what_was_swallowed_is_repaired(happenings, seed));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_of_the_calls_is_left_and_the_next_repair_goes_on() {
    let limit = 40;
    let mut world = World::start(CallRates {
        general: limit,
        limited: 10,
        window: Duration::from_hours(1),
    })
    .await;
    world.sandbox.set_outage(true);
    for _ in 0..30 {
        world.perform("item.create", Some(ORDERS), None).await;
        world.next_sent().await;
    }

    let first = world.repair(false).await;

    assert!(
        first.unfinished[0].contains("a fifth is reserved"),
        "{first:?}"
    );
    let left = world.client.rate_limit().unwrap();
    assert!((1..30).contains(&first.lost.len()), "{first:?}");
    // Another client of the same person, which makes one more call, sees the remaining calls.
    world.client.app(ORDERS).await.unwrap();
    let now = world.client.rate_limit().unwrap();
    assert_eq!(
        (now.limit, now.remaining),
        (limit, limit / 5 - 1),
        "{left:?}"
    );
    let again = world.repair(false).await;
    assert_eq!((again.lost.len(), again.unfinished.len()), (0, 1));
}
