//! Tests which agent gets a tunnel that several agents of one relay want.

use std::time::Duration;

use super::*;
use crate::roster::memory::MemoryRoster;

fn claim(epoch: u64, comes_back: bool) -> TunnelClaim {
    TunnelClaim {
        respond: Respond::Stored,
        epoch,
        comes_back,
        take_over: false,
        connected: AgentConnection {
            since: Timestamp::UNIX_EPOCH,
            host: None,
            peer: "::1".to_owned(),
        },
    }
}

fn presence() -> Arc<Presence> {
    Arc::new(Presence::new(Arc::new(MemoryRoster::default())))
}

async fn take(presence: &Arc<Presence>, claim: TunnelClaim) -> Option<TunnelHold> {
    let key = TunnelKey::from_bytes([7; 16]);
    let tunnel = Tunnel::new(TunnelId(1), key, "crm".parse().unwrap());
    let owner = Owner {
        name: "ada".to_owned(),
        token: TokenId::of("abcdef"),
    };
    let pulse = Arc::default();
    match presence.take(&tunnel, &owner, claim, pulse, None).await {
        Ok(PresenceClaim::Taken { hold, .. }) => Some(hold),
        Ok(PresenceClaim::Contested(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_started_takes_over_and_who_comes_back_late_does_not() {
    let here = presence();
    let mut first = take(&here, claim(1, false)).await.unwrap();
    let _second = take(&here, claim(2, false)).await.unwrap();
    assert!(matches!(first.wait_for_end().await, End::TakenOver(_)));
    assert!(take(&here, claim(1, true)).await.is_none(), "it slept");
    assert!(take(&here, claim(2, true)).await.is_some(), "its own");
    // After the relay's restart, the older agent connected first; the newer one gets the
    // tunnel back.
    let anew = presence();
    let _first = take(&anew, claim(1, true)).await.unwrap();
    assert!(take(&anew, claim(2, true)).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_fight_of_supervisors_dies_down() {
    let here = presence();
    let mut hold = take(&here, claim(1, false)).await.unwrap();
    let (mut epoch, mut take_overs) = (1, 0);
    // The agent that loses the tunnel is restarted after a second.
    for _ in 0..4 * 3600 {
        epoch += 1;
        if let Some(next) = take(&here, claim(epoch, false)).await {
            hold = next;
            take_overs += 1;
        }
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert!((3..=10).contains(&take_overs), "{take_overs}");
    drop(hold);
    assert!(
        take(&here, claim(epoch + 1, false)).await.is_some(),
        "nobody has it"
    );
}

#[tokio::test(start_paused = true)]
async fn a_person_gets_the_tunnel_whoever_has_it() {
    let here = presence();
    let _first = take(&here, claim(1, false)).await.unwrap();
    let _second = take(&here, claim(2, false)).await.unwrap();
    assert!(take(&here, claim(3, false)).await.is_none());
    let wanted = TunnelClaim {
        take_over: true,
        ..claim(3, false)
    };
    assert!(take(&here, wanted).await.is_some());
}
