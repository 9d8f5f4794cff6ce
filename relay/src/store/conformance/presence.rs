//! Tests which agent has a tunnel.

use jiff::Timestamp;
use podtap_wire::Respond;

use super::{StoreBench, request, want};
use crate::queue::{SessionId, TunnelId};
use crate::roster::{ClaimOutcome, HoldingAgent, TunnelClaim};
use crate::store::Store;
use crate::tunnel::AgentConnection;

/// Returns the claim of an agent with this epoch that a person starts.
pub(crate) fn claim(epoch: u64) -> TunnelClaim {
    TunnelClaim {
        respond: Respond::Local,
        epoch,
        comes_back: false,
        take_over: false,
        connected: AgentConnection {
            since: Timestamp::from_millisecond(1_764_000_000_123).unwrap(),
            host: Some("ann-laptop".to_owned()),
            peer: "2001:db8::1".to_owned(),
        },
    }
}

async fn tunnel(store: &Store) -> TunnelId {
    want(store, request("ada", "crm", None)).await.0
}

/// Makes a claim that must succeed.
pub(crate) async fn take(
    store: &Store,
    tunnel: TunnelId,
    claim: TunnelClaim,
) -> (SessionId, Option<HoldingAgent>) {
    match store.roster.take(tunnel, claim, None).await.unwrap() {
        ClaimOutcome::Taken { session, from } => (session, from),
        ClaimOutcome::Contested(holder) => panic!("{holder:?} has it"),
    }
}

async fn claim_contested(store: &Store, tunnel: TunnelId, claim: TunnelClaim) -> HoldingAgent {
    match store.roster.take(tunnel, claim, None).await.unwrap() {
        ClaimOutcome::Contested(holder) => holder,
        ClaimOutcome::Taken { .. } => panic!("it was taken"),
    }
}

/// Repeats a claim until the session that has left does not stand in its way any more.
async fn taken_once_left(
    store: &Store,
    tunnel: TunnelId,
    claim: TunnelClaim,
) -> Option<HoldingAgent> {
    loop {
        match store
            .roster
            .take(tunnel, claim.clone(), None)
            .await
            .unwrap()
        {
            ClaimOutcome::Taken { from, .. } => return from,
            ClaimOutcome::Contested(_) => {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }
    }
}

pub(crate) async fn a_tunnel_has_one_agent_and_is_given_back<B: StoreBench>() {
    let bench = B::new().await;
    let (store, tunnel) = (bench.store(), tunnel(bench.store()).await);
    let (session, from) = take(store, tunnel, claim(2)).await;
    assert_eq!(from, None);

    let late = TunnelClaim {
        comes_back: true,
        ..claim(1)
    };
    let holder = claim_contested(store, tunnel, late.clone()).await;
    let expected = HoldingAgent {
        session,
        is_here: true,
        epoch: 2,
        respond: Respond::Local,
        connected: claim(2).connected,
    };
    assert_eq!(holder, expected);

    store.roster.leave(tunnel, session);
    assert_eq!(taken_once_left(store, tunnel, late).await, None);
}

pub(crate) async fn the_newest_agent_takes_over_and_an_older_one_waits<B: StoreBench>() {
    let bench = B::new().await;
    let (store, tunnel) = (bench.store(), tunnel(bench.store()).await);
    let (first, _) = take(store, tunnel, claim(1)).await;

    let (_, from) = take(store, tunnel, claim(2)).await;

    assert_eq!(from.unwrap().session, first);
    // A supervisor restarts the agent that lost the tunnel at once.
    let holder = claim_contested(store, tunnel, claim(3)).await;
    assert_eq!(holder.epoch, 2);
    let wanted = TunnelClaim {
        take_over: true,
        ..claim(3)
    };
    let (_, from) = take(store, tunnel, wanted).await;
    assert_eq!(from.unwrap().epoch, 2, "a person wants it");
    let own = TunnelClaim {
        comes_back: true,
        ..claim(3)
    };
    take(store, tunnel, own).await;
}

pub(crate) async fn one_that_is_dead_is_in_nobodys_way<B: StoreBench>() {
    let bench = B::new().await;
    let (store, tunnel) = (bench.store(), tunnel(bench.store()).await);
    let (dead, _) = take(store, tunnel, claim(2)).await;
    let late = TunnelClaim {
        comes_back: true,
        ..claim(1)
    };
    claim_contested(store, tunnel, late.clone()).await;

    let taken = store.roster.take(tunnel, late, Some(dead)).await.unwrap();

    assert!(matches!(taken, ClaimOutcome::Taken { .. }), "{taken:?}");
}

pub(crate) async fn a_session_that_lost_its_tunnel_gives_nothing_back<B: StoreBench>() {
    let bench = B::new().await;
    let (store, tunnel) = (bench.store(), tunnel(bench.store()).await);
    let (first, _) = take(store, tunnel, claim(1)).await;
    let (second, _) = take(store, tunnel, claim(2)).await;

    store.roster.leave(tunnel, first);

    // `leave` may take effect later: a claim to another tunnel gives it time.
    let other = want(store, request("bob", "other", None)).await.0;
    take(store, other, claim(1)).await;
    let late = TunnelClaim {
        comes_back: true,
        ..claim(1)
    };
    assert_eq!(claim_contested(store, tunnel, late).await.session, second);
}

pub(crate) async fn session_numbers_grow<B: StoreBench>() {
    let bench = B::new().await;
    let (store, tunnel) = (bench.store(), tunnel(bench.store()).await);
    let mut last = SessionId(0);
    for epoch in 1..5 {
        let wanted = TunnelClaim {
            take_over: true,
            ..claim(epoch)
        };
        let (session, _) = take(store, tunnel, wanted).await;
        assert!(session > last);
        last = session;
    }
}
