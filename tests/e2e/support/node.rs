//! Judges written for node: scripts of `tests/node` with the packages that they need.

use std::path::Path;
use std::process::Command;

use super::Process;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node");

/// Whether node and the package are there to judge; where `CI` is `true` they must be.
pub(crate) fn installed(package: &str) -> bool {
    let node = Command::new("node").arg("--version").output();
    let node = node.is_ok_and(|output| output.status.success());
    let package = Path::new(FOLDER).join("node_modules").join(package);
    if node && package.exists() {
        return true;
    }
    let missing = "node and `npm ci --prefix tests/node` are needed";
    let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!in_ci, "{missing}");
    #[expect(clippy::print_stderr, reason = "whoever runs the tests should know")]
    {
        eprintln!("skipped: {missing}");
    }
    false
}

/// Runs a script of the folder.
pub(crate) fn run(script: &str, args: &[&str], environment: &[(&str, String)]) -> Process {
    let mut command = Command::new("node");
    command
        .arg(script)
        .args(args)
        .current_dir(FOLDER)
        .envs(environment.iter().map(|(name, value)| (name, value)));
    Process::spawn(command)
}
