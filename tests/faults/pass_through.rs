//! Kills a part at each step of a request with `--respond local`. Each event with a response
//! must be in the history once and must have been offered; the others may arrive again.

use std::path::Path;

use crate::support::Service;
use crate::world::{AcceptedEvents, World, find_broken};

/// The step that a request has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The local service has received the event but not responded; the event is in the history.
    Delivered,
    /// The local service has responded, but the commit of the history hangs.
    Uncommitted,
    /// The sender has received the response.
    Answered,
    /// The relay has stored the event and responded by itself; the agent has the event already.
    Stored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KillTarget {
    Relay,
    Agent,
    /// The agent, and its disk loses what was not synced.
    AgentWithPower,
    Both,
}

pub(crate) async fn killed_at_each_step(library: &Path) {
    use KillTarget::{Agent, AgentWithPower, Both, Relay};
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

async fn killed_at(library: &Path, step: Step, killed: KillTarget) {
    let mut world = World::start_with(library, 1, "local", Service::start().await).await;
    let is_silent = matches!(step, Step::Delivered | Step::Stored);
    world.service.is_silent(is_silent);
    if step == Step::Uncommitted {
        world.agent_disk.hold(true);
    }
    let (accepted, mut senders) = world.send(1, 1);
    match step {
        Step::Delivered => {
            world.wait_until_offered(1).await;
            // The agent prints an event after its commit.
            world.wait_until_taken(1).await;
        }
        Step::Uncommitted => world.wait_until_offered(1).await,
        Step::Answered | Step::Stored => ends(&mut senders).await,
    }
    if matches!(step, Step::Delivered | Step::Uncommitted) {
        assert!(is_empty(&accepted), "{step:?}: it is answered too early");
    }
    if matches!(killed, KillTarget::Relay | KillTarget::Both) {
        world.end_relay();
    }
    if killed != KillTarget::Relay {
        world.end_agent(killed == KillTarget::AgentWithPower);
    }
    world.service.is_silent(false);
    if step == Step::Uncommitted {
        world.agent_disk.hold(false);
    }
    if killed == KillTarget::Both && step == Step::Answered {
        assert_eq!(world.waiting(), 0, "the relay has stored nothing of it");
    }
    if matches!(killed, KillTarget::Relay | KillTarget::Both) {
        world.restart_relay(false).await;
    }
    if killed != KillTarget::Relay {
        world.start_agent();
    }
    // Senders without a response have repeated their request, which is another event.
    ends(&mut senders).await;
    let history = world.wait_until_settled(1).await;
    let broken = find_broken(&accepted.lock().unwrap(), &history);
    assert!(broken.is_empty(), "{step:?}, {killed:?}: {broken:?}");
    let most = if is_again(step, killed) { 2 } else { 1 };
    assert!(history.len() <= most, "{step:?}, {killed:?}: {history:?}");
}

/// Returns whether the sender had no response, so it had to repeat the request.
fn is_again(step: Step, killed: KillTarget) -> bool {
    matches!(step, Step::Delivered | Step::Uncommitted)
        && matches!(killed, KillTarget::Relay | KillTarget::Both)
}

fn is_empty(accepted: &AcceptedEvents) -> bool {
    accepted.lock().unwrap().iter().all(Vec::is_empty)
}

async fn ends(senders: &mut tokio::task::JoinSet<()>) {
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
}
