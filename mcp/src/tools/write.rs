//! Where a tool may send to: this machine alone.

use podtap_agent::Target;

use crate::problem::ToolProblem;

/// The target that a text names.
pub(super) fn target(text: &str) -> Result<Target, ToolProblem> {
    text.parse().map_err(|_| {
        ToolProblem::new("`to` is not a local service")
            .hint("use a port such as 3000, or a URL such as http://localhost:3000")
    })
}

/// Only targets on this machine.
pub(super) fn on_this_machine(targets: &[Target]) -> Result<(), ToolProblem> {
    if targets.iter().all(Target::is_loopback) {
        return Ok(());
    }
    Err(
        ToolProblem::new("the target is not on this machine, or is a command; nothing was sent")
            .hint("use `to` with a port, such as 3000"),
    )
}
