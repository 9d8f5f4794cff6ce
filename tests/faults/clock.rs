//! A clock that jumps, on either side: it is reported
//! at once, and no event is removed because of it.

use std::path::Path;

use crate::world::{World, find_broken};

/// Longer than the retention of any data.
const AHEAD_S: i64 = 400 * 24 * 60 * 60;

/// Number of events before the jump, in two lanes.
const EVENTS: u64 = 20;

/// Lets both clocks jump while there are events in the history and others in the relay's queue.
pub(crate) async fn a_clock_that_is_set_is_told(library: &Path) {
    let world = World::start(library, 1).await;
    let (accepted, mut senders) = world.send(2, EVENTS / 2);
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
    for machine in ["relay", "agent"] {
        let disk = match machine {
            "relay" => &world.relay_disk,
            _ => &world.agent_disk,
        };
        for (seconds, way) in [(AHEAD_S, 1), (0, -1)] {
            disk.set_clock(seconds);
            let told = |object: &serde_json::Value| {
                object["machine"] == machine
                    && object["by_ms"]
                        .as_i64()
                        .is_some_and(|by| by.signum() == way)
            };
            world.agent().object("clock", told).await;
        }
    }
    let history = world
        .wait_until_settled(usize::try_from(EVENTS).unwrap())
        .await;
    let broken = find_broken(&accepted.lock().unwrap(), &history);
    assert!(broken.is_empty(), "{broken:?}");
    println!("faults: clocks that are set are told, and nothing is removed for it");
}
