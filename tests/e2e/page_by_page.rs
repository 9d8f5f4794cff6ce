//! Commands that print as many events as are asked for hold one page of them in memory, and end
//! without a word when no one reads on.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Output, Stdio};

use crate::support::{Stage, command};

/// Each takes about 1 KiB as a row: together twice what a command may need more than for few events.
const EVENTS: usize = 40_000;
const FEW: usize = 2_000;
const MORE_MIB: u64 = 20;

/// A history of these events in the tunnel `crm`.
fn history(stage: &Stage) {
    let file = stage.home().join("events.ndjson");
    let mut lines = std::io::BufWriter::new(std::fs::File::create(&file).unwrap());
    let pad = "x".repeat(60);
    for n in 0..EVENTS {
        writeln!(
            lines,
            r#"{{"type":"event","method":"POST","path":"/podio/hook","received_at":"2026-11-23T12:00:00Z","body":"type=item.update&item_id={n}&item_revision_id=1&x={pad}"}}"#
        )
        .unwrap();
    }
    lines.into_inner().unwrap();
    stage.succeed(&["import", file.to_str().unwrap(), "--name", "crm"]);
}

/// Reads half of the lines that a command prints, and then closes the pipe: the most memory it had
/// until then, in MiB. It waits for its reader meanwhile.
fn read_half(stage: &Stage, args: &[&str], lines: usize) -> u64 {
    let mut command = command(stage, args);
    command.args(["--name", "crm"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let read = stdout.lines().take(lines / 2).map(Result::unwrap).count();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let Output { stderr, .. } = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!((read, stderr.as_str()), (lines / 2, ""), "{args:?}");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<u64>().unwrap() / 1024
}

#[test]
fn many_events_take_no_more_memory_than_few() {
    let stage = Stage::new();
    history(&stage);
    let few = read_half(&stage, &["events", "-l", &FEW.to_string()], FEW);
    let all = EVENTS.to_string();
    let wait = ["wait", "--since", "2020-01-01", "--count", &all];
    let commands: [&[&str]; 6] = [
        &["events", "-l", &all],
        &["events", "-l", &all, "type:item.update"],
        &["events", "--json"],
        &wait,
        &[&wait[..], &["--json"]].concat(),
        &[
            "replay",
            "--filter",
            "type:item.*",
            "--dry-run",
            "--to",
            "9",
        ],
    ];
    for args in commands {
        let most = read_half(&stage, args, EVENTS);
        assert!(
            most <= few + MORE_MIB,
            "{args:?}: {most} MiB, {few} for few"
        );
    }
}
