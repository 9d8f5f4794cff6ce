//! Runs the scripts of `tests/node`, with the packages that they need.

use std::path::Path;

use super::{Process, script};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/node");

/// Returns whether node and the package are installed; if `CI` is `true`, they must be.
pub(crate) fn is_installed(package: &str) -> bool {
    let package = Path::new(FOLDER).join("node_modules").join(package);
    let missing = "node and `npm ci --prefix tests/node` are needed";
    script::available("node", Some(&package), missing)
}

/// Runs a script of the folder.
pub(crate) fn run(name: &str, args: &[&str], environment: &[(&str, String)]) -> Process {
    let args = [&[name], args].concat();
    script::run("node", Path::new(FOLDER), &args, environment)
}
