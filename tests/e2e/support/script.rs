//! Runs clients and handlers in other languages:
//! programs of this machine with the scripts of `tests`.

use std::path::Path;
use std::process::Command;

use super::Process;

/// Returns whether a program and what it needs are installed; if `CI` is `true`, they must be.
pub(crate) fn available(program: &str, needed: Option<&Path>, missing: &str) -> bool {
    let answers = Command::new(program).arg("--version").output();
    let answers = answers.is_ok_and(|output| output.status.success());
    if answers && needed.is_none_or(Path::exists) {
        return true;
    }
    let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!in_ci, "{missing}");
    #[expect(clippy::print_stderr, reason = "whoever runs the tests should know")]
    {
        eprintln!("skipped: {missing}");
    }
    false
}

/// Runs a program in a folder of the tests.
pub(crate) fn run(
    program: &str,
    folder: &Path,
    args: &[&str],
    environment: &[(&str, String)],
) -> Process {
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(folder)
        .envs(environment.iter().map(|(name, value)| (name, value)));
    Process::spawn(command)
}
