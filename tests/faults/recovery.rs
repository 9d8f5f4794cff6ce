//! Single faults of the agent's disk: the agent reports each, and recovers without help.

use std::path::Path;
use std::time::Duration;

use crate::support::Process;
use crate::world::{World, find_broken};

/// Number of events per fault.
const EVENTS: u64 = 8;

/// Longer than a write waits for another program.
const HELD_FOR: Duration = Duration::from_secs(13);

/// The fault of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// The disk is full before the agent starts.
    FullAtStart,
    /// One write fails.
    OneError,
    /// Another program locks the history.
    Held,
}

/// Tries each fault on its own stage.
pub(crate) async fn each_fault_passes(library: &Path) {
    for wrong in [Wrong::FullAtStart, Wrong::OneError, Wrong::Held] {
        passes(library, wrong).await;
        println!("faults: {wrong:?} is told and passes");
    }
}

async fn passes(library: &Path, wrong: Wrong) {
    let mut world = World::start(library, 1).await;
    let folder = world.stage.home().join("data/podtap/tunnels");
    match wrong {
        Wrong::FullAtStart => {
            world.end_agent(false);
            std::fs::remove_dir_all(&folder).unwrap();
            world.agent_disk.is("enospc", true);
            world.start_agent();
            is_told(world.agent(), "the disk is too full to open the history").await;
        }
        Wrong::OneError => world.agent_disk.is("eio-once", true),
        Wrong::Held => {}
    }
    let holder = (wrong == Wrong::Held).then(|| {
        let other = rusqlite::Connection::open(folder.join("crm.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other
    });
    let (accepted, mut senders) = world.send(1, EVENTS);
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
    match wrong {
        Wrong::FullAtStart => world.agent_disk.is("enospc", false),
        // This fault is over by itself.
        Wrong::OneError => {}
        Wrong::Held => {
            tokio::time::sleep(HELD_FOR).await;
            is_told(world.agent(), "another program holds the file").await;
            drop(holder);
        }
    }
    let history = world
        .wait_until_settled(usize::try_from(EVENTS).unwrap())
        .await;
    let broken = find_broken(&accepted.lock().unwrap(), &history);
    assert!(broken.is_empty(), "{wrong:?}: {broken:?}");
}

async fn is_told(agent: &Process, words: &str) {
    let told = |link: &serde_json::Value| {
        let reason = link["reason"].as_str();
        reason.is_some_and(|reason| reason.contains(words))
    };
    agent.object("link", told).await;
}
