//! Paths that are not regular files, and local services
//! that are not on this machine: each gets a clear message.

use std::os::unix::fs::symlink;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{Process, Stage, command, eventually};

/// Creates one path of each kind in the stage's folder; returns `false` without `mkfifo`.
fn odd_files(stage: &Stage) -> bool {
    let at = |name: &str| stage.home().join(name);
    std::fs::create_dir(at("folder")).unwrap();
    std::fs::write(at("empty"), "").unwrap();
    symlink("/nowhere/x", at("dangling")).unwrap();
    symlink("/dev/zero", at("device")).unwrap();
    let made = Command::new("mkfifo").arg(at("pipe")).status();
    made.is_ok_and(|status| status.success())
}

#[test]
fn a_history_that_is_no_file_is_told_and_not_waited_for() {
    let stage = Stage::new();
    if !odd_files(&stage) {
        return;
    }
    let folder = stage.home().join("data/podtap/tunnels");
    std::fs::create_dir_all(&folder).unwrap();
    for (kind, words) in [
        ("folder", "it is a folder"),
        ("dangling", "it is a symbolic link that leads nowhere"),
        ("device", "it is a device, not a file"),
        ("pipe", "it is a pipe"),
    ] {
        let from = stage.home().join(kind);
        std::fs::rename(from, folder.join(format!("{kind}.db"))).unwrap();
        let listen = [
            "listen",
            "3000",
            "--relay",
            "http://127.0.0.1:9",
            "--token",
            "pt_x",
            "--name",
            kind,
        ];
        let (code, stdout, stderr) = stage.run(&listen);
        assert_eq!((code, stdout.as_str()), (1, ""), "{kind}: {stderr}");
        assert!(stderr.contains(words), "{kind}: {stderr}");
        let (code, _, stderr) = stage.run(&["events", "--name", kind]);
        // A link to a missing file counts as a history that does not exist yet.
        let expected = if kind == "dangling" { 6 } else { 1 };
        assert_eq!(code, expected, "{kind}: {stderr}");
    }
}

#[test]
fn a_file_that_is_none_or_has_no_end_is_told() {
    let stage = Stage::new();
    odd_files(&stage);
    let base = [
        "listen",
        "3000",
        "--relay",
        "http://127.0.0.1:9",
        "--no-wait",
    ];
    for (kind, words) in [
        ("folder", "Is a directory"),
        ("dangling", "No such file"),
        ("device", "it is larger than"),
        ("empty", ""),
    ] {
        for with in [
            &["--token", "pt_x", "--ca-file", kind][..],
            &["--token-file", kind],
            &["--token", "pt_x", "--config", kind],
        ] {
            let (code, stdout, stderr) = stage.run(&[&base[..], with].concat());
            if kind == "empty" && with.contains(&"--config") {
                assert_eq!(code, 4, "no setting is fine: {stderr}");
                continue;
            }
            assert_eq!((code, stdout.as_str()), (2, ""), "{with:?}: {stderr}");
            assert!(stderr.contains(words), "{with:?}: {stderr}");
        }
        let (code, _, stderr) = stage.run(&["import", kind, "--name", "new"]);
        let expected = if kind == "empty" { 6 } else { 1 };
        assert_eq!(code, expected, "{kind}: {stderr}");
        assert!(stderr.contains(kind), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_waits_for_a_pipe_says_so_and_can_be_ended() {
    let stage = Stage::new();
    if !odd_files(&stage) {
        return;
    }
    let mut import = Process::spawn(command(&stage, &["import", "pipe", "--name", "new"]));
    let is_told = || {
        import
            .stderr()
            .contains("waiting for the pipe")
            .then_some(())
    };
    eventually("a word", is_told, || import.stderr()).await;

    import.signal(Signal::TERM);

    assert_eq!(
        import.wait_for_end().await.code(),
        Some(143),
        "{}",
        import.stderr()
    );
}

/// Each file in a setting may be a pipe to which nothing is ever written.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_waits_for_a_pipe_in_a_setting_can_be_ended() {
    use std::os::unix::process::ExitStatusExt as _;
    let stage = Stage::new();
    if !odd_files(&stage) {
        return;
    }
    let listen = ["listen", "3000", "--relay", "http://127.0.0.1:9"];
    let (ca, token) = (
        ["--token", "pt_x", "--ca-file", "pipe"],
        ["--token-file", "pipe"],
    );
    let lines = [
        [&listen[..], &ca].concat(),
        [&listen[..], &token].concat(),
        [&listen[..], &["--config", "pipe"]].concat(),
        vec!["sandbox", "--state", "pipe"],
        vec!["sandbox", "--seed", "pipe"],
    ];
    for line in lines {
        for signal in [Signal::TERM, Signal::INT] {
            let mut waits = Process::spawn(command(&stage, &line));
            let is_told = || {
                waits
                    .stderr()
                    .contains("waiting for the pipe")
                    .then_some(())
            };
            eventually("a word", is_told, || waits.stderr()).await;

            waits.signal(signal);

            let ended = waits.wait_for_end().await;
            let number = signal.as_raw();
            assert!(
                ended.code() == Some(128 + number) || ended.signal() == Some(number),
                "{line:?}: {ended}, {}",
                waits.stderr()
            );
        }
    }
}

#[test]
fn what_a_shell_hands_over_is_read_as_a_file() {
    let stage = Stage::new();
    let podtap = command(&stage, &[]);
    let program = podtap.get_program().to_str().unwrap();
    let script = format!("{program} config show --config <(printf 'name = \"shelly\"\n')");
    let mut shell = command(&stage, &[]);
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).current_dir(stage.home());
    for (name, value) in shell.env("LC_ALL", "C").get_envs() {
        match value {
            Some(value) => bash.env(name, value),
            None => bash.env_remove(name),
        };
    }
    let Ok(shown) = bash.output() else { return };
    let stdout = String::from_utf8_lossy(&shown.stdout);
    assert!(
        stdout.contains("shelly"),
        "{stdout}{}",
        String::from_utf8_lossy(&shown.stderr)
    );
}

#[tokio::test]
async fn an_empty_history_and_a_service_elsewhere_get_a_word() {
    let stage = Stage::new();
    let folder = stage.home().join("data/podtap/tunnels");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("crm.db"), "").unwrap();
    let (code, stdout, stderr) = stage.run(&["events", "--name", "crm"]);
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    assert!(stderr.contains("no events yet"), "{stderr}");

    let base = [
        "--relay",
        "http://127.0.0.1:9",
        "--token",
        "pt_x",
        "--no-wait",
    ];
    for (target, is_told) in [("https://example.com", true), ("localhost:3000", false)] {
        let (code, _, stderr) = stage.run(&[&["listen", target][..], &base].concat());
        assert_eq!(code, 4, "{stderr}");
        assert_eq!(stderr.contains("is another machine"), is_told, "{stderr}");
    }
    for target in [
        "http://alice:secret@localhost:3000",
        "http://alice@localhost",
    ] {
        let (code, _, stderr) = stage.run(&[&["listen", target][..], &base].concat());
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains("a user and a password"), "{stderr}");
        assert!(!stderr.contains("alice"), "{stderr}");
    }
}
