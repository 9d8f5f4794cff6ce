//! An idle relay and an idle agent sleep: they wait for events instead of polling for them.

use std::time::Duration;

use crate::support::{Process, Service, Stage, form_post};

/// Maximum wake-ups per second of each process: about 4 if only its own timers wake it.
const MOST_A_SECOND: f64 = 8.0;

/// Duration of the measurement.
const WATCHED: Duration = Duration::from_secs(10);

/// Time for work after the last webhook: deleting acknowledged events, indexing.
const SETTLED_AFTER: Duration = Duration::from_secs(4);

/// Returns how often the process's threads have gone to sleep voluntarily.
/// Preemption by other processes on a busy machine does not count.
fn sleeps(process: &Process) -> f64 {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", process.pid())).unwrap();
    let of_thread = |task: std::io::Result<std::fs::DirEntry>| -> Option<f64> {
        let status = std::fs::read_to_string(task.ok()?.path().join("status")).ok()?;
        let mut lines = status.lines();
        let found = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        found?.trim().parse().ok()
    };
    tasks.filter_map(of_thread).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn relay_and_agent_sleep_while_there_is_nothing_to_do() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let (agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    form_post(&url, b"type=item.create&item_id=1").await;
    service.wait_for(1).await;
    tokio::time::sleep(SETTLED_AFTER).await;

    let before = [sleeps(&relay.process), sleeps(&agent)];
    tokio::time::sleep(WATCHED).await;
    let after = [sleeps(&relay.process), sleeps(&agent)];

    for ((name, before), after) in ["relay", "agent"].into_iter().zip(before).zip(after) {
        let a_second = (after - before) / WATCHED.as_secs_f64();
        assert!(a_second <= MOST_A_SECOND, "{name}: {a_second} a second");
    }
}
