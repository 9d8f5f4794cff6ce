//! Restricts the targets of tools to this machine.

use podtap_agent::Target;

use crate::problem::ToolProblem;

/// Parses a target.
pub(super) fn target(text: &str) -> Result<Target, ToolProblem> {
    text.parse().map_err(|_| {
        ToolProblem::new("`to` is not a local service")
            .hint("use a port such as 3000, or a URL such as http://localhost:3000")
    })
}

/// Checks that all targets are on this machine.
pub(super) fn on_this_machine(targets: &[Target]) -> Result<(), ToolProblem> {
    if targets.iter().all(Target::is_loopback) {
        return Ok(());
    }
    Err(
        ToolProblem::new("the target is not on this machine, or is a command; nothing was sent")
            .hint("use `to` with a port, such as 3000"),
    )
}
