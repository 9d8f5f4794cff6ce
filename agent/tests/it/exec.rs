//! Tests commands that run instead of a local service.

use std::path::Path;
use std::time::Duration;

use podtap_agent::history::{EventRow, NewEvent, Outcome};
use podtap_agent::{AgentConfig, CommandEnd, ServiceState, Target};
use tempfile::TempDir;

use crate::support::running::{RunningAgent, append};
use crate::support::{delivering, event, eventually, item_update};

/// Returns the configuration of an agent that runs this
/// script for the events, with `$D` for the test's folder.
async fn running(folder: &TempDir, script: &str, events: Vec<NewEvent>) -> AgentConfig {
    append(folder, events).await;
    let mut config = delivering(folder, "127.0.0.1:9".parse().unwrap());
    let command = format!("exec:D={}; {script}", folder.path().display());
    config.target = Some(Target::from_setting(&command).unwrap());
    config
}

/// Returns the outcome of an event's last attempt.
async fn outcome_of(running: &RunningAgent, row: &EventRow) -> Outcome {
    let attempts = running.handle.history().attempts(row.id).await.unwrap();
    attempts.into_iter().next_back().unwrap().outcome
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// Returns the outcome of one run of this script.
async fn outcome(script: &str) -> Outcome {
    let folder = TempDir::new().unwrap();
    let running = RunningAgent::start(running(&folder, script, vec![item_update(1, 5)]).await);
    let rows = running.wait_for_deliveries(1).await;
    let outcome = outcome_of(&running, &rows[0]).await;
    running.stop().await;
    outcome
}

fn answer(outcome: &Outcome) -> (u16, &str, &str) {
    let Outcome::Answered {
        status,
        headers,
        body,
        ..
    } = outcome
    else {
        panic!("it answered: {outcome:?}")
    };
    let exit_status = headers.get("podtap-exit-status").unwrap();
    let exit_status = std::str::from_utf8(exit_status).unwrap();
    (*status, exit_status, std::str::from_utf8(body).unwrap())
}

/// Waits until the process whose id is in the file has ended.
async fn is_gone(file: &Path) {
    let pid = eventually("the id of the process", || async { text(file) }).await;
    eventually("the process is gone", || async {
        // A zombie for which no process has waited yet has ended, too.
        match text(Path::new(&format!("/proc/{}/stat", pid.trim()))) {
            Ok(state) if !state.contains(") Z") => Err(state),
            _ => Ok(()),
        }
    })
    .await;
}

#[tokio::test]
async fn a_command_gets_the_body_and_the_ids_and_its_exit_status_is_the_answer() {
    let folder = TempDir::new().unwrap();
    let script = "cat; echo; echo $PODTAP_EVENT_TYPE $PODTAP_ITEM_ID $PODTAP_HOOK_ID \
        $PODTAP_ITEM_REVISION_ID $PODTAP_ATTEMPT $PODTAP_REPLAY $PODTAP_METHOD $PODTAP_PATH \
        ${PODTAP_TASK_ID-unset}; [ $PODTAP_ITEM_ID = 5 ] || { echo worse >&2; exit 3; }";
    let events = vec![item_update(1, 5), item_update(2, 6)];
    let running = RunningAgent::start(running(&folder, script, events).await);
    let rows = running.wait_for_deliveries(2).await;

    let good = outcome_of(&running, &rows[0]).await;
    let said = "type=item.update&item_id=5&item_revision_id=1&hook_id=7\n\
                item.update 5 7 1 1 0 POST /podio/hook unset\n";
    assert_eq!(answer(&good), (200, "0", said));
    let bad = outcome_of(&running, &rows[1]).await;
    let (status, exit_status, body) = answer(&bad);
    assert_eq!((status, exit_status), (500, "3"));
    assert!(
        body.starts_with("worse\ntype=item.update&item_id=6"),
        "{body}"
    );
    let attempts = running.handle.history().attempts(rows[1].id).await.unwrap();
    let end = CommandEnd::of(&attempts[0]).unwrap();
    assert_eq!(end.to_string(), "exit status 3: worse");
    running.stop().await;
}

#[tokio::test]
async fn what_goes_to_stderr_is_no_part_of_a_good_answer() {
    let good = outcome("echo warning >&2; echo fine").await;
    assert_eq!(answer(&good), (200, "0", "fine\n"));
}

#[tokio::test]
async fn a_signal_ends_it_with_an_answer_that_says_so() {
    let killed = outcome("echo before >&2; kill -9 $$").await;
    assert_eq!(answer(&killed), (500, "signal 9", "before\n"));
}

#[tokio::test]
async fn a_command_need_not_read_its_stdin() {
    let folder = TempDir::new().unwrap();
    let large = event(
        1,
        &format!("type=item.create&item_id=5&x={}", "x".repeat(900_000)),
    );
    let running = RunningAgent::start(running(&folder, "exec <&-; echo done", vec![large]).await);
    let rows = running.wait_for_deliveries(1).await;
    assert_eq!(
        answer(&outcome_of(&running, &rows[0]).await),
        (200, "0", "done\n")
    );
    running.stop().await;
}

#[tokio::test]
async fn of_a_hundred_megabytes_the_beginning_is_kept_and_the_rest_is_counted() {
    let folder = TempDir::new().unwrap();
    let script = "head -c 100000000 /dev/zero";
    let mut config = running(&folder, script, vec![item_update(1, 5)]).await;
    config.delivery.max_response_bytes = 1_000;
    let running = RunningAgent::start(config);
    let rows = running.wait_for_deliveries(1).await;
    let Outcome::Answered {
        body, body_bytes, ..
    } = outcome_of(&running, &rows[0]).await
    else {
        panic!("it answered")
    };
    assert_eq!((body.len(), body_bytes), (1_000, 100_000_000));
    running.stop().await;
}

#[tokio::test]
async fn a_command_that_never_ends_is_killed_with_all_that_it_has_started() {
    let folder = TempDir::new().unwrap();
    let script = "sleep 1000 & echo $! > $D/new; mv $D/new $D/pid; wait";
    let mut config = running(&folder, script, vec![item_update(1, 5)]).await;
    config.delivery.timeout = Duration::from_secs(3);
    let running = RunningAgent::start(config);
    let rows = running.wait_for_deliveries(1).await;
    let Outcome::Failed { error } = outcome_of(&running, &rows[0]).await else {
        panic!("it cannot have ended")
    };
    assert!(error.contains("did not end within 3s"), "{error}");
    is_gone(&folder.path().join("pid")).await;
    running.stop().await;
}

#[tokio::test]
async fn what_a_command_leaves_behind_ends_with_it_and_holds_up_nothing() {
    let folder = TempDir::new().unwrap();
    // The process holds stdout and stderr open.
    let script = "sleep 1000 & echo $! > $D/new; mv $D/new $D/pid; echo done";
    let running = RunningAgent::start(running(&folder, script, vec![item_update(1, 5)]).await);
    let rows = running.wait_for_deliveries(1).await;
    assert_eq!(
        answer(&outcome_of(&running, &rows[0]).await),
        (200, "0", "done\n")
    );
    is_gone(&folder.path().join("pid")).await;
    running.stop().await;
}

#[tokio::test]
async fn a_command_that_has_gone_is_waited_for_as_a_service_is() {
    let folder = TempDir::new().unwrap();
    append(&folder, vec![item_update(1, 5)]).await;
    let mut config = delivering(&folder, "127.0.0.1:9".parse().unwrap());
    let handler = folder.path().join("handler.sh");
    let command = format!("exec:{} x", handler.display());
    config.target = Some(Target::from_setting(&command).unwrap());
    let running = RunningAgent::start(config);
    let mut status = running.handle.status();
    let is_down = |status: &podtap_agent::Status| match &status.service {
        ServiceState::Down { reason, .. } => reason.contains("there is no command"),
        _ => false,
    };
    status.wait_for(is_down).await.unwrap();

    let new = folder.path().join("new.sh");
    std::fs::write(&new, "#!/bin/sh\necho \"$1\"\n").unwrap();
    let made = std::process::Command::new("chmod")
        .arg("+x")
        .arg(&new)
        .status();
    assert!(made.unwrap().success());
    std::fs::rename(&new, &handler).unwrap();
    let rows = running.wait_for_deliveries(1).await;
    assert_eq!(
        answer(&outcome_of(&running, &rows[0]).await),
        (200, "0", "x\n")
    );
    assert_eq!(rows[0].attempts, 1, "only the answer is on record");
    running.stop().await;
}

#[tokio::test]
async fn events_of_an_object_are_run_one_after_the_other() {
    let folder = TempDir::new().unwrap();
    let script = "sleep 0.0$((3 - PODTAP_ITEM_REVISION_ID % 3)); \
        echo $PODTAP_ITEM_REVISION_ID >> $D/$PODTAP_ITEM_ID";
    let events = (1..=12).map(|number| item_update(number, 5 + number % 2));
    let running = RunningAgent::start(running(&folder, script, events.collect()).await);
    running.wait_for_deliveries(12).await;
    let of = |object: &str| text(&folder.path().join(object)).unwrap();
    assert_eq!(of("5"), "2\n4\n6\n8\n10\n12\n");
    assert_eq!(of("6"), "1\n3\n5\n7\n9\n11\n");
    running.stop().await;
}

#[tokio::test]
async fn no_more_commands_run_at_once_than_are_asked_for() {
    let folder = TempDir::new().unwrap();
    // Each run writes how many are running, itself included.
    let script = "mkdir $D/$PODTAP_ITEM_ID; ls -d $D/[0-9]* | wc -l >> $D/seen; sleep 0.05; \
        rmdir $D/$PODTAP_ITEM_ID";
    let events = (1..=12).map(|number| item_update(number, 100 + number));
    let mut config = running(&folder, script, events.collect()).await;
    config.delivery.concurrency = 3;
    let running = RunningAgent::start(config);
    running.wait_for_deliveries(12).await;
    let seen = text(&folder.path().join("seen")).unwrap();
    let most = seen.lines().map(|line| line.trim().parse::<u32>().unwrap());
    assert!((1..=3).contains(&most.max().unwrap()), "{seen}");
    running.stop().await;
}
