//! `--respond local`, and a part killed at each step of a request. Whatever was answered is in the
//! history once and was offered; what was not may come again.

use std::path::Path;

use crate::support::Service;
use crate::world::{Accepted, World, broken};

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The local service has it and says nothing; it is in the history.
    Delivered,
    /// The local service has answered, the history's commit hangs.
    Uncommitted,
    /// The sender has its answer.
    Answered,
    /// The relay has stored it and answered by itself; the agent has it already.
    Stored,
}

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
    Relay,
    Agent,
    /// With what was not synced.
    AgentWithPower,
    Both,
}

pub(crate) async fn killed_at_each_step(library: &Path) {
    use Killed::{Agent, AgentWithPower, Both, Relay};
    for step in [
        Step::Delivered,
        Step::Uncommitted,
        Step::Answered,
        Step::Stored,
    ] {
        for killed in [Relay, Agent, AgentWithPower, Both] {
            killed_at(library, step, killed).await;
            println!("faults: respond local: {killed:?} killed when {step:?}: in the history once");
        }
    }
}

async fn killed_at(library: &Path, step: Step, killed: Killed) {
    let mut world = World::start_with(library, 1, "local", Service::start().await).await;
    let is_silent = matches!(step, Step::Delivered | Step::Stored);
    world.service.is_silent(is_silent);
    if step == Step::Uncommitted {
        world.agent_disk.hold(true);
    }
    let (accepted, mut senders) = world.send(1, 1);
    match step {
        Step::Delivered => {
            world.offered(1).await;
            // Told after the commit.
            world.taken(1).await;
        }
        Step::Uncommitted => world.offered(1).await,
        Step::Answered | Step::Stored => ends(&mut senders).await,
    }
    if matches!(step, Step::Delivered | Step::Uncommitted) {
        assert!(is_empty(&accepted), "{step:?}: it is answered too early");
    }
    if matches!(killed, Killed::Relay | Killed::Both) {
        world.end_relay();
    }
    if killed != Killed::Relay {
        world.end_agent(killed == Killed::AgentWithPower);
    }
    world.service.is_silent(false);
    if step == Step::Uncommitted {
        world.agent_disk.hold(false);
    }
    if killed == Killed::Both && step == Step::Answered {
        assert_eq!(world.waiting(), 0, "the relay has stored nothing of it");
    }
    if matches!(killed, Killed::Relay | Killed::Both) {
        world.restart_relay(false).await;
    }
    if killed != Killed::Relay {
        world.start_agent();
    }
    // Whoever got no answer has sent it again by now, as another event.
    ends(&mut senders).await;
    let history = world.settled(1).await;
    let broken = broken(&accepted.lock().unwrap(), &history);
    assert!(broken.is_empty(), "{step:?}, {killed:?}: {broken:?}");
    let most = if is_again(step, killed) { 2 } else { 1 };
    assert!(history.len() <= most, "{step:?}, {killed:?}: {history:?}");
}

/// Whether the sender had no answer, and had to send it again.
fn is_again(step: Step, killed: Killed) -> bool {
    matches!(step, Step::Delivered | Step::Uncommitted)
        && matches!(killed, Killed::Relay | Killed::Both)
}

fn is_empty(accepted: &Accepted) -> bool {
    accepted.lock().unwrap().iter().all(Vec::is_empty)
}

async fn ends(senders: &mut tokio::task::JoinSet<()>) {
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
}
