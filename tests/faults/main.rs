//! Causes faults that depend on a seed: killed processes, power cuts, full or
//! broken disks, connections that are cut at any byte or silent. Afterwards each
//! webhook that was answered 200 must be in the history once and in order, and must
//! have been offered to the local service. No fault may need help from a person.
//!
//! `cargo test --test faults` runs a few seeds,
//! `cargo test --test faults -- --seeds 1..200` more, and `-- --seeds 17 --events 2000` one for
//! longer. A control run shows that the tests catch a disk that lies about its syncs; otherwise
//! they would prove nothing.

#![allow(
    dead_code,
    unused_imports,
    reason = "of what end-to-end tests share, this needs a part"
)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test says what went wrong by panicking"
)]

mod clock;
mod pass_through;
mod proxy;
mod recovery;
mod shim;
#[path = "../e2e/support/mod.rs"]
mod support;
mod world;

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use support::Service;
use world::{World, find_broken};

/// Number of parallel senders; each sends in order.
const LANES: u64 = 4;

/// Number of faults per run.
const FAULTS: u64 = 6;

struct Arguments {
    seeds: Range<u64>,
    events: u64,
}

fn arguments() -> Arguments {
    let mut arguments = Arguments {
        seeds: 1..3,
        events: 160,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("a value");
        match word.as_str() {
            "--seeds" => {
                let text = value();
                let (from, to) = text.split_once("..").unwrap_or((&text, ""));
                let from: u64 = from.parse().expect("a number");
                let to = to.parse().unwrap_or(from + 1);
                arguments.seeds = from..to;
            }
            "--events" => arguments.events = value().parse().expect("a number"),
            // Ignores the arguments that `cargo test` passes to every test binary.
            _ => {}
        }
    }
    arguments
}

fn main() {
    let Arguments { seeds, events } = arguments();
    if std::env::args().any(|word| word == "--list") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = shim::compile(folder.path()) else {
        println!("faults: skipped, there is no cc to compile the disk's faults");
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for seed in seeds {
        for respond in ["stored", "local"] {
            runtime.block_on(faults(&library, seed, events, respond));
        }
    }
    runtime.block_on(pass_through::killed_at_each_step(&library));
    runtime.block_on(recovery::each_fault_passes(&library));
    runtime.block_on(clock::a_clock_that_is_set_is_told(&library));
    runtime.block_on(kill_after_acknowledgement(&library));
    runtime.block_on(full_at_the_start(&library));
    for with_power in [false, true] {
        runtime.block_on(killed_between_delivery_and_commit(&library, with_power));
    }
    for lies in [false, true] {
        runtime.block_on(control(&library, lies));
    }
}

/// Does one run. The seed decides the faults and their times.
async fn faults(library: &Path, seed: u64, events: u64, respond: &'static str) {
    let mut random = fastrand::Rng::with_seed(seed);
    let service = Service::start().await;
    let mut world = World::start_with(library, seed, respond, service).await;
    let (accepted, mut senders) = world.send(LANES, events / LANES);
    world.line.is_bad(true);
    let mut came = Vec::new();
    for _ in 0..FAULTS {
        let time = Duration::from_millis(random.u64(50..400));
        tokio::time::sleep(time).await;
        let fault = random.u8(0..11);
        came.push(fault);
        match fault {
            0 => world.restart_relay(false).await,
            1 => world.restart_relay(true).await,
            2 | 3 => {
                world.end_agent(fault == 3);
                world.start_agent();
            }
            4 => world.relay_disk.fail("enospc", time).await,
            5 => world.relay_disk.fail("eio", time).await,
            6 => world.agent_disk.fail("enospc", time).await,
            7 => world.agent_disk.fail("eio", time).await,
            8 => world.line.hold(time).await,
            9 => {
                let disks = [&world.relay_disk, &world.agent_disk];
                let days = random.i64(-20_000..20_000);
                disks[random.usize(0..2)].set_clock(days * 24 * 60 * 60);
            }
            _ => world.line.cut_connections(),
        }
    }
    world.line.is_bad(false);
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
    let accepted = accepted.lock().unwrap().clone();
    let count = accepted.iter().map(Vec::len).sum();
    let history = world.wait_until_settled(count).await;
    let broken = find_broken(&accepted, &history);
    assert!(
        broken.is_empty(),
        "seed {seed}, respond {respond}, faults {came:?}: {broken:?}\n{}",
        world.agent_words()
    );
    println!("faults: seed {seed}, respond {respond}: {count} accepted, all there after {came:?}");
}

/// Kills a relay when the agent has acknowledged everything but little of it is deleted.
/// Events that are sent again must be in the history once, and must not be delivered again.
async fn kill_after_acknowledgement(library: &Path) {
    const EVENTS: u64 = 40;
    let mut world = World::start(library, 1).await;
    let (accepted, mut senders) = world.send(1, EVENTS);
    world.wait_until_taken(EVENTS).await;
    let waiting = world.restart_relay_and_count().await;
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
    let history = world
        .wait_until_settled(usize::try_from(EVENTS).unwrap())
        .await;
    let broken = find_broken(&accepted.lock().unwrap(), &history);
    assert!(broken.is_empty(), "{broken:?}");
    world.is_drained().await;
    let offered = world.service.requests().len();
    assert_eq!(offered, history.len(), "each was offered once");
    println!("faults: {waiting} of {EVENTS} acknowledged events came again after a kill");
}

/// Starts a relay on a full disk: it serves, refuses
/// webhooks, and accepts them when there is space again.
async fn full_at_the_start(library: &Path) {
    const EVENTS: u64 = 10;
    let mut world = World::start(library, 1).await;
    world.end_agent(false);
    let (accepted, mut senders) = world.send(1, EVENTS);
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
    world.relay_disk.is_full(true);
    world.restart_relay(false).await;
    assert!(!world.is_taken(EVENTS).await, "there is no room for it");
    world.relay_disk.is_full(false);
    world.start_agent();
    while !world.is_taken(EVENTS).await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    accepted.lock().unwrap()[0].push(EVENTS);
    let history = world
        .wait_until_settled(usize::try_from(EVENTS).unwrap() + 1)
        .await;
    let broken = find_broken(&accepted.lock().unwrap(), &history);
    assert!(broken.is_empty(), "{broken:?}");
    println!("faults: a relay started on a full disk, and took webhooks when there was room");
}

/// Ends an agent that has delivered an event while its commit hangs. The event was
/// not acknowledged, so it is sent again, is stored once, and is offered again.
async fn killed_between_delivery_and_commit(library: &Path, with_power: bool) {
    let mut world = World::start(library, 1).await;
    world.agent_disk.hold(true);
    let (accepted, mut senders) = world.send(1, 1);
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
    world.wait_until_offered(1).await;
    world.end_agent(with_power);
    world.agent_disk.hold(false);
    world.start_agent();
    let history = world.wait_until_settled(1).await;
    let broken = find_broken(&accepted.lock().unwrap(), &history);
    assert!(
        broken.is_empty() && history.len() == 1,
        "{history:?}: {broken:?}"
    );
    println!("faults: killed between delivery and commit: the event is there once");
}

/// Cuts the power while only the relay has the events. An honest
/// disk keeps them, a lying one does not, and the test must notice.
async fn control(library: &Path, lies: bool) {
    const EVENTS: u64 = 20;
    let mut world = World::start(library, 1).await;
    world.end_agent(false);
    if lies {
        world.relay_disk.lie();
    }
    let (accepted, mut senders) = world.send(1, EVENTS);
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
    world.restart_relay(true).await;
    world.start_agent();
    let at_least = if lies { 0 } else { EVENTS };
    let history = world
        .wait_until_settled(usize::try_from(at_least).unwrap())
        .await;
    let broken = find_broken(&accepted.lock().unwrap(), &history);
    assert_eq!(!broken.is_empty(), lies, "{broken:?}");
    if lies {
        println!("faults: control: a disk that lies about its syncs is caught");
    }
}
